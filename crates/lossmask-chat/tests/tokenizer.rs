//! Ids as the tokenizers library gives them, and spans that spell the text.

mod common;

use lossmask_chat::Tokenizer;

/// Texts on which offsets go wrong elsewhere.
const TEXTS: [&str; 22] = [
    "",
    " ",
    "plain words, and more",
    "  two blanks  in  the   middle ",
    "\n\n\nleading newlines",
    "CRLF\r\nline\r\n\r\nend",
    "nul \0 and bell \u{7}",
    "emoji 👩‍👩‍👧‍👦 and 🏳️‍🌈 and 🫠🫠",
    "astral 𝕏𝔘 𐍈 \u{10FFFF}",
    "combining e\u{301} a\u{30A} o\u{308}\u{301}",
    "precomposed é å ő",
    "compatibility ﬁ ² ① Ⅳ ｆｕｌｌ",
    "hangul \u{1112}\u{1161}\u{11AB} 한글",
    "汉字 かな カナ 한국어",
    "עברית العربية हिन्दी ไทย",
    "tabs\tand\u{a0}no-break\u{3000}ideographic",
    "▁metaspace ▁ sign",
    "<0xE2> written out",
    "zero\u{200B}width\u{FEFF}bom",
    "angstrom \u{212B} ohm \u{2126} kelvin \u{212A}",
    "q\u{307}\u{323} reordered marks",
    "code {\"a\": [1, 2, 3]}\n\tfn main() { println!(\"{}\", 0x1F); }",
];

const MODELS: [&str; 17] = [
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

/// Spans are in order, reach from the first byte to the last, and where a token spells its text they are that text.
fn check_spans(tokenizer: &Tokenizer, name: &str, text: &str) {
    let encoded = tokenizer.encode(text);
    let spans = encoded.spans.unwrap_or_else(|| panic!("{name}: no spans for {text:?}"));
    assert_eq!(spans.len(), encoded.ids.len(), "{name} {text:?}");
    let mut position = 0;
    for span in &spans {
        assert!(span.start <= position && position <= span.end.max(position), "{name} {text:?} {spans:?}");
        position = position.max(span.end);
    }
    assert_eq!(position, text.len(), "{name} {text:?} {spans:?}");
}

#[test]
fn every_vocabulary_has_exact_spans() {
    for name in MODELS {
        let Some(tokenizer) = common::tokenizer(name) else { continue };
        let special: Vec<String> = tokenizer.added_ids().iter().take(40).map(|&id| tokenizer.decode(&[id])).collect();
        for text in TEXTS {
            check_spans(&tokenizer, name, text);
            for token in special.iter().take(3) {
                check_spans(&tokenizer, name, &format!("{text}{token} {text}\n{token}"));
            }
        }
        for token in &special {
            check_spans(&tokenizer, name, &format!("a {token} b"));
        }
    }
}

#[test]
fn tokens_that_nothing_changes_spell_the_text_byte_for_byte() {
    for name in ["qwen3", "llama3_2", "gptoss", "gemma3", "mistral_nemo"] {
        let Some(tokenizer) = common::tokenizer(name) else { continue };
        let text = "One 👩‍👩‍👧‍👦 two\r\n汉字  three";
        let encoded = tokenizer.encode(text);
        for (&id, span) in encoded.ids.iter().zip(encoded.spans.as_ref().unwrap()) {
            assert_eq!(tokenizer.token_bytes(id), &text.as_bytes()[span.clone()], "{name}");
        }
        assert_eq!(tokenizer.decode(&encoded.ids), text, "{name}");
    }
}

#[test]
fn added_tokens_get_the_next_ids_in_order() {
    let Some(tokenizer) = common::tokenizer_with("qwen2_5", &["<img>", "</img>", "<|im_end|>"]) else { return };
    assert_eq!(tokenizer.token_to_id("<img>"), Some(151665));
    assert_eq!(tokenizer.token_to_id("</img>"), Some(151666));
    assert_eq!(tokenizer.token_to_id("<|im_end|>"), Some(151645), "a token of the file keeps its id");
    assert_eq!(tokenizer.encode("a<img>b").ids[1], 151665);
    assert_eq!(tokenizer.vocabulary_size(), 151667);
}

#[test]
fn tokens_by_their_first_bytes() {
    let Some(tokenizer) = common::tokenizer("qwen2_5") else { return };
    let newlines = tokenizer.ids_with_prefix(b"\n");
    assert!(newlines.contains(&198) && newlines.contains(&271));
    assert!(newlines.iter().all(|&id| tokenizer.token_bytes(id).starts_with(b"\n")));
}
