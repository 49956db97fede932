//! Rows of declared formats: which fields become which pieces of text, what is trained of them, and where BOS and EOS go.
//!
//! The declarations are data, `formats/*.json`; what is said of a format there is all that is known of it here.

mod catalogue;
mod declaration;
mod fields;
mod python;
mod ready;
mod rows;
mod words;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeMap;

use lossmask::TokenKind;
use serde_json::Value;

use crate::message::wrong_type;
use crate::row::{RowError, SpecError};
use crate::spec::{EncoderSpec, FormatSpec};
use crate::tokenizer::Tokenizer;
use catalogue::Chosen;
use declaration::{Border, Declaration, Each, Empty, FieldRule, Long, Piece, TextPiece};
use fields::{Made, Scope, Text};
pub(crate) use rows::Builder;
use rows::Settings;

/// A format, ready to make rows.
pub(crate) struct Format {
    fields: BTreeMap<String, FieldRule>,
    settings: BTreeMap<String, String>,
    made: Vec<Made>,
    pieces: Vec<Node>,
    joined: Option<Border>,
    eos_as_text: bool,
    ready: bool,
    long: Option<Long>,
    rows: Settings,
}

/// A piece, its texts taken apart.
enum Node {
    Text { piece: TextPiece, text: Text },
    Each { each: Each, cases: BTreeMap<String, Vec<Node>> },
}

/// A piece's text in a row.
struct Written<'f> {
    piece: &'f TextPiece,
    text: String,
}

impl Format {
    /// The format that a dataset's `type` names.
    ///
    /// # Errors
    /// `dataset-type-unknown`, `dataset-type-invalid`.
    pub(crate) fn new(spec: &FormatSpec, encoder: &EncoderSpec) -> Result<Self, SpecError> {
        let Chosen { declaration, style, settings, .. } = catalogue::choose(&spec.kind, &spec.options)?;
        let mut made = Made::all(&declaration.made, &settings)?;
        for (name, words) in catalogue::in_order(&style) {
            made.push(Made::new(name, words, &settings)?);
        }
        let pieces = declaration.pieces.iter().map(|piece| Node::new(piece, &settings)).collect::<Result<_, _>>()?;
        let rows = Settings {
            train_on_inputs: encoder.masker.train_on_inputs,
            weights: encoder.weights.clone(),
            ignored: encoder.masker.ignore_token_ids.clone(),
            bos_token_id: spec.bos_token_id,
            eos_token_id: spec.eos_token_id,
            sequence_len: spec.sequence_len,
        };
        let Declaration { fields, joined, eos_as_text, ready, long, .. } = declaration;
        Ok(Format { fields, settings, made, pieces, joined, eos_as_text, ready, long, rows })
    }

    /// The sequences that a row becomes: one, or as many as a long text has chunks.
    pub(crate) fn encode(&self, row: &Value, tokenizer: &Tokenizer) -> Result<Vec<Builder>, RowError> {
        let whole = self.whole(row, tokenizer)?;
        match (self.long, self.rows.sequence_len) {
            (Some(Long::Chunks), _) if whole.ids.is_empty() => Ok(Vec::new()),
            (Some(Long::Chunks), Some(len)) => Ok(whole.chunks(len)),
            _ => Ok(vec![whole]),
        }
    }

    fn whole(&self, row: &Value, tokenizer: &Tokenizer) -> Result<Builder, RowError> {
        let object =
            row.as_object().ok_or_else(|| wrong_type("row-not-an-object", None, "the row", "an object", row))?;
        if self.ready {
            return ready::encode(object, tokenizer.vocabulary_size(), &self.rows);
        }
        let mut scope = Scope::default();
        fields::read(&self.fields, &self.settings, object, "", &mut scope)?;
        for made in &self.made {
            let value = made.text.made(&scope)?;
            scope.set(&made.name, Cow::Owned(value));
        }
        let mut written = Vec::with_capacity(self.pieces.len());
        for node in &self.pieces {
            node.write(&self.settings, &mut scope, &mut written)?;
        }
        let mut out = Builder::default();
        match self.joined {
            None => written.iter().for_each(|piece| self.apart(piece, tokenizer, &mut out)),
            Some(border) => self.together(&written, border, tokenizer, &mut out),
        }
        Ok(out)
    }

    /// A piece on its own.
    fn apart(&self, Written { piece, text }: &Written<'_>, tokenizer: &Tokenizer, out: &mut Builder) {
        if text.is_empty() && piece.empty == Empty::Nothing {
            return;
        }
        let [prefix, suffix] = tokenizer.around();
        let mut ids = tokenizer.encode_ids(text);
        ids.extend_from_slice(suffix);
        if ids.is_empty() && prefix.is_empty() {
            return;
        }
        out.begin(&piece.role, piece.trained);
        if piece.bos {
            out.push(prefix, TokenKind::Scaffold, piece.trained, &self.rows);
        } else if prefix.is_empty() && ids.first() == self.rows.bos_token_id.as_ref() && !ids.is_empty() {
            // A BOS that the text begins with is the row's, not the piece's.
            ids.remove(0);
        }
        let alone = |header: &String| tokenizer.encode_ids(header).len().min(ids.len());
        let header = piece.header.as_ref().map_or(0, alone);
        out.push(&ids[..header], TokenKind::Header, false, &self.rows);
        self.push_ended(&ids[header..], piece, out);
    }

    /// Ids with the EOS that the piece ends in, which the text may end in already.
    fn push_ended(&self, ids: &[i32], piece: &TextPiece, out: &mut Builder) {
        let Some(eos) = self.rows.eos_token_id.filter(|_| piece.eos > 0) else {
            return out.push(ids, TokenKind::Content, piece.trained, &self.rows);
        };
        let content = ids.strip_suffix(&[eos]).unwrap_or(ids);
        out.push(content, TokenKind::Content, piece.trained, &self.rows);
        out.push(&vec![eos; piece.eos], TokenKind::End, piece.trained, &self.rows);
    }

    /// All pieces as one text.
    fn together(&self, written: &[Written<'_>], border: Border, tokenizer: &Tokenizer, out: &mut Builder) {
        let mut text: String = written.iter().map(|piece| piece.text.as_str()).collect();
        if let Some(eos) = self.rows.eos_token_id.filter(|_| self.eos_as_text) {
            let eos = tokenizer.decode(&[eos]);
            if !text.ends_with(&eos) {
                text.push_str(&eos);
            }
        }
        let (Some(first), Some(last)) = (written.first(), written.last()) else { return };
        if text.is_empty() {
            return;
        }
        let [prefix, _] = tokenizer.around();
        let ids = tokenizer.encode_ids(&text);
        let prompt: String =
            written.iter().take_while(|piece| !piece.piece.trained).map(|piece| piece.text.as_str()).collect();
        let alone = if prompt.is_empty() { Vec::new() } else { tokenizer.encode_ids(&prompt) };
        let cut = match border {
            Border::PromptLength => alone.len().min(ids.len()),
            Border::CommonPrefix => alone.iter().zip(&ids).take_while(|(one, other)| one == other).count(),
        };
        out.begin(&first.piece.role, first.piece.trained);
        out.push(prefix, TokenKind::Scaffold, first.piece.trained, &self.rows);
        out.push(&ids[..cut], TokenKind::Content, first.piece.trained, &self.rows);
        out.begin(&last.piece.role, last.piece.trained);
        self.push_ended(&ids[cut..], last.piece, out);
    }
}

impl Node {
    fn new(piece: &Piece, settings: &BTreeMap<String, String>) -> Result<Self, SpecError> {
        match piece {
            Piece::Text(piece) => Ok(Node::Text { text: Text::new(&piece.text, settings)?, piece: piece.clone() }),
            Piece::Each(each) => {
                let case = |(name, pieces): (&String, &Vec<TextPiece>)| {
                    let nodes = pieces.iter().map(|piece| Node::new(&Piece::Text(piece.clone()), settings));
                    Ok((name.clone(), nodes.collect::<Result<_, SpecError>>()?))
                };
                let cases = each.cases.iter().map(case).collect::<Result<_, SpecError>>()?;
                Ok(Node::Each { each: each.clone(), cases })
            }
        }
    }

    fn write<'f>(
        &'f self,
        settings: &BTreeMap<String, String>,
        scope: &mut Scope<'_>,
        out: &mut Vec<Written<'f>>,
    ) -> Result<(), RowError> {
        match self {
            Node::Text { piece, text } => {
                let mut words = piece.header.clone().unwrap_or_default();
                text.write(&mut words, scope)?;
                out.push(Written { piece, text: words });
            }
            Node::Each { each, cases } => {
                let items = scope.get(&each.each).and_then(Value::as_array).cloned().unwrap_or_default();
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{}[{index}]", each.each);
                    let object = item
                        .as_object()
                        .ok_or_else(|| wrong_type("wrong-type", Some(path.clone()), "the item", "an object", item))?;
                    let mut inner = Scope::default();
                    fields::read(&each.fields, settings, object, &format!("{path}."), &mut inner)?;
                    let name = inner.get(&each.by).and_then(Value::as_str).unwrap_or_default().to_owned();
                    let nodes = cases.get(&name).ok_or_else(|| unknown_case(each, &name, &path))?;
                    for node in nodes {
                        node.write(settings, &mut inner, out)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn unknown_case(each: &Each, name: &str, path: &str) -> RowError {
    let known: Vec<&str> = each.cases.keys().map(String::as_str).collect();
    RowError {
        code: "unknown-role",
        path: Some(format!("{path}.{}", each.by)),
        message: format!("the format has no {} called {name:?}", each.by),
        hint: Some(format!("it is one of {}", known.join(", "))),
    }
}

/// What a row seems to be, for people whose `type` says otherwise. Nothing where no format fits its columns.
pub(crate) fn suggestion(row: &serde_json::Map<String, Value>) -> Option<String> {
    let names = catalogue::fitting(row);
    let listed: Vec<String> = names.iter().take(3).map(|name| format!("`type: {name}`")).collect();
    let (last, rest) = listed.split_last()?;
    let what = if rest.is_empty() { last.clone() } else { format!("{} or {last}", rest.join(", ")) };
    Some(format!("its columns fit {what}"))
}
