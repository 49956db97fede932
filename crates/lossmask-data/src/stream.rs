//! Rows that do not come from files: one by one, or as the lines of a stream.

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use crate::figures::Figures;
use crate::pipeline::{ChunkRules, Outcome, RowEncoder};
use crate::report::{Report, ShownRow};
use crate::source::{self, Source};
use crate::writer::{Columns, RowLines};
use crate::{DataError, OnError, PipelineSpec};

/// Encodes rows as a run over the spec's first dataset would, without reading or writing files. Immutable: share it
/// between threads as it is.
pub struct RowStream<E> {
    encoder: E,
    rules: ChunkRules,
    columns: Columns,
    on_error: OnError,
    max_row_bytes: usize,
}

/// What became of some lines.
pub struct LinesOut {
    /// The rows written, as JSON lines.
    pub lines: Vec<u8>,
    /// How many lines were read, blank ones included: the next piece begins that much later.
    pub line_count: u64,
    /// Rows that cannot be encoded, in their order. Under `on_error: fail` at most one, and nothing behind it.
    pub rejected: Vec<DataError>,
    /// What was written and dropped.
    pub report: Report,
}

impl<E: RowEncoder> RowStream<E> {
    /// A stream under the rules of `spec`, whose files and output are left aside.
    pub fn new(spec: &PipelineSpec, encoder: E) -> Self {
        RowStream {
            encoder,
            rules: ChunkRules::new(spec),
            columns: Columns { packing: false, ..spec.columns() },
            on_error: spec.on_error,
            max_row_bytes: spec.max_row_bytes,
        }
    }

    /// One row in full, from its JSON.
    ///
    /// # Errors
    /// The row is at fault.
    pub fn row(&self, json: &str) -> Result<ShownRow, DataError> {
        let value = source::parse_row(json.as_bytes())?;
        let row = self.rules.encode_value(&value, &self.encoder)?;
        let texts = self.encoder.token_texts(&row.ids);
        Ok(row.show("train", 0, texts))
    }

    /// Whole lines of JSON in, lines of `input_ids`, `labels` and `attention_mask` out. `name` is what messages call the
    /// stream, `first_line` the number of the first line, from 1.
    ///
    /// # Errors
    /// When lossmask itself is at fault; what is wrong with a row is in [`LinesOut::rejected`].
    pub fn lines(&self, bytes: Vec<u8>, name: &str, first_line: u64) -> Result<LinesOut, DataError> {
        let line_count = bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let unended = bytes.last().is_some_and(|&byte| byte != b'\n');
        let mut source = source::lines(Arc::from(Path::new(name)), Cursor::new(bytes), first_line, self.max_row_bytes);
        let (mut figures, mut rejected, mut out) = (Figures::default(), Vec::new(), RowLines::new(self.columns));
        'chunks: while let Some(chunk) = source.next_chunk()? {
            let encoded = self.rules.encode(&chunk, 0, &self.encoder, || false);
            figures.add(encoded.figures);
            for outcome in encoded.rows {
                match outcome {
                    Outcome::Row { row, .. } => out.append(&row)?,
                    Outcome::Bad { error, .. } => {
                        figures.reject(&error);
                        rejected.push(error);
                        if self.on_error == OnError::Fail {
                            break 'chunks;
                        }
                    }
                }
            }
        }
        Ok(LinesOut {
            lines: out.finish()?,
            line_count: line_count + u64::from(unended),
            rejected,
            report: figures.into_report(),
        })
    }
}
