//! What `inspect` and `audit` want to know of each row, in a folder of its own that `datasets` does not look into:
//! where the row comes from, its turns, its spans, its diagnoses.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float32Builder, ListBuilder, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};

use super::Folder;
use crate::DataError;
use crate::row::{Row, show_diagnosis, status_name};

/// The folder's name in the prepared folder.
pub(crate) const SIDECAR_DIR: &str = "lossmask";
/// The report, relative to the prepared folder. It also marks the folder as one of lossmask's.
pub(crate) const REPORT_FILE: &str = "lossmask/report.json";
/// Rows in each batch but the last: the reader finds a row by division.
pub(crate) const SIDECAR_BATCH_ROWS: usize = 1000;

/// A split's file, relative to the prepared folder.
pub(crate) fn sidecar_file(split: &str) -> PathBuf {
    [SIDECAR_DIR, &format!("{split}.arrow")].iter().collect()
}

/// Writes one split's file.
pub(super) struct Sidecar {
    path: PathBuf,
    writer: FileWriter<BufWriter<File>>,
    schema: Arc<Schema>,
    columns: SidecarColumns,
}

impl Sidecar {
    pub fn create(folder: &Folder, split: &str) -> Result<Self, DataError> {
        let name = sidecar_file(split);
        let file = BufWriter::new(folder.create_file(&name)?);
        let schema = Arc::new(SidecarColumns::schema());
        let path = folder.path().join(name);
        let writer = FileWriter::try_new(file, &schema).map_err(|error| super::shards::disk(&path, error.into()))?;
        Ok(Sidecar { path, writer, schema, columns: SidecarColumns::default() })
    }

    pub fn append(&mut self, row: &Row) -> Result<(), DataError> {
        self.columns.append(row)?;
        if self.columns.status.len() >= SIDECAR_BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), DataError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.finish());
        let written = batch.and_then(|batch| self.writer.write(&batch));
        written.map_err(|error| super::shards::disk(&self.path, error.into()))
    }

    pub fn finish(mut self) -> Result<(), DataError> {
        if !self.columns.status.is_empty() {
            self.flush()?;
        }
        let path = self.path;
        self.writer.finish().map_err(|error| super::shards::disk(&path, error.into()))?;
        let file = self.writer.into_inner().map_err(|error| super::shards::disk(&path, error.into()))?;
        let file = file.into_inner().map_err(|error| DataError::io("write", &path, &error.into_error()))?;
        file.sync_all().map_err(|error| DataError::io("write", &path, &error))
    }
}

/// Flat parallel lists: one entry per source, turn or span of a row.
#[derive(Default)]
struct SidecarColumns {
    status: StringBuilder,
    source_file: ListBuilder<StringBuilder>,
    source_line: ListBuilder<UInt64Builder>,
    source_row: ListBuilder<UInt64Builder>,
    turn_role: ListBuilder<StringBuilder>,
    turn_start: ListBuilder<UInt32Builder>,
    turn_content_start: ListBuilder<UInt32Builder>,
    turn_content_end: ListBuilder<UInt32Builder>,
    turn_end: ListBuilder<UInt32Builder>,
    turn_trained: ListBuilder<BooleanBuilder>,
    turn_terminated: ListBuilder<BooleanBuilder>,
    span_end: ListBuilder<UInt32Builder>,
    span_turn: ListBuilder<UInt32Builder>,
    span_kind: ListBuilder<StringBuilder>,
    span_reason: ListBuilder<StringBuilder>,
    span_trained: ListBuilder<BooleanBuilder>,
    span_weight: ListBuilder<Float32Builder>,
    /// JSON of a list of [`ShownDiagnosis`](crate::ShownDiagnosis); null where there is none.
    diagnostics: StringBuilder,
}

impl SidecarColumns {
    fn schema() -> Schema {
        let list =
            |name: &str, of: DataType| Field::new(name, DataType::List(Arc::new(Field::new("item", of, true))), true);
        Schema::new(vec![
            Field::new("status", DataType::Utf8, true),
            list("source_file", DataType::Utf8),
            list("source_line", DataType::UInt64),
            list("source_row", DataType::UInt64),
            list("turn_role", DataType::Utf8),
            list("turn_start", DataType::UInt32),
            list("turn_content_start", DataType::UInt32),
            list("turn_content_end", DataType::UInt32),
            list("turn_end", DataType::UInt32),
            list("turn_trained", DataType::Boolean),
            list("turn_terminated", DataType::Boolean),
            list("span_end", DataType::UInt32),
            list("span_turn", DataType::UInt32),
            list("span_kind", DataType::Utf8),
            list("span_reason", DataType::Utf8),
            list("span_trained", DataType::Boolean),
            list("span_weight", DataType::Float32),
            Field::new("diagnostics", DataType::Utf8, true),
        ])
    }

    fn append(&mut self, row: &Row) -> Result<(), DataError> {
        self.status.append_value(status_name(row.status));
        self.append_sources(row);
        self.append_turns(row);
        self.append_spans(row);
        if row.diagnostics.is_empty() {
            self.diagnostics.append_null();
        } else {
            let shown: Vec<_> = row.diagnostics.iter().map(show_diagnosis).collect();
            let json =
                serde_json::to_string(&shown).map_err(|error| DataError::new("internal-error", error.to_string()))?;
            self.diagnostics.append_value(json);
        }
        Ok(())
    }

    fn append_sources(&mut self, row: &Row) {
        for place in &row.sources {
            self.source_file.values().append_value(place.file.to_string_lossy());
            self.source_line.values().append_option(place.line);
            self.source_row.values().append_value(place.row);
        }
        self.source_file.append(true);
        self.source_line.append(true);
        self.source_row.append(true);
    }

    fn append_turns(&mut self, row: &Row) {
        for turn in row.shown_turns() {
            self.turn_role.values().append_value(turn.role);
            self.turn_start.values().append_value(turn.start);
            self.turn_content_start.values().append_value(turn.content_start);
            self.turn_content_end.values().append_value(turn.content_end);
            self.turn_end.values().append_value(turn.end);
            self.turn_trained.values().append_value(turn.trained);
            self.turn_terminated.values().append_value(turn.terminated);
        }
        self.turn_role.append(true);
        self.turn_start.append(true);
        self.turn_content_start.append(true);
        self.turn_content_end.append(true);
        self.turn_end.append(true);
        self.turn_trained.append(true);
        self.turn_terminated.append(true);
    }

    fn append_spans(&mut self, row: &Row) {
        for span in &row.record.spans {
            self.span_end.values().append_value(span.tokens.end as u32);
            self.span_turn.values().append_option(span.turn);
            self.span_kind.values().append_value(span.kind.name());
            self.span_reason.values().append_value(span.reason.name());
            self.span_trained.values().append_value(span.trained);
            self.span_weight.values().append_value(span.weight);
        }
        self.span_end.append(true);
        self.span_turn.append(true);
        self.span_kind.append(true);
        self.span_reason.append(true);
        self.span_trained.append(true);
        self.span_weight.append(true);
    }

    /// In the schema's order.
    fn finish(&mut self) -> Vec<ArrayRef> {
        vec![
            ArrayBuilder::finish(&mut self.status),
            ArrayBuilder::finish(&mut self.source_file),
            ArrayBuilder::finish(&mut self.source_line),
            ArrayBuilder::finish(&mut self.source_row),
            ArrayBuilder::finish(&mut self.turn_role),
            ArrayBuilder::finish(&mut self.turn_start),
            ArrayBuilder::finish(&mut self.turn_content_start),
            ArrayBuilder::finish(&mut self.turn_content_end),
            ArrayBuilder::finish(&mut self.turn_end),
            ArrayBuilder::finish(&mut self.turn_trained),
            ArrayBuilder::finish(&mut self.turn_terminated),
            ArrayBuilder::finish(&mut self.span_end),
            ArrayBuilder::finish(&mut self.span_turn),
            ArrayBuilder::finish(&mut self.span_kind),
            ArrayBuilder::finish(&mut self.span_reason),
            ArrayBuilder::finish(&mut self.span_trained),
            ArrayBuilder::finish(&mut self.span_weight),
            ArrayBuilder::finish(&mut self.diagnostics),
        ]
    }
}
