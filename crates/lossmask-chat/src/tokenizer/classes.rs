//! Characters that have another class in the successor than in the reference: those that Unicode 17 added, since the reference's
//! regular expressions are of Unicode 16. `cargo run --example engines -- --every-character` finds them by trying all.

/// First and last, in order.
const NEWER: [(u32, u32); 44] = [
    (0x1ACF, 0x1ADD),
    (0x1AE0, 0x1AEB),
    (0x20C1, 0x20C1),
    (0x2B96, 0x2B96),
    (0xA7CE, 0xA7CF),
    (0xA7D2, 0xA7D2),
    (0xA7D4, 0xA7D4),
    (0xA7F1, 0xA7F1),
    (0xFBC3, 0xFBD2),
    (0xFD90, 0xFD91),
    (0xFDC8, 0xFDCE),
    (0x10940, 0x10959),
    (0x10EC5, 0x10EC7),
    (0x10ED0, 0x10ED8),
    (0x10EFA, 0x10EFB),
    (0x11B60, 0x11B67),
    (0x11DB0, 0x11DDB),
    (0x11DE0, 0x11DE9),
    (0x16EA0, 0x16EB8),
    (0x16EBB, 0x16ED3),
    (0x16FF2, 0x16FF6),
    (0x187F8, 0x187FF),
    (0x18D09, 0x18D1E),
    (0x18D80, 0x18DF2),
    (0x1CCFA, 0x1CCFC),
    (0x1CEBA, 0x1CED0),
    (0x1CEE0, 0x1CEF0),
    (0x1E6C0, 0x1E6DE),
    (0x1E6E0, 0x1E6F5),
    (0x1E6FE, 0x1E6FF),
    (0x1F6D8, 0x1F6D8),
    (0x1F777, 0x1F77A),
    (0x1F8D0, 0x1F8D8),
    (0x1FA54, 0x1FA57),
    (0x1FA8A, 0x1FA8A),
    (0x1FA8E, 0x1FA8E),
    (0x1FAC8, 0x1FAC8),
    (0x1FACD, 0x1FACD),
    (0x1FAEA, 0x1FAEA),
    (0x1FAEF, 0x1FAEF),
    (0x1FBFA, 0x1FBFA),
    (0x2B73A, 0x2B73F),
    (0x2CEA2, 0x2CEAD),
    (0x323B0, 0x33479),
];

/// The first bytes of those characters in UTF-8.
const LEAD_BYTES: [u8; 5] = [0xE1, 0xE2, 0xEA, 0xEF, 0xF0];

/// Whether a text holds one of those characters.
pub(super) fn holds_newer(text: &str) -> bool {
    let may_begin = |byte: &u8| *byte >= LEAD_BYTES[0] && LEAD_BYTES.contains(byte);
    !text.is_ascii() && text.bytes().any(|byte| may_begin(&byte)) && text.chars().any(is_newer)
}

fn is_newer(c: char) -> bool {
    let code = c as u32;
    if code < NEWER[0].0 {
        return false;
    }
    let after = NEWER.partition_point(|&(_, last)| last < code);
    NEWER.get(after).is_some_and(|&(first, _)| first <= code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_lead_byte_is_known() {
        assert!(NEWER.windows(2).all(|pair| pair[0].1 < pair[1].0));
        for code in NEWER.iter().flat_map(|&(first, last)| first..=last) {
            let c = char::from_u32(code).unwrap();
            assert!(holds_newer(&c.to_string()), "{code:X}");
        }
    }

    #[test]
    fn only_those_are_found() {
        let cases = [
            ("plain", false),
            ("\u{1ACE}\u{1ADE}", false),
            ("a\u{1ACF}", true),
            ("\u{33479}", true),
            ("汉字 “x” 🫠", false),
        ];
        for (text, expected) in cases {
            assert_eq!(holds_newer(text), expected, "{text}");
        }
    }
}
