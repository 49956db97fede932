//! One JSON array of objects, cut into its elements without reading it as a whole.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use super::open::{Text, read_error};
use super::{Chunk, Source, TextChunk};
use crate::DataError;

/// Where the reader stands between elements.
#[derive(Clone, Copy, PartialEq)]
enum State {
    /// In front of the `[`.
    Before,
    /// Behind the `[`, or behind a comma.
    Element,
    /// Behind an element.
    Separator,
    /// Behind the `]`.
    After,
}

pub(super) struct JsonArray {
    path: Arc<Path>,
    text: Text,
    line: u64,
    row: u64,
    max_row_bytes: usize,
    state: State,
    first: bool,
}

impl JsonArray {
    /// `text` stands at the `[`.
    pub fn new(path: Arc<Path>, text: Text, line: u64, max_row_bytes: usize) -> Self {
        JsonArray { path, text, line, row: 0, max_row_bytes, state: State::Before, first: true }
    }

    fn peek(&mut self) -> Result<Option<u8>, DataError> {
        let buffer = self.text.fill_buf().map_err(|error| read_error(&self.path, self.line, &error))?;
        Ok(buffer.first().copied())
    }

    /// The next byte that is not white space, not consumed.
    fn peek_token(&mut self) -> Result<Option<u8>, DataError> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.line += u64::from(byte == b'\n');
            self.text.consume(1);
        }
        Ok(None)
    }

    /// Goes to the next element; `false` behind the last one.
    fn next_element(&mut self) -> Result<bool, DataError> {
        loop {
            let token = self.peek_token()?;
            match (self.state, token) {
                (State::Before, Some(_)) => self.state = State::Element,
                (State::Element, Some(b']')) if self.first => self.state = State::After,
                (State::Element, Some(byte)) if byte != b',' && byte != b']' => return Ok(true),
                (State::Separator, Some(b',')) => self.state = State::Element,
                (State::Separator, Some(b']')) => self.state = State::After,
                (State::After, None) => return Ok(false),
                (State::After, Some(_)) => {
                    return Err(self.broken("there is more behind the closing bracket of the array"));
                }
                (_, None) => {
                    return Err(
                        self.broken("the array is not closed: the file is cut off, or a bracket or quote is missing")
                    );
                }
                (_, Some(byte)) => {
                    return Err(
                        self.broken(&format!("a comma or an element is missing before `{}`", byte.escape_ascii()))
                    );
                }
            }
            self.text.consume(1);
        }
    }

    fn broken(&self, what: &str) -> DataError {
        let mut error = DataError::new("invalid-json", what)
            .hint("a .json file holds one array of objects, or one object per line")
            .in_file(&self.path);
        error.line = Some(self.line);
        error
    }

    /// Appends one element's text. Its length when it was too large to be kept.
    fn read_element(&mut self, bytes: &mut Vec<u8>) -> Result<Option<u64>, DataError> {
        let begin = bytes.len();
        let mut cut = ElementCut::default();
        let mut length = 0;
        loop {
            let buffer = self.text.fill_buf().map_err(|error| read_error(&self.path, self.line, &error))?;
            let (part, done) = match buffer.is_empty() {
                true => (0, true),
                false => cut.scan(buffer),
            };
            if length + part <= self.max_row_bytes {
                bytes.extend_from_slice(&buffer[..part]);
            }
            length += part;
            self.line += buffer[..part].iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.text.consume(part);
            if done {
                break;
            }
        }
        if length > self.max_row_bytes {
            bytes.truncate(begin);
            return Ok(Some(length as u64));
        }
        Ok(None)
    }
}

/// Finds the end of a JSON value by its brackets and quotes.
#[derive(Default)]
struct ElementCut {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl ElementCut {
    /// How many bytes of `buffer` belong to the value, and whether it ends there.
    fn scan(&mut self, buffer: &[u8]) -> (usize, bool) {
        for (at, &byte) in buffer.iter().enumerate() {
            if self.escaped {
                self.escaped = false;
            } else if self.in_string {
                self.escaped = byte == b'\\';
                self.in_string = byte != b'"';
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'[' | b'{' => self.depth += 1,
                    b']' | b'}' if self.depth > 0 => self.depth -= 1,
                    b',' | b']' | b'}' if self.depth == 0 => return (at, true),
                    _ => {}
                }
            }
        }
        (buffer.len(), false)
    }
}

impl Source for JsonArray {
    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        let mut chunk = TextChunk::new(Arc::clone(&self.path), self.row);
        while !chunk.is_full() && self.next_element()? {
            let line = self.line;
            let oversize = self.read_element(&mut chunk.bytes)?;
            chunk.end_row(line, oversize);
            self.first = false;
            self.state = State::Separator;
        }
        self.row += chunk.rows.len() as u64;
        Ok(chunk.finish())
    }
}
