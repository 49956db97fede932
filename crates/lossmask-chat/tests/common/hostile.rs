//! Texts on which tokenizers differ from each other: made by rule, the same in every run.
#![allow(dead_code)]

use lossmask_chat::Tokenizer;

/// The vocabularies of `scripts/test-resources.mjs`.
pub const MODELS: [&str; 17] = [
    "aya_expanse",
    "command_r_plus",
    "deepseek_v3",
    "gemma",
    "gemma2",
    "gemma3",
    "gpt4o",
    "gptoss",
    "internlm2",
    "llama2",
    "llama3",
    "llama3_1",
    "llama3_2",
    "minicpm_v4_5",
    "mistral_nemo",
    "qwen2_5",
    "qwen3",
];

/// What has told tokenizers apart before.
pub const KNOWN: [&str; 26] = [
    "\u{8eb}\u{8cc}\u{8ff}\u{8d0}आ",
    "'ſ",
    "'S'T'RE'Ve'M'lL'd",
    "\u{212A}elvin 'ſt \u{17F}",
    "\u{2581}",
    " \u{2581} \u{2581}\u{2581} ",
    ">\u{2581}</",
    "> </",
    "<0xE2>",
    "\u{85}\u{a0}\u{1680}\u{180e}\u{2000}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}",
    "\r\n\r\n \n\t\n  x",
    "a\u{0}b\u{1}\u{7f}\u{9f}",
    "e\u{301}\u{323}e\u{323}\u{301}",
    "\u{1112}\u{1161}\u{11AB}",
    "١٢٣٤٥ ²³¼Ⅷ १२३",
    "ǅǈǋ ʰʱ ªº",
    "👩‍👩‍👧‍👦🏳️‍🌈🫠",
    "\u{E000}\u{F8FF}\u{10FFFF}\u{FDD0}",
    "1234567890 12345 1,234.5",
    "don't DON'T I'LL we're",
    "    leading\n        code()  # x",
    "\u{200b}\u{200d}\u{2060}",
    "///r/n//\r\n//",
    "汉字かなカナ한국어ไทย",
    "\u{323}\u{307}q\u{307}\u{323}",
    "----====____....",
];

/// A small generator of numbers: the texts are the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % limit.max(1) as u64) as usize
    }
}

/// Texts of some 200 bytes, `bytes` in all.
pub fn texts(tokenizer: &Tokenizer, bytes: usize) -> impl Iterator<Item = String> {
    let markers: Vec<String> = tokenizer.added_ids().iter().map(|&id| tokenizer.decode(&[id])).collect();
    let mut random = Random::new(42);
    let mut made = 0;
    std::iter::from_fn(move || {
        if made >= bytes {
            return None;
        }
        let mut text = String::new();
        let length = 20 + random.below(400);
        while text.len() < length {
            part(&mut random, &markers, &mut text);
        }
        made += text.len();
        Some(text)
    })
}

fn part(random: &mut Random, markers: &[String], text: &mut String) {
    match random.below(12) {
        0 => text.push_str(KNOWN[random.below(KNOWN.len())]),
        1 => (0..1 + random.below(6)).for_each(|_| text.push(any(random, 0x11_0000))),
        2 => (0..1 + random.below(6)).for_each(|_| text.push(any(random, 0x3000))),
        3 => (0..1 + random.below(12)).for_each(|_| text.push(any(random, 0x80))),
        4 => (0..1 + random.below(5)).for_each(|_| text.push_str(marks(random))),
        5 => {
            let run = [" ", "\n", "a", "\u{2581}", "-", "é", "0", "汉", "\t", "\r\n"][random.below(10)];
            text.push_str(&run.repeat(1 + random.below(60)));
        }
        6 | 7 if !markers.is_empty() => {
            let marker = &markers[random.below(markers.len())];
            let cut = |at: usize| marker.char_indices().map(|(at, _)| at).chain([marker.len()]).nth(at).unwrap_or(0);
            let length = marker.chars().count();
            let (start, end) = match random.below(3) {
                0 => (0, length),
                1 => (random.below(length), length),
                _ => (0, random.below(length + 1)),
            };
            text.push_str(&marker[cut(start)..cut(end)]);
        }
        8 => (0..3 + random.below(10)).for_each(|_| text.push((b'a' + random.below(26) as u8) as char)),
        9 => {
            text.push(' ');
            (0..1 + random.below(7)).for_each(|_| text.push((b'a' + random.below(26) as u8) as char));
        }
        10 => text.push_str([" the", " and", "'s", ", ", ". ", ")\n", "();", " <", "</", "\n\n"][random.below(10)]),
        _ => text.push_str(&random.below(10_000_000).to_string()),
    }
}

fn any(random: &mut Random, limit: u32) -> char {
    char::from_u32(random.below(limit as usize) as u32).unwrap_or('\u{FFFD}')
}

/// Combining marks of several classes, and what they combine with.
fn marks(random: &mut Random) -> &'static str {
    [
        "a",
        "e",
        "\u{301}",
        "\u{323}",
        "\u{307}",
        "\u{30a}",
        "\u{345}",
        "\u{8eb}",
        "\u{8d0}",
        "\u{1dc4}",
        "\u{3099}",
        "か",
        "\u{93c}",
        "क",
        "\u{1161}",
        "\u{1100}",
        "\u{11a8}",
        "\u{f71}\u{f72}",
        "\u{1d165}",
        "\u{16d67}",
    ][random.below(20)]
}

/// A shorter text for which the predicate holds as well.
pub fn shrink(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut text: Vec<char> = text.chars().collect();
    let mut step = text.len() / 2;
    while step > 0 {
        let mut at = 0;
        while at < text.len() {
            let shorter: String = text[..at].iter().chain(text.iter().skip(at + step)).collect();
            if fails(&shorter) {
                text = shorter.chars().collect();
            } else {
                at += step;
            }
        }
        step /= 2;
    }
    text.into_iter().collect()
}
