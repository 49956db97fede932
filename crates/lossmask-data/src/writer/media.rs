//! The column `media`: what a training loop needs to make the pixels of a row, and nothing else.

use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Int64Builder, ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{Array, ListArray};
use arrow_schema::{DataType, Field, Fields};
use lossmask_chat::RowMedia;
use serde_json::{Value, json};

/// A list of `{kind, reference, grid: [{name, values}]}`.
pub(super) fn data_type() -> DataType {
    list(DataType::Struct(item_fields()))
}

/// The same as `datasets` describes it.
pub(super) fn feature() -> Value {
    let text = json!({ "dtype": "string", "_type": "Value" });
    let values = json!({ "feature": { "dtype": "int64", "_type": "Value" }, "_type": "List" });
    let grid = json!({ "feature": { "name": text, "values": values }, "_type": "List" });
    json!({ "feature": { "kind": text, "reference": text, "grid": grid }, "_type": "List" })
}

/// Collects rows.
pub(super) struct MediaBuilder(ListBuilder<StructBuilder>);

impl Default for MediaBuilder {
    fn default() -> Self {
        let columns: Vec<Box<dyn ArrayBuilder>> = vec![
            Box::new(StringBuilder::new()),
            Box::new(StringBuilder::new()),
            Box::new(ListBuilder::new(grid_builder())),
        ];
        MediaBuilder(ListBuilder::new(StructBuilder::new(item_fields(), columns)))
    }
}

impl MediaBuilder {
    pub fn append(&mut self, media: &[RowMedia]) {
        for item in media {
            let builder = self.0.values();
            append_text(builder, 0, item.kind.name());
            append_text(builder, 1, &item.reference);
            if let Some(grids) = builder.field_builder::<ListBuilder<StructBuilder>>(2) {
                for grid in &item.grid {
                    append_text(grids.values(), 0, grid.name);
                    if let Some(values) = grids.values().field_builder::<ListBuilder<Int64Builder>>(1) {
                        grid.values().iter().for_each(|&value| values.values().append_value(i64::from(value)));
                        values.append(true);
                    }
                    grids.values().append(true);
                }
                grids.append(true);
            }
            builder.append(true);
        }
        self.0.append(true);
    }

    pub fn finish(&mut self) -> ListArray {
        let array = self.0.finish();
        debug_assert_eq!(array.data_type(), &data_type());
        array
    }
}

fn append_text(builder: &mut StructBuilder, column: usize, text: &str) {
    if let Some(texts) = builder.field_builder::<StringBuilder>(column) {
        texts.append_value(text);
    }
}

fn grid_builder() -> StructBuilder {
    let columns: Vec<Box<dyn ArrayBuilder>> =
        vec![Box::new(StringBuilder::new()), Box::new(ListBuilder::new(Int64Builder::new()))];
    StructBuilder::new(grid_fields(), columns)
}

fn item_fields() -> Fields {
    let grid = list(DataType::Struct(grid_fields()));
    vec![text("kind"), text("reference"), Field::new("grid", grid, true)].into()
}

fn grid_fields() -> Fields {
    vec![text("name"), Field::new("values", list(DataType::Int64), true)].into()
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn list(of: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", of, true)))
}
