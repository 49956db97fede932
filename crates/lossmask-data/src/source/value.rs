//! A row of columns as the JSON object it was made from, each type as `datasets` reads it. A type that has no place in a conversation is
//! refused by its name and path: nothing becomes null that was not.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use base64::Engine as _;
use lossmask_chat::json;
use serde_json::{Map, Value};

use super::moment;
use crate::DataError;

/// Fields whose nulls the row's reader drops and counts; elsewhere a null is a key that is not there: Arrow has no other way to say so.
const COUNTED: [&str; 4] = ["tools", "functions", "tool_calls", "function_call"];
/// Words in the name of a field that holds the bytes of media, which are carried as base64.
const MEDIA: [&str; 5] = ["bytes", "image", "video", "audio", "base64"];

/// The row as an object.
pub(crate) fn row(batch: &RecordBatch, index: usize) -> Result<Value, DataError> {
    object(batch.schema_ref().fields(), batch.columns(), index, Place { path: "", counted: false })
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    /// Within a field whose nulls are counted.
    counted: bool,
}

impl Place<'_> {
    fn refuse(self, what: &str) -> DataError {
        let mut error = DataError::new("unsupported-column", format!("the column holds {what}"))
            .hint("drop the column, or write it as text, numbers, lists and structs");
        error.path = Some(self.path.to_owned());
        error
    }
}

fn object(fields: &Fields, columns: &[ArrayRef], index: usize, place: Place<'_>) -> Result<Value, DataError> {
    let mut map = Map::new();
    for (field, column) in fields.iter().zip(columns) {
        let counted = place.counted || COUNTED.contains(&field.name().as_str());
        let path =
            if place.path.is_empty() { field.name().clone() } else { format!("{}.{}", place.path, field.name()) };
        let value = cell(field, column, index, Place { path: &path, counted })?;
        if !value.is_null() || place.counted {
            map.insert(field.name().clone(), value);
        }
    }
    Ok(Value::Object(map))
}

fn list(field: &Field, items: &ArrayRef, place: Place<'_>) -> Result<Value, DataError> {
    let item = |index: usize| {
        let path = format!("{}[{index}]", place.path);
        cell(field, items, index, Place { path: &path, ..place })
    };
    (0..items.len()).map(item).collect::<Result<_, _>>().map(Value::Array)
}

/// One value.
fn cell(field: &Field, column: &ArrayRef, index: usize, place: Place<'_>) -> Result<Value, DataError> {
    if column.is_null(index) {
        return Ok(Value::Null);
    }
    let text = |text: &str| match is_json(field) {
        true => json::parse(text).map_err(|error| place.refuse(&format!("text that is no JSON: {error}"))),
        false => Ok(Value::from(text)),
    };
    Ok(match column.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => column.as_boolean().value(index).into(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(index).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(index).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(index).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(index).into(),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(index).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(index).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(index).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(index).into(),
        DataType::Float16 => json::float(column.as_primitive::<Float16Type>().value(index).to_f64()),
        DataType::Float32 => json::float(f64::from(column.as_primitive::<Float32Type>().value(index))),
        DataType::Float64 => json::float(column.as_primitive::<Float64Type>().value(index)),
        DataType::Decimal128(_, _) => {
            let column = column.as_primitive::<Decimal128Type>();
            json::number(&column.value_as_string(index)).ok_or_else(|| place.refuse("a decimal that is no number"))?
        }
        DataType::Utf8 => text(column.as_string::<i32>().value(index))?,
        DataType::LargeUtf8 => text(column.as_string::<i64>().value(index))?,
        DataType::Utf8View => text(column.as_string_view().value(index))?,
        DataType::Binary => bytes(column.as_binary::<i32>().value(index), place)?,
        DataType::LargeBinary => bytes(column.as_binary::<i64>().value(index), place)?,
        DataType::BinaryView => bytes(column.as_binary_view().value(index), place)?,
        DataType::FixedSizeBinary(_) => bytes(column.as_fixed_size_binary().value(index), place)?,
        DataType::Struct(fields) => object(fields, column.as_struct().columns(), index, place)?,
        DataType::List(item) => list(item, &column.as_list::<i32>().value(index), place)?,
        DataType::LargeList(item) => list(item, &column.as_list::<i64>().value(index), place)?,
        DataType::FixedSizeList(item, _) => list(item, &column.as_fixed_size_list().value(index), place)?,
        DataType::ListView(item) => list(item, &column.as_list_view::<i32>().value(index), place)?,
        DataType::LargeListView(item) => list(item, &column.as_list_view::<i64>().value(index), place)?,
        DataType::Map(_, _) => map(&column.as_map().value(index), place)?,
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            cell(field, dictionary.values(), dictionary.normalized_keys()[index], place)?
        }
        other => moment(column, other, index).ok_or_else(|| place.refuse(&format!("values of the type {other}")))?,
    })
}

/// Dates and times are the text that Python's `str` makes of them.
fn moment(column: &ArrayRef, data_type: &DataType, index: usize) -> Option<Value> {
    let text = match data_type {
        DataType::Date32 => moment::date(i64::from(column.as_primitive::<Date32Type>().value(index))),
        DataType::Date64 => moment::date(column.as_primitive::<Date64Type>().value(index).div_euclid(86_400_000)),
        DataType::Time32(TimeUnit::Second) => {
            moment::time(i64::from(column.as_primitive::<Time32SecondType>().value(index)) * 1_000_000_000)
        }
        DataType::Time32(_) => {
            moment::time(i64::from(column.as_primitive::<Time32MillisecondType>().value(index)) * 1_000_000)
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            moment::time(column.as_primitive::<Time64MicrosecondType>().value(index).checked_mul(1000)?)
        }
        DataType::Time64(_) => moment::time(column.as_primitive::<Time64NanosecondType>().value(index)),
        DataType::Timestamp(unit, zone) => {
            let (value, scale) = match unit {
                TimeUnit::Second => (column.as_primitive::<TimestampSecondType>().value(index), 1_000_000_000),
                TimeUnit::Millisecond => (column.as_primitive::<TimestampMillisecondType>().value(index), 1_000_000),
                TimeUnit::Microsecond => (column.as_primitive::<TimestampMicrosecondType>().value(index), 1_000),
                TimeUnit::Nanosecond => (column.as_primitive::<TimestampNanosecondType>().value(index), 1),
            };
            let suffix = match zone.as_deref() {
                None => "",
                Some("UTC" | "Etc/UTC" | "Z" | "+00:00") => "+00:00",
                // What a zone's clock showed on that day is in a database that is not here.
                Some(_) => return None,
            };
            moment::timestamp(i128::from(value) * scale) + suffix
        }
        _ => return None,
    };
    Some(text.into())
}

/// Arrow's `arrow.json`: text that `datasets` reads as the value it spells.
fn is_json(field: &Field) -> bool {
    field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.json")
}

fn map(entries: &StructArray, place: Place<'_>) -> Result<Value, DataError> {
    let (fields, keys, values) = (entries.fields(), entries.column(0), entries.column(1));
    let mut out = Map::new();
    for index in 0..entries.len() {
        let key = match cell(&fields[0], keys, index, place)? {
            Value::String(key) => key,
            key => key.to_string(),
        };
        let path = format!("{}.{key}", place.path);
        out.insert(key, cell(&fields[1], values, index, Place { path: &path, ..place })?);
    }
    Ok(Value::Object(out))
}

/// Bytes are text, as in Parquet files whose strings lack their annotation, or media under a name that says so.
fn bytes(bytes: &[u8], place: Place<'_>) -> Result<Value, DataError> {
    let name = place.path.rsplit('.').next().unwrap_or(place.path).to_lowercase();
    if MEDIA.iter().any(|word| name.contains(word)) {
        return Ok(base64::engine::general_purpose::STANDARD.encode(bytes).into());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(place.refuse("bytes that are no text")),
    }
}
