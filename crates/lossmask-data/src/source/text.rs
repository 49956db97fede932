//! Plain text: each line is a row, `{"text": "..."}`, blank ones too, as in `datasets`.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use super::open::{Text, read_error};
use super::{Chunk, Source, TextChunk};
use crate::DataError;

pub(super) struct TextLines {
    path: Arc<Path>,
    text: Text,
    row: u64,
    max_row_bytes: usize,
    line: Vec<u8>,
}

impl TextLines {
    pub fn new(path: Arc<Path>, text: Text, max_row_bytes: usize) -> Self {
        TextLines { path, text, row: 0, max_row_bytes, line: Vec::new() }
    }

    /// Reads the next line into `line`, and tells its length; `None` at the end. What is too long is read over.
    fn read_line(&mut self, number: u64) -> Result<Option<u64>, DataError> {
        self.line.clear();
        let mut length = 0;
        let mut begun = false;
        loop {
            let buffer = self.text.fill_buf().map_err(|error| read_error(&self.path, number, &error))?;
            if buffer.is_empty() {
                return Ok(begun.then_some(length));
            }
            begun = true;
            let newline = buffer.iter().position(|&byte| byte == b'\n');
            let part = newline.unwrap_or(buffer.len());
            length += part as u64;
            if length <= self.max_row_bytes as u64 {
                self.line.extend_from_slice(&buffer[..part]);
            }
            self.text.consume(part + usize::from(newline.is_some()));
            if newline.is_some() {
                return Ok(Some(length));
            }
        }
    }
}

impl Source for TextLines {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        let mut chunk = TextChunk::new(Arc::clone(&self.path), self.row);
        while !chunk.is_full() {
            let number = self.row + chunk.rows.len() as u64 + 1;
            let Some(length) = self.read_line(number)? else { break };
            if length > self.max_row_bytes as u64 {
                chunk.end_row(number, Some(length));
                continue;
            }
            let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
            chunk.bytes.extend_from_slice(b"{\"text\":");
            push_json(&mut chunk.bytes, line);
            chunk.bytes.push(b'}');
            chunk.end_row(number, None);
        }
        self.row += chunk.rows.len() as u64;
        Ok(chunk.finish())
    }
}

/// Appends bytes as a JSON string. Bytes that are no UTF-8 stay, so that the row's own check finds them.
pub(super) fn push_json(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
