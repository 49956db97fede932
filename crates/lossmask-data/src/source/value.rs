//! A row of columns as the JSON object it was made from.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{DataType, TimeUnit};
use base64::Engine as _;
use serde_json::{Map, Number, Value};

/// The row as an object. Columns that hold null are left out: Arrow has no other way to say that a key is absent, and in
/// nested messages or tool arguments it invents the key for every row that lacks it.
pub(crate) fn row(batch: &RecordBatch, index: usize) -> Value {
    let schema = batch.schema_ref();
    object(schema.fields().iter().map(|field| field.name()).zip(batch.columns()), index)
}

fn object<'a>(columns: impl Iterator<Item = (&'a String, &'a ArrayRef)>, index: usize) -> Value {
    let mut map = Map::new();
    for (name, column) in columns {
        let value = cell(column, index);
        if !value.is_null() {
            map.insert(name.clone(), value);
        }
    }
    Value::Object(map)
}

fn list(items: &ArrayRef) -> Value {
    Value::Array((0..items.len()).map(|index| cell(items, index)).collect())
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// One value. Bytes become base64, times the number they are stored as; a type that no JSON has is null.
fn cell(column: &ArrayRef, index: usize) -> Value {
    if column.is_null(index) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Boolean => column.as_boolean().value(index).into(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(index).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(index).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(index).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(index).into(),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(index).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(index).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(index).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(index).into(),
        DataType::Float16 => float(column.as_primitive::<Float16Type>().value(index).to_f64()),
        DataType::Float32 => float(f64::from(column.as_primitive::<Float32Type>().value(index))),
        DataType::Float64 => float(column.as_primitive::<Float64Type>().value(index)),
        DataType::Utf8 => column.as_string::<i32>().value(index).into(),
        DataType::LargeUtf8 => column.as_string::<i64>().value(index).into(),
        DataType::Utf8View => column.as_string_view().value(index).into(),
        DataType::Binary => base64(column.as_binary::<i32>().value(index)),
        DataType::LargeBinary => base64(column.as_binary::<i64>().value(index)),
        DataType::BinaryView => base64(column.as_binary_view().value(index)),
        DataType::FixedSizeBinary(_) => base64(column.as_fixed_size_binary().value(index)),
        DataType::Struct(_) => structure(column.as_struct(), index),
        DataType::List(_) => list(&column.as_list::<i32>().value(index)),
        DataType::LargeList(_) => list(&column.as_list::<i64>().value(index)),
        DataType::FixedSizeList(_, _) => list(&column.as_fixed_size_list().value(index)),
        DataType::ListView(_) => list(&column.as_list_view::<i32>().value(index)),
        DataType::LargeListView(_) => list(&column.as_list_view::<i64>().value(index)),
        DataType::Map(_, _) => map(&column.as_map().value(index)),
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            cell(dictionary.values(), dictionary.normalized_keys()[index])
        }
        DataType::Timestamp(unit, _) => timestamp(column, *unit, index),
        DataType::Date32 => column.as_primitive::<arrow_array::types::Date32Type>().value(index).into(),
        DataType::Date64 => column.as_primitive::<arrow_array::types::Date64Type>().value(index).into(),
        _ => Value::Null,
    }
}

fn structure(column: &StructArray, index: usize) -> Value {
    object(column.fields().iter().map(|field| field.name()).zip(column.columns()), index)
}

fn map(entries: &StructArray) -> Value {
    let (keys, values) = (entries.column(0), entries.column(1));
    let pairs = (0..entries.len()).map(|index| {
        let key = match cell(keys, index) {
            Value::String(key) => key,
            key => key.to_string(),
        };
        (key, cell(values, index))
    });
    Value::Object(pairs.collect())
}

fn base64(bytes: &[u8]) -> Value {
    base64::engine::general_purpose::STANDARD.encode(bytes).into()
}

fn timestamp(column: &ArrayRef, unit: TimeUnit, index: usize) -> Value {
    use arrow_array::types::{
        TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    };
    match unit {
        TimeUnit::Second => column.as_primitive::<TimestampSecondType>().value(index).into(),
        TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().value(index).into(),
        TimeUnit::Microsecond => column.as_primitive::<TimestampMicrosecondType>().value(index).into(),
        TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().value(index).into(),
    }
}
