//! Where text may be cut for a vocabulary that has no pre-tokenizer, so that its pieces can be remembered.
//!
//! A merge over a border makes a token in which the two characters beside the border are neighbours. Where no merge makes such a
//! token, nothing is ever merged over that border, and the pieces on both sides give the same ids apart as together.

use serde_json::Value;

use super::normalizer::BLANK;

/// ASCII characters, the blank's sign, and all others as one.
const CLASSES: usize = 130;
const BLANK_CLASS: u8 = 128;
const OTHER: u8 = 129;

/// The pairs of classes that stand side by side in a token that a merge makes.
pub(super) struct Joints {
    joined: [[bool; CLASSES]; CLASSES],
}

impl Joints {
    /// Reads the merges of a `tokenizer.json`; `None` where they are not what is expected.
    pub(super) fn of(model: &Value) -> Option<Self> {
        let mut joints = Joints { joined: [[false; CLASSES]; CLASSES] };
        for merge in model["merges"].as_array()? {
            match merge {
                Value::Array(pair) => match &pair[..] {
                    [left, right] => joints.join(left.as_str()?, right.as_str()?),
                    _ => return None,
                },
                Value::String(pair) => {
                    let (left, right) = pair.split_once(' ').filter(|(_, right)| !right.contains(' '))?;
                    joints.join(left, right);
                }
                _ => return None,
            }
        }
        Some(joints)
    }

    fn join(&mut self, left: &str, right: &str) {
        let mut before = None;
        for c in left.chars().chain(right.chars()) {
            let class = class_of(c);
            if let Some(before) = before {
                self.joined[usize::from(before)][usize::from(class)] = true;
            }
            before = Some(class);
        }
    }

    /// Calls with the end of every piece of the text, in order. `at_blanks`: a pre-tokenizer cuts in front of every blank.
    pub(super) fn cut(&self, text: &str, at_blanks: bool, mut piece_end: impl FnMut(usize)) {
        let bytes = text.as_bytes();
        let mut before = None;
        let mut at = 0;
        while at < bytes.len() {
            let (class, length) = class_at(bytes, at);
            if let Some(before) = before
                && (!self.joined[usize::from(before)][usize::from(class)] || (at_blanks && class == BLANK_CLASS))
            {
                piece_end(at);
            }
            before = Some(class);
            at += length;
        }
        if at > 0 {
            piece_end(at);
        }
    }
}

fn class_of(c: char) -> u8 {
    match c {
        _ if c.is_ascii() => c as u8,
        '\u{2581}' => BLANK_CLASS,
        _ => OTHER,
    }
}

/// The class of the character at a byte, and its length.
fn class_at(bytes: &[u8], at: usize) -> (u8, usize) {
    let byte = bytes[at];
    match byte {
        0..=0x7F => (byte, 1),
        _ if bytes[at..].starts_with(BLANK.as_bytes()) => (BLANK_CLASS, 3),
        0x80..=0xDF => (OTHER, 2),
        0xE0..=0xEF => (OTHER, 3),
        0xF0.. => (OTHER, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pieces<'a>(joints: &Joints, text: &'a str, at_blanks: bool) -> Vec<&'a str> {
        let (mut pieces, mut start) = (Vec::new(), 0);
        joints.cut(text, at_blanks, |end| {
            pieces.push(&text[start..end]);
            start = end;
        });
        pieces
    }

    #[test]
    fn text_is_cut_where_no_merge_reaches_over() {
        let joints = Joints::of(&json!({"merges": ["\u{2581} a", ["\u{2581}a", "b"], "é é", "> \u{2581}<"]})).unwrap();
        assert_eq!(pieces(&joints, "\u{2581}ab\u{2581}ab", false), ["\u{2581}ab", "\u{2581}ab"]);
        assert_eq!(pieces(&joints, "a>\u{2581}<汉é", false), ["a", ">\u{2581}<", "汉é"]);
        assert_eq!(pieces(&joints, "a>\u{2581}<", true), ["a", ">", "\u{2581}<"]);
        assert_eq!(pieces(&joints, "", false), [""; 0]);
        assert!(Joints::of(&json!({"merges": ["a b c"]})).is_none());
    }

    /// The proof, for real vocabularies: every token that a merge makes stays in one piece.
    #[test]
    fn no_token_of_a_real_vocabulary_is_cut() {
        let cache = std::env::var_os("LOSSMASK_TEST_CACHE").map(std::path::PathBuf::from).unwrap_or_else(|| {
            std::path::PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/lossmask-test")
        });
        for name in ["gemma", "gemma2", "gemma3", "internlm2", "llama2"] {
            let Ok(text) = std::fs::read_to_string(cache.join("models").join(name).join("tokenizer.json")) else {
                eprintln!("left out: {name}");
                continue;
            };
            let file: Value = serde_json::from_str(&text).unwrap();
            let joints = Joints::of(&file["model"]).unwrap();
            for merge in file["model"]["merges"].as_array().unwrap() {
                let token = match merge {
                    Value::String(pair) => pair.replacen(' ', "", 1),
                    pair => format!("{}{}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
                };
                assert_eq!(pieces(&joints, &token, false), [&*token], "{name}");
            }
        }
    }
}
