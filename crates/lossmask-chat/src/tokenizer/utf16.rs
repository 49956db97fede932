//! Offsets as JavaScript counts them.

use std::ops::Range;

/// Start and end of each span in UTF-16 units: `[start0, end0, start1, end1, ...]`.
///
/// A border inside a character lies before it where a span starts and behind it where a span ends, so that a token that
/// holds a part of a character covers it.
pub fn utf16_spans(text: &str, spans: &[Range<usize>]) -> Vec<u32> {
    let mut units = Vec::with_capacity(text.len() + 1);
    let mut unit = 0;
    for c in text.chars() {
        // Inside a character: the unit behind it. A span that starts there looks back to the character's first byte.
        units.push(unit);
        unit += c.len_utf16() as u32;
        units.extend(std::iter::repeat_n(unit, c.len_utf8() - 1));
    }
    units.push(unit);
    let start_of = |at: usize| units[(0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)];
    spans.iter().flat_map(|span| [start_of(span.start), units[span.end]]).collect()
}

#[cfg(test)]
mod tests {
    use super::utf16_spans;

    #[test]
    fn units_are_those_of_javascript() {
        // a: 1 byte, é: 2 bytes, 😀: 4 bytes and 2 units, b.
        let text = "aé😀b";
        assert_eq!(utf16_spans(text, &[0..1, 1..3, 3..7, 7..8]), [0, 1, 1, 2, 2, 4, 4, 5]);
        assert_eq!(utf16_spans(text, &[3..5, 5..7]), [2, 4, 2, 4], "halves of a character cover it");
        assert_eq!(utf16_spans("é", &[0..2, 2..2]), [0, 1, 1, 1], "a token that spells nothing");
    }
}
