//! Data files as a stream of chunks of rows. A chunk is cut but not parsed: parsing is done by the workers.

mod columns;
mod container;
mod json_array;
mod lines;
mod moment;
mod open;
mod table;
mod text;
mod value;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow_array::RecordBatch;
use lossmask_chat::json;
use serde_json::Value;

use crate::{DataError, Format, Place};
pub(crate) use value::row as row_value;

/// Most rows in a chunk: small enough to keep all workers busy on small files.
const CHUNK_ROWS: usize = 64;
/// A chunk is closed once it holds this much text.
const CHUNK_BYTES: usize = 256 << 10;

/// Some consecutive rows of one file.
pub(crate) struct Chunk {
    /// The file they stand in.
    pub file: Arc<Path>,
    /// Number of the first one in the file, from 0.
    pub first_row: u64,
    rows: Rows,
}

enum Rows {
    Text { bytes: Vec<u8>, rows: Vec<TextRow> },
    Columns(RecordBatch),
}

/// One row of text, cut out of its file.
struct TextRow {
    end: usize,
    line: u64,
    /// Bytes of the row when it was too large to be kept.
    oversize: Option<u64>,
}

/// A data file, read from its beginning to its end.
pub(crate) trait Source: Send {
    /// The next rows; `None` behind the last one. An error is about the file and ends it.
    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError>;

    /// How many rows the file has, where it says so itself.
    fn rows(&self) -> Option<u64> {
        None
    }
}

/// What a file is opened with.
pub(crate) struct SourceOptions {
    /// Its format, unless the name and the first bytes are to tell.
    pub format: Option<Format>,
    /// Largest row in bytes.
    pub max_row_bytes: usize,
    /// Counts the bytes read from disk.
    pub bytes_read: Arc<AtomicU64>,
}

/// Opens a data file. Errors: `file-not-found`, `file-unreadable`, `is-a-directory`, `empty-file`, `unknown-format`,
/// `wrong-format`, `unsupported-compression`, `corrupt-file`.
pub(crate) fn open(file: &Path, options: SourceOptions) -> Result<Box<dyn Source>, DataError> {
    open::open(file, options)
}

/// Lines of JSON that are in memory. Rows are counted from 0, lines from `first_line`.
pub(crate) fn lines(
    name: Arc<Path>,
    text: impl Read + Send + 'static,
    first_line: u64,
    max_row_bytes: usize,
) -> impl Source {
    lines::Lines::new(name, open::Text::new(Box::new(text)), first_line, max_row_bytes)
}

impl Chunk {
    /// How many rows it holds.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Text { rows, .. } => rows.len(),
            Rows::Columns(batch) => batch.num_rows(),
        }
    }

    /// Where a row stands.
    pub fn place(&self, index: usize) -> Place {
        let line = match &self.rows {
            Rows::Text { rows, .. } => Some(rows[index].line),
            Rows::Columns(_) => None,
        };
        Place { file: self.file.to_path_buf(), line, row: self.first_row + index as u64 }
    }

    /// The row's value, or why it has none.
    pub fn parse(&self, index: usize, max_row_bytes: usize) -> Result<Value, DataError> {
        let value = match &self.rows {
            Rows::Text { bytes, rows } => {
                let row = &rows[index];
                if let Some(size) = row.oversize {
                    return Err(too_large(size, max_row_bytes).at(&self.place(index)));
                }
                parse_text(&bytes[self.text_range(index)]).map_err(|(column, error)| {
                    let mut error = error.at(&self.place(index));
                    error.column = column;
                    error
                })?
            }
            Rows::Columns(batch) => value::row(batch, index).map_err(|error| error.at(&self.place(index)))?,
        };
        if value.is_object() { Ok(value) } else { Err(not_an_object(&value).at(&self.place(index))) }
    }

    /// The row as it stands in its file, for `rejected.jsonl`; for a row of columns the JSON made of it.
    pub fn raw(&self, index: usize) -> String {
        match &self.rows {
            Rows::Text { bytes, .. } => String::from_utf8_lossy(&bytes[self.text_range(index)]).into_owned(),
            Rows::Columns(batch) => value::row(batch, index).map_or_else(|_| "{}".to_owned(), |row| row.to_string()),
        }
    }

    /// Keeps the rows of the given numbers in the file only.
    pub fn retain(self, keep: impl Fn(u64) -> bool) -> Vec<Chunk> {
        (0..self.len())
            .filter(|&index| keep(self.first_row + index as u64))
            .map(|index| Chunk {
                file: Arc::clone(&self.file),
                first_row: self.first_row + index as u64,
                rows: match &self.rows {
                    Rows::Text { bytes, rows } => {
                        let bytes = bytes[self.text_range(index)].to_vec();
                        let rows =
                            vec![TextRow { end: bytes.len(), line: rows[index].line, oversize: rows[index].oversize }];
                        Rows::Text { bytes, rows }
                    }
                    Rows::Columns(batch) => Rows::Columns(batch.slice(index, 1)),
                },
            })
            .collect()
    }

    fn text_range(&self, index: usize) -> std::ops::Range<usize> {
        match &self.rows {
            Rows::Text { rows, .. } => index.checked_sub(1).map_or(0, |before| rows[before].end)..rows[index].end,
            Rows::Columns(_) => 0..0,
        }
    }
}

/// Collects rows of text until a chunk is full.
struct TextChunk {
    file: Arc<Path>,
    first_row: u64,
    bytes: Vec<u8>,
    rows: Vec<TextRow>,
}

impl TextChunk {
    fn new(file: Arc<Path>, first_row: u64) -> Self {
        TextChunk { file, first_row, bytes: Vec::with_capacity(CHUNK_BYTES), rows: Vec::with_capacity(CHUNK_ROWS) }
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= CHUNK_ROWS || self.bytes.len() >= CHUNK_BYTES
    }

    fn end_row(&mut self, line: u64, oversize: Option<u64>) {
        self.rows.push(TextRow { end: self.bytes.len(), line, oversize });
    }

    fn finish(self) -> Option<Chunk> {
        let rows = Rows::Text { bytes: self.bytes, rows: self.rows };
        let chunk = Chunk { file: self.file, first_row: self.first_row, rows };
        (chunk.len() > 0).then_some(chunk)
    }
}

/// A row that stands in no file.
pub(crate) fn parse_row(text: &[u8]) -> Result<Value, DataError> {
    let value = parse_text(text).map_err(|(column, mut error)| {
        error.column = column;
        error
    })?;
    if value.is_object() { Ok(value) } else { Err(not_an_object(&value)) }
}

/// The value of one row's text, or the column and what is wrong there.
fn parse_text(text: &[u8]) -> Result<Value, (Option<u64>, DataError)> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let at = error.valid_up_to();
        let message = format!("byte 0x{:02x} is not UTF-8", text[at]);
        let hint = "save the file as UTF-8, or leave the row out with `--on-error skip`";
        (Some(at as u64 + 1), DataError::new("invalid-utf8", message).hint(hint))
    })?;
    json::parse(text).map_err(|error| {
        let column = (error.line() == 1).then_some(error.column() as u64);
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or(&what);
        let error = if error.is_eof() {
            DataError::new("invalid-json", format!("the JSON stops in the middle: {what}"))
                .hint("each line must hold one whole JSON object; a pretty-printed file must be one JSON array with the extension .json")
        } else {
            DataError::new("invalid-json", format!("not valid JSON: {what}"))
                .hint("correct the line, or leave it out with `--on-error skip`")
        };
        (column, error)
    })
}

fn too_large(size: u64, limit: usize) -> DataError {
    let message = format!("the row is {size} bytes long, the limit is {limit}");
    DataError::new("row-too-large", message)
        .hint("is a line break missing? Otherwise raise the limit, or leave the row out with `--on-error skip`")
}

fn not_an_object(value: &Value) -> DataError {
    let what = match value {
        Value::Array(_) => "an array",
        Value::String(_) => "a string",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        _ => "a number",
    };
    DataError::new("row-not-an-object", format!("the row is {what}, not an object"))
        .hint("a row is an object like {\"messages\": [...]}")
}
