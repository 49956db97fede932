//! The fast engine gives what `tokenizers` 0.23 gives, ids and spans. `cargo run --example engines` does the same over any amount of text.

mod common;
#[path = "common/hostile.rs"]
mod hostile;

use lossmask_chat::{TokenSpec, Tokenizer, TokenizerSpec};
use serde_json::json;

fn assert_same(name: &str, tokenizer: &Tokenizer, text: &str) {
    let differs = |text: &str| tokenizer.encode(text) != tokenizer.encode_by_library(text);
    if differs(text) {
        let shortest = hostile::shrink(text, differs);
        assert_eq!(tokenizer.encode(&shortest), tokenizer.encode_by_library(&shortest), "{name} {shortest:?}");
    }
    assert_eq!(tokenizer.encode_ids(text), tokenizer.encode_by_library(text).ids, "{name} {text:?}");
}

#[test]
fn every_vocabulary_gives_the_ids_of_the_reference() {
    for name in hostile::MODELS {
        let Some(tokenizer) = common::tokenizer(name) else { continue };
        assert_eq!(tokenizer.engine(), "tokenizers 1.0.0-rc.3", "{name} is known to the fast engine");
        for text in hostile::KNOWN.into_iter().map(str::to_owned).chain(hostile::texts(&tokenizer, 20_000)) {
            assert_same(name, &tokenizer, &text);
        }
    }
}

/// As [`assert_same`], for tokens whose ids the model gives to plain text as well: from ids alone the reference cannot tell which it is,
/// and then knows where several tokens are together only.
fn assert_same_ids(name: &str, tokenizer: &Tokenizer, text: &str) {
    let (engine, library) = (tokenizer.encode(text), tokenizer.encode_by_library(text));
    assert_eq!(engine.ids, library.ids, "{name} {text:?}");
    for (own, theirs) in engine.spans.iter().flatten().zip(library.spans.iter().flatten()) {
        assert!(theirs.start <= own.start && own.end <= theirs.end, "{name} {text:?}: {own:?} is not in {theirs:?}");
    }
}

#[test]
fn added_tokens_of_every_kind_are_cut_out_as_the_reference_does() {
    let kinds = |special: bool, normalized: bool| {
        let token = |content: &str, lstrip, rstrip, single_word| TokenSpec {
            lstrip,
            rstrip,
            single_word,
            normalized: Some(normalized),
            special,
            ..TokenSpec::special(content)
        };
        vec![
            token("<left>", true, false, false),
            token("<right>", false, true, false),
            token("<both>", true, true, false),
            token("word", false, false, true),
            token("two words", false, false, false),
            token("caf\u{e9}", false, false, false),
            token("\u{2581}blank", false, false, false),
        ]
    };
    let texts = [
        "a <left> <right> b  <both>  c",
        "<right> <left>\n<both>\u{a0}<both>",
        "word words word.word a-word\u{301} _word word",
        "two words, two  words, xtwo wordsx",
        "caf\u{e9} cafe\u{301} e\u{301} caf\u{e9}",
        " blank \u{2581}blank a blank",
        "<left",
        "  <left>",
        "<right>  ",
    ];
    for name in ["aya_expanse", "deepseek_v3", "gemma3", "gptoss"] {
        let Some(path) = common::present(common::cache().join("models").join(name).join("tokenizer.json")) else {
            continue;
        };
        for (special, normalized) in [(true, false), (false, true)] {
            let spec = TokenizerSpec { path: path.clone(), added_tokens: kinds(special, normalized) };
            let tokenizer = Tokenizer::load(&spec).unwrap();
            texts.iter().for_each(|text| assert_same_ids(name, &tokenizer, text));
            hostile::texts(&tokenizer, 5_000).for_each(|text| assert_same_ids(name, &tokenizer, &text));
        }
    }
}

/// A small SentencePiece-like file with the parts given.
fn load(pre_tokenizer: serde_json::Value, normalizer: serde_json::Value, byte_fallback: bool) -> Tokenizer {
    let mut vocab = serde_json::Map::new();
    let names =
        ["<unk>", "\u{2581}", "a", "b", "c", "\u{2581}a", "ab", "\u{2581}ab", "\u{2581}\u{2581}"].map(str::to_owned);
    let bytes = (0..=255u8).map(|byte| format!("<0x{byte:02X}>"));
    for (id, name) in names.into_iter().chain(bytes.filter(|_| byte_fallback)).enumerate() {
        vocab.insert(name, id.into());
    }
    let file = json!({
        "version": "1.0", "added_tokens": [], "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": null,
        "decoder": {"type": "Replace", "pattern": {"String": "\u{2581}"}, "content": " "},
        "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": byte_fallback, "vocab": vocab,
            "merges": ["a b", "\u{2581} ab", "\u{2581} a", "\u{2581} \u{2581}"]}
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, file.to_string()).unwrap();
    Tokenizer::load(&TokenizerSpec { path, added_tokens: vec![TokenSpec::special("<x>")] }).unwrap()
}

#[test]
fn metaspace_in_all_its_forms_and_unknown_characters() {
    let texts =
        ["ab ab", " ab", "  a  b ", "<x>ab<x> ab", "a\u{2581}b", "\u{2581}ab", "zab zz c", "", " ", "<x>", "a<x> <x>b"];
    for byte_fallback in [true, false] {
        for scheme in ["always", "first", "never"] {
            for split in [true, false] {
                let metaspace =
                    json!({"type": "Metaspace", "replacement": "\u{2581}", "prepend_scheme": scheme, "split": split});
                let tokenizer = load(metaspace, json!(null), byte_fallback);
                let expected = if byte_fallback { "tokenizers 1.0.0-rc.3" } else { "tokenizers 0.23" };
                assert_eq!(tokenizer.engine(), expected, "{scheme} {split}");
                texts.iter().for_each(|text| assert_same(scheme, &tokenizer, text));
            }
        }
        let prepend = json!({"type": "Prepend", "prepend": "\u{2581}"});
        let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "\u{2581}"});
        for normalizer in [
            json!({"type": "Sequence", "normalizers": [prepend, replace]}),
            replace.clone(),
            json!({"type": "Lowercase"}),
        ] {
            let tokenizer = load(json!(null), normalizer.clone(), byte_fallback);
            texts.iter().for_each(|text| assert_same(&normalizer.to_string(), &tokenizer, text));
        }
    }
}
