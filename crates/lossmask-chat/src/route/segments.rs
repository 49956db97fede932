//! axolotl's template-free `input_output` rows: `{segments: [{label, text}]}`.

use lossmask::{Reason, Record, Span, TokenKind};
use serde_json::Value;

use crate::message::wrong_type;
use crate::row::RowError;
use crate::tokenizer::Tokenizer;

/// What the segments become beside their text.
pub(crate) struct Segments<'a> {
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) train_on_inputs: bool,
    /// Ids that are never trained.
    pub(crate) ignored: &'a [i32],
}

impl Segments<'_> {
    /// Each segment is tokenized as it is, on its own: nothing is added, and no token reaches over a border.
    pub(crate) fn encode(&self, row: &Value) -> Result<(Vec<i32>, Record), RowError> {
        let row = row.as_object().ok_or_else(|| wrong_type("row-not-an-object", None, "the row", "an object", row))?;
        let list = match row.get("segments") {
            Some(Value::Array(list)) => list,
            Some(other) => {
                return Err(wrong_type("wrong-type", Some("segments".to_owned()), "the segments", "a list", other));
            }
            None => {
                return Err(RowError {
                    code: "missing-field",
                    path: Some("segments".to_owned()),
                    message: "the row has no field `segments`".to_owned(),
                    hint: Some("an input_output row is {segments: [{label: true, text: \"...\"}]}".to_owned()),
                });
            }
        };
        let mut ids = Vec::new();
        let mut record = Record::default();
        for (index, segment) in list.iter().enumerate() {
            let path = |key: &str| format!("segments[{index}].{key}");
            let label = match segment.get("label") {
                Some(Value::Bool(label)) => *label,
                Some(other) => {
                    return Err(wrong_type("wrong-type", Some(path("label")), "the label", "true or false", other));
                }
                None => return Err(missing(path("label"))),
            };
            let text = match segment.get("text") {
                Some(Value::String(text)) => text,
                Some(other) => return Err(wrong_type("wrong-type", Some(path("text")), "the text", "a string", other)),
                None => return Err(missing(path("text"))),
            };
            let start = ids.len();
            ids.extend(self.tokenizer.encode_ids(text));
            let (trained, reason) = match (label, self.train_on_inputs) {
                (true, _) => (true, Reason::Segment),
                (false, true) => (true, Reason::TrainOnInputs),
                (false, false) => (false, Reason::SegmentOff),
            };
            self.push(&mut record, &ids, start, trained, reason);
        }
        Ok((ids, record))
    }

    /// Appends the tokens from `start` on, with ignored ids taken out.
    fn push(&self, record: &mut Record, ids: &[i32], start: usize, trained: bool, reason: Reason) {
        let mut from = start;
        for (at, id) in ids.iter().enumerate().skip(start) {
            if self.ignored.contains(id) {
                push(record, from..at, TokenKind::Content, trained, reason);
                push(record, at..at + 1, TokenKind::Media, false, Reason::Media);
                from = at + 1;
            }
        }
        push(record, from..ids.len(), TokenKind::Content, trained, reason);
    }
}

fn push(record: &mut Record, tokens: std::ops::Range<usize>, kind: TokenKind, trained: bool, reason: Reason) {
    if !tokens.is_empty() {
        let weight = if trained { 1.0 } else { 0.0 };
        record.spans.push(Span { tokens, turn: None, kind, trained, reason, weight });
    }
}

fn missing(path: String) -> RowError {
    let hint = "an input_output row is {segments: [{label: true, text: \"...\"}]}";
    RowError {
        code: "missing-field",
        message: format!("`{path}` is missing"),
        path: Some(path),
        hint: Some(hint.to_owned()),
    }
}
