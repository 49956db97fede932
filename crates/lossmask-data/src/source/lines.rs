//! One JSON object per line.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use super::open::{Text, read_error};
use super::{Chunk, Source, TextChunk};
use crate::DataError;

pub(super) struct Lines {
    path: Arc<Path>,
    text: Text,
    line: u64,
    row: u64,
    max_row_bytes: usize,
}

impl Lines {
    pub fn new(path: Arc<Path>, text: Text, line: u64, max_row_bytes: usize) -> Self {
        Lines { path, text, line, row: 0, max_row_bytes }
    }

    /// Appends the next line without its end; `None` at the end of the file. A line that is too long is read over, and
    /// its length returned.
    fn read_line(&mut self, bytes: &mut Vec<u8>) -> Result<Option<LineLength>, DataError> {
        let begin = bytes.len();
        let mut length = 0;
        loop {
            let buffer = self.text.fill_buf().map_err(|error| read_error(&self.path, self.line, &error))?;
            if buffer.is_empty() {
                return Ok((length > 0).then(|| self.end_line(bytes, begin, length)));
            }
            let newline = buffer.iter().position(|&byte| byte == b'\n');
            let part = newline.unwrap_or(buffer.len());
            if length + part <= self.max_row_bytes {
                bytes.extend_from_slice(&buffer[..part]);
            }
            length += part;
            self.text.consume(part + usize::from(newline.is_some()));
            if newline.is_some() {
                return Ok(Some(self.end_line(bytes, begin, length)));
            }
        }
    }

    fn end_line(&self, bytes: &mut Vec<u8>, begin: usize, length: usize) -> LineLength {
        if length > self.max_row_bytes {
            bytes.truncate(begin);
            return LineLength::TooLong(length as u64);
        }
        if bytes[begin..].iter().all(u8::is_ascii_whitespace) {
            bytes.truncate(begin);
            return LineLength::Blank;
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        LineLength::Row
    }
}

enum LineLength {
    Blank,
    Row,
    TooLong(u64),
}

impl Source for Lines {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        let mut chunk = TextChunk::new(Arc::clone(&self.path), self.row);
        while !chunk.is_full() {
            let Some(length) = self.read_line(&mut chunk.bytes)? else { break };
            match length {
                LineLength::Blank => {}
                LineLength::Row => chunk.end_row(self.line, None),
                LineLength::TooLong(bytes) => chunk.end_row(self.line, Some(bytes)),
            }
            self.line += 1;
        }
        self.row += chunk.rows.len() as u64;
        Ok(chunk.finish())
    }
}

/// Reads over a byte order mark and white space, and tells the first byte behind them.
pub(super) fn skip_blank(text: &mut Text, line: &mut u64, path: &Path) -> Result<Option<u8>, DataError> {
    let mut at_start = true;
    loop {
        let buffer = text.fill_buf().map_err(|error| read_error(path, *line, &error))?;
        if at_start && buffer.starts_with(b"\xef\xbb\xbf") {
            at_start = false;
            text.consume(3);
            continue;
        }
        at_start = false;
        let Some(&byte) = buffer.first() else { return Ok(None) };
        if !byte.is_ascii_whitespace() {
            return Ok(Some(byte));
        }
        *line += u64::from(byte == b'\n');
        text.consume(1);
    }
}
