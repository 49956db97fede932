//! CSV and TSV: the first line names the columns, a row is an object of texts.
//!
//! An empty field is null, as in `datasets`. Unlike there, where pandas guesses types, `007` and `NA` stay the texts they are.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use super::container::Bounded;
use super::open::{READ_BUFFER, Text, read_error};
use super::text::push_json;
use super::{Chunk, Source, TextChunk};
use crate::DataError;

pub(super) struct Table {
    path: Arc<Path>,
    reader: Reader<Bounded<Text>>,
    names: Vec<Vec<u8>>,
    record: ByteRecord,
    row: u64,
    max_row_bytes: usize,
    left: Arc<AtomicUsize>,
    /// Lines that the reader's count lags: it takes a row to end at the first of its two line-break bytes.
    lag: u64,
}

impl Table {
    /// `text` begins at the line with the columns' names.
    pub fn new(path: Arc<Path>, mut text: Text, delimiter: u8, max_row_bytes: usize) -> Result<Self, DataError> {
        let head = text.fill_buf().map_err(|error| read_error(&path, 1, &error))?;
        let newline = head.iter().position(|&byte| byte == b'\n').unwrap_or(0);
        let lag = u64::from(newline > 0 && head[newline - 1] == b'\r');
        let left = Arc::new(AtomicUsize::new(0));
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Bounded::new(text, Arc::clone(&left)));
        let record = ByteRecord::new();
        let mut table = Table { path, reader, names: Vec::new(), record, row: 0, max_row_bytes, left, lag };
        if table.read()? {
            table.names = table.record.iter().map(json_text).collect();
        }
        Ok(table)
    }

    fn read(&mut self) -> Result<bool, DataError> {
        self.left.store(self.max_row_bytes.saturating_add(4 * READ_BUFFER), Ordering::Relaxed);
        let line = self.reader.position().line();
        self.reader.read_byte_record(&mut self.record).map_err(|error| match error.into_kind() {
            ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::OutOfMemory => {
                let mut out = DataError::new(
                    "row-too-large",
                    format!("a row is longer than the limit of {} bytes", self.max_row_bytes),
                )
                .hint("is a closing quote missing?")
                .in_file(&self.path);
                out.line = Some(line);
                out
            }
            ErrorKind::Io(error) => read_error(&self.path, line, &error),
            other => invalid(&self.path, line, &format!("{other:?}")),
        })
    }

    /// Where the row in hand begins.
    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line) + self.lag
    }

    fn write_row(&self, bytes: &mut Vec<u8>) -> Result<(), DataError> {
        if self.record.len() > self.names.len() {
            let line = self.line();
            let what = format!("{} fields in a table of {} columns", self.record.len(), self.names.len());
            return Err(invalid(&self.path, line, &what));
        }
        bytes.push(b'{');
        for (index, name) in self.names.iter().enumerate() {
            if index > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(name);
            bytes.push(b':');
            match self.record.get(index) {
                None | Some(b"") => bytes.extend_from_slice(b"null"),
                Some(field) => push_json(bytes, field),
            }
        }
        bytes.push(b'}');
        Ok(())
    }
}

impl Source for Table {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        let mut chunk = TextChunk::new(Arc::clone(&self.path), self.row);
        while !chunk.is_full() && self.read()? {
            let line = self.line();
            let size = self.record.as_slice().len();
            if size > self.max_row_bytes {
                chunk.end_row(line, Some(size as u64));
            } else {
                self.write_row(&mut chunk.bytes)?;
                chunk.end_row(line, None);
            }
        }
        self.row += chunk.rows.len() as u64;
        Ok(chunk.finish())
    }
}

fn json_text(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len() + 2);
    push_json(&mut out, field);
    out
}

fn invalid(path: &Path, line: u64, what: &str) -> DataError {
    let mut out = DataError::new("invalid-csv", format!("not a table that can be read: {what}"))
        .hint("quote fields that hold the delimiter or a line break, and double the quotes in them")
        .in_file(path);
    out.line = Some(line);
    out
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::atomic::AtomicU64;

    use base64::Engine;
    use serde_json::{Value, json};

    use super::*;
    use crate::Format;
    use crate::source::{SourceOptions, open};

    /// The rows of a file, with their lines.
    fn read(name: &str, bytes: &[u8], format: Option<Format>) -> Result<Vec<(Option<u64>, Value)>, DataError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        let options = SourceOptions { format, max_row_bytes: 1000, bytes_read: Arc::new(AtomicU64::new(0)) };
        let mut source = open(&path, options)?;
        let mut rows = Vec::new();
        while let Some(chunk) = source.next_chunk()? {
            for index in 0..chunk.len() {
                rows.push((chunk.place(index).line, chunk.parse(index, 1000)?));
            }
        }
        Ok(rows)
    }

    #[test]
    fn a_table_is_objects_of_texts() {
        let table = "\u{feff}q,a \"b\"\r\n007,\"two\r\nlines, \"\"quoted\"\"\"\r\n,NA\r\nshort\r\n";
        let expected = [
            (Some(2), json!({ "q": "007", "a \"b\"": "two\r\nlines, \"quoted\"" })),
            (Some(4), json!({ "q": null, "a \"b\"": "NA" })),
            (Some(5), json!({ "q": "short", "a \"b\"": null })),
        ];
        assert_eq!(read("rows.csv", table.as_bytes(), None).unwrap(), expected);
        assert_eq!(read("rows", table.as_bytes(), Some(Format::Csv)).unwrap(), expected);
        let tabs = "a\tb\n1,5\t2\n";
        let expected = [(Some(2), json!({ "a": "1,5", "b": "2" }))];
        assert_eq!(read("rows.tsv", tabs.as_bytes(), None).unwrap(), expected);
        assert_eq!(read("rows.tsv", tabs.as_bytes(), Some(Format::Csv)).unwrap(), expected);
    }

    #[test]
    fn what_is_no_table_is_told() {
        let code = |bytes: &[u8]| {
            let error = read("rows.csv", bytes, None).unwrap_err();
            (error.code, error.line)
        };
        assert_eq!(code(b"a,b\n1,2\n1,2,3\n"), ("invalid-csv", Some(3)));
        assert_eq!(code(b"a\n\xff\n"), ("invalid-utf8", Some(2)));
        let endless = [b"a\n\"".as_slice(), &vec![b'x'; 3 << 20]].concat();
        assert_eq!(code(&endless), ("row-too-large", Some(2)));
    }

    #[test]
    fn each_line_of_a_text_is_a_row() {
        let expected = |texts: &[&str]| -> Vec<(Option<u64>, Value)> {
            texts.iter().enumerate().map(|(at, text)| (Some(at as u64 + 1), json!({ "text": text }))).collect()
        };
        let found = read("a.txt", b"one \"1\"\r\n\n\ttwo\\\nlast", None).unwrap();
        assert_eq!(found, expected(&["one \"1\"", "", "\ttwo\\", "last"]));
        assert_eq!(read("a.txt.gz", b"x\n", None).unwrap(), expected(&["x"]));
    }

    #[test]
    fn a_deflated_archive_of_one_file_is_read() {
        let archive = "UEsDBBQAAAAIAHE7fV0EuCMwIgAAAOYAAAARAAAAZm9sZGVyL3Jvd3MuanNvbmyrVspMKVayUog21FEw0lEwjtVRUCpITAGKKCUOE6BUywUAUEsBAhQDFAAAAAgAcTt9XQS4IzAiAAAA5gAAABEAAAAAAAAAAAAAAIABAAAAAGZvbGRlci9yb3dzLmpzb25sUEsFBgAAAAABAAEAPwAAAFEAAAAAAA==";
        let bytes = base64::engine::general_purpose::STANDARD.decode(archive).unwrap();
        let rows = read("rows.zip", &bytes, None).unwrap();
        assert_eq!(rows[0].1["ids"], json!([1, 2, 3]));
    }
}
