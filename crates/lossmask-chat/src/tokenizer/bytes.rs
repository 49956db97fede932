//! The bytes that each token spells, read from the vocabulary as the tokenizer's decoder would.

use std::collections::HashMap;

use serde_json::Value;
use tokenizers::Model as _;

/// How the vocabulary writes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Every byte is one character of the byte-level alphabet.
    ByteLevel,
    /// Text, with a sign in place of the blank, and `<0xE2>` for single bytes where there is a byte fallback.
    Text { blank: Option<char>, byte_fallback: bool },
}

impl Coding {
    /// Reads the coding from a `tokenizer.json`: its decoder, and its pre-tokenizer where it has none.
    pub(super) fn of(file: &Value) -> Coding {
        let mut parts = Vec::new();
        flatten(&file["decoder"], "decoders", &mut parts);
        if parts.is_empty() {
            flatten(&file["pre_tokenizer"], "pretokenizers", &mut parts);
        }
        if parts.iter().any(|part| part["type"] == "ByteLevel") {
            return Coding::ByteLevel;
        }
        let blank = parts.iter().find_map(|part| match part["type"].as_str()? {
            "Metaspace" => part["replacement"].as_str()?.chars().next(),
            "Replace" if part["content"] == " " => part["pattern"]["String"].as_str()?.chars().next(),
            _ => None,
        });
        let byte_fallback = parts.iter().any(|part| part["type"] == "ByteFallback")
            || file["model"]["byte_fallback"].as_bool().unwrap_or(false);
        Coding::Text { blank, byte_fallback }
    }

    fn spell(self, token: &str, out: &mut Vec<u8>) {
        match self {
            Coding::ByteLevel => {
                let start = out.len();
                for c in token.chars() {
                    match byte_of(c) {
                        Some(byte) => out.push(byte),
                        None => {
                            // Not written in the alphabet: the library's decoder takes such a token as it is.
                            out.truncate(start);
                            out.extend_from_slice(token.as_bytes());
                            return;
                        }
                    }
                }
            }
            Coding::Text { blank, byte_fallback } => {
                if byte_fallback && let Some(byte) = fallback_byte(token) {
                    out.push(byte);
                    return;
                }
                for c in token.chars() {
                    let c = if Some(c) == blank { ' ' } else { c };
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
    }
}

/// The parts of a component that may be a sequence of components.
pub(super) fn flatten<'a>(value: &'a Value, list: &str, out: &mut Vec<&'a Value>) {
    match value.get(list).and_then(Value::as_array) {
        Some(items) => items.iter().for_each(|item| flatten(item, list, out)),
        None if value.is_object() => out.push(value),
        None => {}
    }
}

/// `<0xE2>` -> `0xE2`.
fn fallback_byte(token: &str) -> Option<u8> {
    let hex = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (hex.len() == 2).then(|| u8::from_str_radix(hex, 16).ok())?
}

/// The byte behind a character of GPT-2's byte-level alphabet: printable Latin-1 stands for itself, the other 68 bytes
/// are U+0100 and up, in order.
pub(super) fn byte_of(c: char) -> Option<u8> {
    match c as u32 {
        code @ (0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF) => Some(code as u8),
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((code - 0x121 + 0x7F) as u8),
        0x143 => Some(0xAD),
        _ => None,
    }
}

/// The character of the byte-level alphabet that stands for a byte.
pub(super) fn char_of(byte: u8) -> char {
    let code = match byte {
        0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => u32::from(byte),
        0..=0x20 => 0x100 + u32::from(byte),
        0x7F..=0xA0 => 0x121 + u32::from(byte) - 0x7F,
        0xAD => 0x143,
    };
    char::from_u32(code).expect("codes below U+0144 are characters")
}

/// What an added token swallows besides its own text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Added {
    pub(super) left: bool,
    pub(super) right: bool,
}

/// The bytes of every token, in one buffer.
pub(super) struct TokenBytes {
    buffer: Vec<u8>,
    ends: Vec<usize>,
    added: Vec<Option<Added>>,
    /// Added tokens that are tokens of the model too, and spelled differently there: their literal text.
    literal: HashMap<u32, String>,
    pub(super) blank: Option<char>,
    pub(super) unknown: Option<u32>,
}

impl TokenBytes {
    pub(super) fn new(tokenizer: &tokenizers::Tokenizer, coding: Coding) -> Self {
        let vocabulary = tokenizer.get_vocab(true);
        let added_tokens = tokenizer.get_added_vocabulary().get_added_tokens_decoder();
        let size = vocabulary.values().chain(added_tokens.keys()).max().map_or(0, |&max| max as usize + 1);
        let mut names: Vec<&str> = vec![""; size];
        for (name, &id) in &vocabulary {
            names[id as usize] = name;
        }
        let mut table = TokenBytes {
            buffer: Vec::new(),
            ends: Vec::with_capacity(size),
            added: vec![None; size],
            literal: HashMap::new(),
            blank: match coding {
                Coding::Text { blank, .. } => blank,
                Coding::ByteLevel => None,
            },
            unknown: unknown_id(tokenizer),
        };
        for (id, name) in names.into_iter().enumerate() {
            match added_tokens.get(&(id as u32)) {
                Some(token) => {
                    let start = table.buffer.len();
                    if tokenizer.get_model().token_to_id(&token.content) == Some(id as u32) {
                        coding.spell(name, &mut table.buffer);
                    }
                    if table.buffer.len() == start || table.buffer[start..] == *token.content.as_bytes() {
                        table.buffer.truncate(start);
                        table.buffer.extend_from_slice(token.content.as_bytes());
                        table.added[id] = Some(Added { left: token.lstrip, right: token.rstrip });
                    } else {
                        table.literal.insert(id as u32, token.content.clone());
                    }
                }
                None => coding.spell(name, &mut table.buffer),
            }
            table.ends.push(table.buffer.len());
        }
        table
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, id: u32) -> &[u8] {
        let index = id as usize;
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.buffer[start..end]
    }

    /// The text that a token of the model has as an added token, where the two differ: Gemma's runs of blanks.
    pub(super) fn literal(&self, id: u32) -> Option<&[u8]> {
        if self.literal.is_empty() { None } else { self.literal.get(&id).map(String::as_bytes) }
    }

    /// Set for tokens that are matched in the text before anything else.
    pub(super) fn added(&self, id: u32) -> Option<Added> {
        self.added.get(id as usize).copied().flatten()
    }
}

fn unknown_id(tokenizer: &tokenizers::Tokenizer) -> Option<u32> {
    use tokenizers::ModelWrapper;
    match tokenizer.get_model() {
        ModelWrapper::BPE(model) => model.unk_token.as_deref().and_then(|token| tokenizer.token_to_id(token)),
        ModelWrapper::WordPiece(model) => tokenizer.token_to_id(&model.unk_token),
        ModelWrapper::WordLevel(model) => tokenizer.token_to_id(&model.unk_token),
        ModelWrapper::Unigram(_) => tokenizer.token_to_id("<unk>"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Coding, byte_of, char_of};
    use serde_json::json;

    #[test]
    fn the_alphabet_is_that_of_the_library() {
        let alphabet = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
        let ours: Vec<char> = (0..=255).map(char_of).collect();
        assert_eq!(alphabet.len(), 256);
        assert!(ours.iter().all(|c| alphabet.contains(c)));
        assert!((0..=255).all(|byte| byte_of(char_of(byte)) == Some(byte)));
    }

    #[test]
    fn tokens_spell_their_bytes() {
        let text = Coding::Text { blank: Some('\u{2581}'), byte_fallback: true };
        let cases: [(Coding, &str, &[u8]); 6] = [
            (Coding::ByteLevel, "Ġhi", b" hi"),
            (Coding::ByteLevel, "Ċ", b"\n"),
            (Coding::ByteLevel, "ðŁ", &[0xF0, 0x9F]),
            (text, "\u{2581}hi", b" hi"),
            (text, "<0xE2>", &[0xE2]),
            (text, "<0xE2", b"<0xE2"),
        ];
        for (coding, token, expected) in cases {
            let mut out = Vec::new();
            coding.spell(token, &mut out);
            assert_eq!(out, expected, "{token}");
        }
    }

    #[test]
    fn the_decoder_tells_the_coding() {
        let file = json!({"decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}
        ]}, "model": {}});
        assert_eq!(Coding::of(&file), Coding::Text { blank: Some('\u{2581}'), byte_fallback: true });
        let file = json!({"decoder": null, "pre_tokenizer": {"type": "ByteLevel"}, "model": {}});
        assert_eq!(Coding::of(&file), Coding::ByteLevel);
    }
}
