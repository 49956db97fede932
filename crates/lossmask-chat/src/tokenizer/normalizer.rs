//! The normalizers that are known by name, with a quick check in front: most stretches are normalized as they are.

use std::borrow::Cow;

use serde_json::Value;
use unicode_normalization_alignments::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::bytes::flatten;

/// What is done to a stretch of text before it is cut into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Normalizer {
    Keep,
    /// By the tables of the reference.
    Nfc,
    /// Blanks become U+2581; `prepend`: with one in front.
    Blanks {
        prepend: bool,
    },
}

/// The sign that SentencePiece writes for a blank.
pub(super) const BLANK: &str = "\u{2581}";

impl Normalizer {
    /// Reads a `tokenizer.json`; `None` for a normalizer that is not known here.
    pub(super) fn of(file: &Value) -> Option<Self> {
        let mut parts = Vec::new();
        flatten(&file["normalizer"], "normalizers", &mut parts);
        let is_blanks =
            |part: &Value| part["type"] == "Replace" && part["pattern"]["String"] == " " && part["content"] == BLANK;
        let is_prepend = |part: &Value| part["type"] == "Prepend" && part["prepend"] == BLANK;
        match parts[..] {
            [] => Some(Normalizer::Keep),
            [one] if one["type"] == "NFC" => Some(Normalizer::Nfc),
            [one] if is_blanks(one) => Some(Normalizer::Blanks { prepend: false }),
            [first, second] if is_prepend(first) && is_blanks(second) => Some(Normalizer::Blanks { prepend: true }),
            _ => None,
        }
    }

    /// The normalized stretch; borrowed where nothing changes.
    pub(super) fn apply(self, stretch: &str) -> Cow<'_, str> {
        match self {
            Normalizer::Keep => Cow::Borrowed(stretch),
            Normalizer::Nfc if is_nfc(stretch) => Cow::Borrowed(stretch),
            Normalizer::Nfc => Cow::Owned(stretch.nfc().map(|(c, _)| c).collect()),
            Normalizer::Blanks { prepend: false } if !stretch.contains(' ') => Cow::Borrowed(stretch),
            Normalizer::Blanks { prepend } => {
                let mut out = String::with_capacity(stretch.len() + stretch.len() / 2 + BLANK.len());
                if prepend && !stretch.is_empty() {
                    out.push_str(BLANK);
                }
                write_blanks(stretch, &mut out);
                Cow::Owned(out)
            }
        }
    }

    /// Where a byte of the normalized stretch comes from; `None` where that is not one place.
    pub(super) fn origin(self, stretch: &str, normalized: &str, at: usize) -> Option<usize> {
        match self {
            _ if stretch.len() == normalized.len() && stretch == normalized => Some(at),
            Normalizer::Blanks { prepend: false } => {
                let grown = BLANK.len() - 1;
                let before = stretch.char_indices().scan(0, |position, (origin, c)| {
                    let here = *position;
                    *position += c.len_utf8() + if c == ' ' { grown } else { 0 };
                    Some((here, origin))
                });
                let end = (normalized.len(), stretch.len());
                before.chain([end]).find(|(position, _)| *position == at).map(|(_, origin)| origin)
            }
            _ => None,
        }
    }
}

/// Appends the text with a U+2581 for every blank.
pub(super) fn write_blanks(text: &str, out: &mut String) {
    let mut words = text.split(' ');
    out.push_str(words.next().unwrap_or_default());
    for word in words {
        out.push_str(BLANK);
        out.push_str(word);
    }
}

/// No character below U+0300 combines, decomposes into another order, or is left out by NFC.
fn is_nfc(text: &str) -> bool {
    const FIRST_LEAD_BYTE: u8 = 0xCC;
    match text.as_bytes().iter().position(|&byte| byte >= FIRST_LEAD_BYTE) {
        None => true,
        Some(first) => {
            // A mark composes with the character in front of it, so the check begins there.
            let start = text[..first].char_indices().next_back().map_or(0, |(at, _)| at);
            is_nfc_quick(text[start..].chars()) == IsNormalized::Yes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenizers::{NormalizedString, Normalizer as _};

    #[test]
    fn nfc_is_that_of_the_reference_for_every_character() {
        let reference = tokenizers::normalizers::NFC;
        let neighbours = ["", "a", "\u{301}", "\u{8d0}आ", "\u{1161}", "\u{323}\u{307}"];
        for c in ('\0'..=char::MAX).filter(|c| !c.is_ascii()) {
            let text: String = neighbours.iter().map(|neighbour| format!("{c}{neighbour} {neighbour}{c} ")).collect();
            let mut theirs = NormalizedString::from(&*text);
            reference.normalize(&mut theirs).unwrap();
            assert_eq!(Normalizer::Nfc.apply(&text), theirs.get(), "{c:?}");
            let alone = c.to_string();
            let mut theirs = NormalizedString::from(&*alone);
            reference.normalize(&mut theirs).unwrap();
            assert_eq!(Normalizer::Nfc.apply(&alone), theirs.get(), "{c:?}");
        }
    }

    #[test]
    fn blanks_know_where_they_come_from() {
        let blanks = Normalizer::Blanks { prepend: false };
        let text = "a b\u{2581}c ";
        let normalized = blanks.apply(text);
        assert_eq!(normalized, "a\u{2581}b\u{2581}c\u{2581}");
        let cases = [
            (0, Some(0)),
            (1, Some(1)),
            (2, None),
            (4, Some(2)),
            (5, Some(3)),
            (8, Some(6)),
            (9, Some(7)),
            (12, Some(8)),
        ];
        for (at, expected) in cases {
            assert_eq!(blanks.origin(text, &normalized, at), expected, "{at}");
        }
        assert_eq!(Normalizer::Blanks { prepend: true }.apply("a"), "\u{2581}a");
        assert_eq!(Normalizer::Blanks { prepend: true }.apply(""), "");
    }
}
