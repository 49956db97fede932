//! Rows as record batches, with the column types that Python's `datasets` gives such columns itself.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{Float32Builder, Int8Builder, Int32Builder, Int64Builder, ListBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use serde_json::{Map, Value, json};

use super::media::{self, MediaBuilder};
use crate::DataError;
use crate::row::{IGNORE_INDEX, Row};

/// Which columns stand beside `input_ids`, `labels` and `attention_mask`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    /// `weights`: a float per token.
    pub weights: bool,
    /// `position_ids` and `seq_lengths`.
    pub packing: bool,
    /// `media`: kind, reference and grid values of each item, in the order of their tokens.
    pub media: bool,
}

/// Collects rows.
pub(super) struct BatchBuilder {
    columns: Columns,
    schema: Arc<Schema>,
    rows: usize,
    tokens: usize,
    input_ids: ListBuilder<Int32Builder>,
    labels: ListBuilder<Int64Builder>,
    attention_mask: ListBuilder<Int8Builder>,
    weights: ListBuilder<Float32Builder>,
    position_ids: ListBuilder<Int64Builder>,
    seq_lengths: ListBuilder<Int64Builder>,
    media: MediaBuilder,
}

fn column_types(columns: Columns) -> Vec<(&'static str, DataType, &'static str)> {
    let mut types = vec![
        ("input_ids", DataType::Int32, "int32"),
        ("labels", DataType::Int64, "int64"),
        ("attention_mask", DataType::Int8, "int8"),
    ];
    if columns.weights {
        types.push(("weights", DataType::Float32, "float32"));
    }
    if columns.packing {
        types.push(("position_ids", DataType::Int64, "int64"));
        types.push(("seq_lengths", DataType::Int64, "int64"));
    }
    types
}

impl BatchBuilder {
    pub fn new(columns: Columns) -> Self {
        let mut fields: Vec<Field> = column_types(columns)
            .into_iter()
            .map(|(name, of, _)| Field::new(name, DataType::List(Arc::new(Field::new("item", of, true))), true))
            .collect();
        if columns.media {
            fields.push(Field::new("media", media::data_type(), true));
        }
        let mut builder = BatchBuilder {
            columns,
            schema: Arc::new(Schema::empty()),
            rows: 0,
            tokens: 0,
            input_ids: ListBuilder::default(),
            labels: ListBuilder::default(),
            attention_mask: ListBuilder::default(),
            weights: ListBuilder::default(),
            position_ids: ListBuilder::default(),
            seq_lengths: ListBuilder::default(),
            media: MediaBuilder::default(),
        };
        let info = json!({ "info": { "features": builder.features() } });
        let metadata: HashMap<_, _> = [("huggingface".to_owned(), info.to_string())].into();
        builder.schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        builder
    }

    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.schema)
    }

    /// The columns as `datasets` describes them.
    pub fn features(&self) -> Value {
        let features = column_types(self.columns).into_iter().map(|(name, _, dtype)| {
            (name.to_owned(), json!({ "feature": { "dtype": dtype, "_type": "Value" }, "_type": "List" }))
        });
        let mut features: Map<String, Value> = features.collect();
        if self.columns.media {
            features.insert("media".to_owned(), media::feature());
        }
        Value::Object(features)
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn tokens(&self) -> usize {
        self.tokens
    }

    pub fn append(&mut self, row: &Row) {
        let length = row.ids.len();
        self.rows += 1;
        self.tokens += length;
        self.input_ids.values().append_slice(&row.ids);
        self.input_ids.append(true);
        for span in &row.record.spans {
            let labels = self.labels.values();
            if span.trained {
                row.ids[span.tokens.clone()].iter().for_each(|&id| labels.append_value(i64::from(id)));
            } else {
                labels.append_value_n(i64::from(IGNORE_INDEX), span.tokens.len());
            }
        }
        self.labels.append(true);
        self.attention_mask.values().append_value_n(1, length);
        self.attention_mask.append(true);
        if self.columns.weights {
            self.weights.values().append_slice(&row.weights());
            self.weights.append(true);
        }
        if self.columns.packing {
            for &length in &row.lengths {
                (0..length as i64).for_each(|position| self.position_ids.values().append_value(position));
                self.seq_lengths.values().append_value(length as i64);
            }
            self.position_ids.append(true);
            self.seq_lengths.append(true);
        }
        if self.columns.media {
            self.media.append(&row.media);
        }
    }

    /// The rows collected so far as a batch; the builder is empty again.
    pub fn finish(&mut self) -> Result<RecordBatch, DataError> {
        (self.rows, self.tokens) = (0, 0);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.input_ids.finish()),
            Arc::new(self.labels.finish()),
            Arc::new(self.attention_mask.finish()),
        ];
        if self.columns.weights {
            arrays.push(Arc::new(self.weights.finish()));
        }
        if self.columns.packing {
            arrays.push(Arc::new(self.position_ids.finish()));
            arrays.push(Arc::new(self.seq_lengths.finish()));
        }
        if self.columns.media {
            arrays.push(Arc::new(self.media.finish()));
        }
        RecordBatch::try_new(self.schema(), arrays).map_err(|error| DataError::new("internal-error", error.to_string()))
    }
}
