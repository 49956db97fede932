//! Rows of declared formats: which fields become which pieces of text, what is trained of them, and where BOS and EOS go.
//!
//! The declarations are data, `formats/*.json`; what is said of a format there is all that is known of it here.

mod catalogue;
mod declaration;
mod fields;
mod python;
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
use declaration::{Border, Empty, FieldRule, Piece, TextPiece};
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
    rows: Settings,
}

/// A piece, its texts taken apart.
enum Node {
    Text { piece: TextPiece, text: Text },
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
        Ok(Format { fields: declaration.fields, settings, made, pieces, joined: declaration.joined, rows })
    }

    /// The tokens of a row.
    pub(crate) fn encode(&self, row: &Value, tokenizer: &Tokenizer) -> Result<Builder, RowError> {
        let object =
            row.as_object().ok_or_else(|| wrong_type("row-not-an-object", None, "the row", "an object", row))?;
        let mut scope = Scope::default();
        fields::read(&self.fields, &self.settings, object, "", &mut scope)?;
        for made in &self.made {
            let value = made.text.made(&scope)?;
            scope.set(&made.name, Cow::Owned(value));
        }
        let mut written = Vec::with_capacity(self.pieces.len());
        for node in &self.pieces {
            node.write(&mut scope, &mut written)?;
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
        self.push_ended(&ids, piece, out);
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
        let text: String = written.iter().map(|piece| piece.text.as_str()).collect();
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
            Border::CommonPrefix | Border::Spans => {
                alone.iter().zip(&ids).take_while(|(one, other)| one == other).count()
            }
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
            Piece::Each(_) => unimplemented!(),
        }
    }

    fn write<'f>(&'f self, scope: &mut Scope<'f>, out: &mut Vec<Written<'f>>) -> Result<(), RowError> {
        match self {
            Node::Text { piece, text } => {
                let mut words = String::new();
                text.write(&mut words, scope)?;
                out.push(Written { piece, text: words });
            }
        }
        Ok(())
    }
}
