//! axolotl's template-free `input_output` rows: `{segments: [{label, text}]}`.

use std::ops::Range;

use lossmask::{Reason, Record, Span, TokenKind};
use serde_json::Value;

use crate::media::{MediaStep, Placed};
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

/// The tokens of all segments; media that stand for many are one token still.
pub(crate) struct SegmentTokens {
    pub(crate) ids: Vec<i32>,
    pub(crate) record: Record,
    /// Bytes of the tokens in the text, where there are media and they are known.
    pub(crate) spans: Option<Vec<Range<usize>>>,
    pub(crate) placed: Vec<Placed>,
}

/// One segment: whether it is trained, and its text.
struct Segment<'r> {
    label: bool,
    text: &'r str,
}

impl Segments<'_> {
    /// Each segment is tokenized as it is, on its own: nothing is added, and no token reaches over a border. A row's columns of media
    /// take the places of the placeholders that its segments hold.
    pub(crate) fn encode(&self, row: &Value, media: Option<&MediaStep>) -> Result<SegmentTokens, RowError> {
        let segments = read(row)?;
        let mut borders = Vec::with_capacity(segments.len() + 1);
        let mut text = String::new();
        for segment in &segments {
            borders.push(text.len());
            text.push_str(segment.text);
        }
        borders.push(text.len());
        let mut placed = Vec::new();
        if let Some(step) = media {
            let items = step.collect_columns(row)?;
            if !items.is_empty() {
                let within = |bytes: &Range<usize>| borders.partition_point(|border| *border <= bytes.start);
                let stands = |bytes: &Range<usize>, _| bytes.end <= borders[within(bytes)];
                let spliced = step.splice(self.tokenizer, items, &text, "the segments hold", stands)?;
                borders.iter_mut().for_each(|border| *border = spliced.offset(*border));
                (text, placed) = (spliced.text, spliced.placed);
            }
        }
        let (ids, record, spans) = self.encode_text(&segments, &text, &borders, !placed.is_empty());
        Ok(SegmentTokens { ids, record, spans, placed })
    }

    /// Ids, what they are, and with `spelled` their bytes in the text where those are known.
    fn encode_text(
        &self,
        segments: &[Segment<'_>],
        text: &str,
        borders: &[usize],
        spelled: bool,
    ) -> (Vec<i32>, Record, Option<Vec<Range<usize>>>) {
        let mut ids = Vec::new();
        let mut record = Record::default();
        let mut spans = spelled.then(Vec::new);
        for (segment, border) in segments.iter().zip(borders.windows(2)) {
            let first = ids.len();
            let text = &text[border[0]..border[1]];
            match spans.take() {
                None => ids.extend(self.tokenizer.encode_ids(text)),
                Some(mut all) => {
                    let encoded = self.tokenizer.encode(text);
                    ids.extend(encoded.ids);
                    spans = encoded.spans.map(|own| {
                        all.extend(own.into_iter().map(|span| span.start + border[0]..span.end + border[0]));
                        all
                    });
                }
            }
            let (trained, reason) = match (segment.label, self.train_on_inputs) {
                (true, _) => (true, Reason::Segment),
                (false, true) => (true, Reason::TrainOnInputs),
                (false, false) => (false, Reason::SegmentOff),
            };
            self.push(&mut record, &ids, first, trained, reason);
        }
        (ids, record, spans)
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

/// The segments of a row.
fn read(row: &Value) -> Result<Vec<Segment<'_>>, RowError> {
    let row = row.as_object().ok_or_else(|| wrong_type("row-not-an-object", None, "the row", "an object", row))?;
    let list = match row.get("segments") {
        Some(Value::Array(list)) => list,
        Some(other) => {
            return Err(wrong_type("wrong-type", Some("segments".to_owned()), "the segments", "a list", other));
        }
        None => {
            return Err(RowError {
                message: "the row has no field `segments`".to_owned(),
                ..missing("segments".to_owned())
            });
        }
    };
    list.iter().enumerate().map(|(index, segment)| Segment::read(index, segment)).collect()
}

impl<'r> Segment<'r> {
    fn read(index: usize, segment: &'r Value) -> Result<Self, RowError> {
        let path = |key: &str| format!("segments[{index}].{key}");
        let label = match segment.get("label") {
            Some(Value::Bool(label)) => *label,
            Some(other) => {
                return Err(wrong_type("wrong-type", Some(path("label")), "the label", "true or false", other));
            }
            None => return Err(missing(path("label"))),
        };
        match segment.get("text") {
            Some(Value::String(text)) => Ok(Segment { label, text }),
            Some(other) => Err(wrong_type("wrong-type", Some(path("text")), "the text", "a string", other)),
            None => Err(missing(path("text"))),
        }
    }
}

fn push(record: &mut Record, tokens: Range<usize>, kind: TokenKind, trained: bool, reason: Reason) {
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
