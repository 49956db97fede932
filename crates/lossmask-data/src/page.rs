//! Rows for the page of `lossmask inspect --html`, in the form that `src/inspect/page/payload.ts` describes.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use lossmask_chat::Tokenizer;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{DataError, Prepared, Report, ShownDiagnosis, ShownRow};

/// Collects what the head of a page says of all rows, while the rows pass by in chunks.
#[derive(Default)]
pub struct Page {
    roles: Names,
    kinds: Names,
    reasons: Names,
    statuses: Names,
    files: Names,
    codes: Names,
    /// Severity and hint of each code: those of its first diagnosis.
    advice: Vec<(String, Option<String>)>,
    columns: Columns,
    per_role: BTreeMap<String, (u64, u64)>,
}

/// One entry per row.
#[derive(Default, Serialize)]
struct Columns {
    tokens: Vec<usize>,
    trained: Vec<usize>,
    status: Vec<u32>,
    file: Vec<u32>,
    line: Vec<u64>,
    codes: Vec<Vec<u32>>,
}

/// Names in order of appearance.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    places: BTreeMap<String, u32>,
}

impl Names {
    fn place(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.list.len() as u32;
        self.list.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }
}

/// The short keys keep ten thousand rows small.
#[derive(Serialize)]
struct PageRow {
    x: String,
    n: Vec<usize>,
    i: Vec<i32>,
    s: Vec<Value>,
    t: Vec<u32>,
    d: Vec<PageDiagnosis>,
}

#[derive(Serialize)]
struct PageDiagnosis {
    c: u32,
    m: String,
    s: Option<(u32, u32)>,
}

impl Page {
    /// Takes the next rows of a prepared folder and gives their chunk: base64 of gzipped JSON.
    ///
    /// The text is spelled from the tokens' own bytes, so that a character split over several tokens is shown whole.
    ///
    /// # Errors
    /// Those of [`Prepared::rows`].
    pub fn chunk(&mut self, prepared: &Prepared, split: &str, numbers: &[u64]) -> Result<String, DataError> {
        Ok(self.pack(&prepared.rows(split, numbers)?, prepared.tokenizer()))
    }

    fn pack(&mut self, rows: &[ShownRow], tokenizer: Option<&Tokenizer>) -> String {
        let rows: Vec<PageRow> = rows.iter().map(|row| self.row(row, tokenizer)).collect();
        let json = serde_json::to_vec(&rows).expect("rows are plain data");
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&json).expect("writing to memory");
        STANDARD.encode(packed.finish().expect("writing to memory"))
    }

    /// The head of the page, once every row has passed.
    pub fn head(&self, title: &str, facts: &[(String, String)], report: &Report, chunk_rows: usize) -> Value {
        let rows = self.columns.tokens.len();
        let codes: Vec<Value> = self.codes.list.iter().zip(&self.advice).map(code_json).collect();
        let per_role: Vec<Value> = self
            .per_role
            .iter()
            .map(|(role, (tokens, trained))| json!({ "role": role, "tokens": tokens, "trained": trained }))
            .collect();
        let dropped: Vec<Value> = report
            .dropped
            .iter()
            .chain(&report.rejected)
            .filter(|(_, rows)| **rows > 0)
            .map(|(reason, rows)| json!({ "reason": reason, "rows": rows }))
            .collect();
        json!({
            "title": title,
            "facts": facts,
            "roles": self.roles.list,
            "kinds": self.kinds.list,
            "reasons": self.reasons.list,
            "statuses": self.statuses.list,
            "codes": codes,
            "files": self.files.list,
            "rows": self.columns,
            "perRole": per_role,
            "dropped": dropped,
            "chunkRows": chunk_rows,
            "chunks": rows.div_ceil(chunk_rows.max(1)),
        })
    }

    fn row(&mut self, row: &ShownRow, tokenizer: Option<&Tokenizer>) -> PageRow {
        let turns: Vec<u32> = row.turns.iter().map(|turn| self.roles.place(&turn.role)).collect();
        let mut spans = Vec::with_capacity(row.spans.len() * 6);
        let mut trained = 0;
        for span in &row.spans {
            let length = span.end - span.start;
            if span.trained {
                trained += length as usize;
            }
            self.count(row, span.turn, length, span.trained);
            spans.extend([json!(length), json!(span.turn.map_or(-1, i64::from)), json!(self.kinds.place(&span.kind))]);
            spans.extend([json!(u8::from(span.trained)), json!(self.reasons.place(&span.reason)), json!(span.weight)]);
        }
        let diagnoses: Vec<PageDiagnosis> = row.diagnostics.iter().map(|each| self.diagnosis(each)).collect();
        self.column(row, trained, &diagnoses);
        let (text, lengths) = spell(row, tokenizer);
        PageRow { x: text, n: lengths, i: row.input_ids.clone(), s: spans, t: turns, d: diagnoses }
    }

    fn count(&mut self, row: &ShownRow, turn: Option<u32>, tokens: u32, trained: bool) {
        let Some(turn) = turn.and_then(|turn| row.turns.get(turn as usize)) else { return };
        let figures = self.per_role.entry(turn.role.clone()).or_default();
        figures.0 += u64::from(tokens);
        figures.1 += if trained { u64::from(tokens) } else { 0 };
    }

    fn column(&mut self, row: &ShownRow, trained: usize, diagnoses: &[PageDiagnosis]) {
        let mut codes: Vec<u32> = diagnoses.iter().map(|each| each.c).collect();
        codes.sort_unstable();
        codes.dedup();
        let place = row.sources.first();
        let file = place.map_or(Path::new(""), |place| &place.file);
        self.columns.tokens.push(row.input_ids.len());
        self.columns.trained.push(trained);
        self.columns.status.push(self.statuses.place(&row.status));
        self.columns.file.push(self.files.place(&file.to_string_lossy()));
        self.columns.line.push(place.map_or(0, |place| place.line.unwrap_or(place.row)));
        self.columns.codes.push(codes);
    }

    fn diagnosis(&mut self, diagnosis: &ShownDiagnosis) -> PageDiagnosis {
        let code = self.codes.place(&diagnosis.code);
        if code as usize == self.advice.len() {
            self.advice.push((diagnosis.severity.clone(), diagnosis.hint.clone()));
        }
        PageDiagnosis { c: code, m: diagnosis.message.clone(), s: diagnosis.start.zip(diagnosis.end) }
    }
}

fn code_json((code, (severity, hint)): (&String, &(String, Option<String>))) -> Value {
    json!({ "code": code, "severity": severity, "hint": hint })
}

/// The row's text and the length of each token's part of it, in UTF-16 units.
fn spell(row: &ShownRow, tokenizer: Option<&Tokenizer>) -> (String, Vec<usize>) {
    let Some(tokenizer) = tokenizer else {
        let lengths = row.tokens.iter().map(|token| token.encode_utf16().count()).collect();
        return (row.tokens.concat(), lengths);
    };
    spell_bytes(row.input_ids.iter().map(|id| tokenizer.token_bytes(*id)))
}

/// Joins the tokens' bytes. A character split over tokens counts for the token that completes it.
fn spell_bytes<'a>(tokens: impl Iterator<Item = &'a [u8]>) -> (String, Vec<usize>) {
    let mut text = String::new();
    let mut lengths = Vec::new();
    let mut open: Vec<u8> = Vec::new();
    for bytes in tokens {
        open.extend_from_slice(bytes);
        let whole = complete_prefix(&open);
        let part = String::from_utf8_lossy(&open[..whole]).into_owned();
        lengths.push(part.encode_utf16().count());
        text.push_str(&part);
        open.drain(..whole);
    }
    if !open.is_empty() {
        text.push('\u{FFFD}');
        if let Some(last) = lengths.last_mut() {
            *last += 1;
        }
    }
    (text, lengths)
}

/// Length of what can be shown: all but a character that has begun and may still be completed.
fn complete_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match std::str::from_utf8(&bytes[at..]) {
            Ok(_) => return bytes.len(),
            Err(error) => {
                at += error.valid_up_to();
                match error.error_len() {
                    Some(wrong) => at += wrong,
                    None => return at,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::spell_bytes;

    #[test]
    fn a_split_character_counts_for_the_token_that_completes_it() {
        let fox = "🦊".as_bytes();
        let (text, lengths) =
            spell_bytes([b"a".as_slice(), &fox[..1], &fox[1..3], &fox[3..], "é".as_bytes()].into_iter());
        assert_eq!(text, "a🦊é");
        assert_eq!(lengths, [1, 0, 0, 2, 1]);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such() {
        let (text, lengths) = spell_bytes([b"a\xFFb".as_slice(), b"\xE2\x82".as_slice()].into_iter());
        assert_eq!(text, "a\u{FFFD}b\u{FFFD}");
        assert_eq!(lengths, [3, 1]);
    }
}
