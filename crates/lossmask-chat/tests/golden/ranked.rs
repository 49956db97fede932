//! Vocabularies that come as ranked bytes or as `vocab.json` with `merges.txt`, as the `tokenizer.json` that gives the same ids.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

const LLAMA4: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The control tokens of Llama 4 that rows use, by their place behind the ranks.
const LLAMA4_CONTROLS: [(usize, &str); 18] = [
    (0, "<|begin_of_text|>"),
    (1, "<|end_of_text|>"),
    (2, "<|fim_prefix|>"),
    (3, "<|fim_middle|>"),
    (4, "<|fim_suffix|>"),
    (5, "<|header_start|>"),
    (6, "<|header_end|>"),
    (7, "<|eom|>"),
    (8, "<|eot|>"),
    (16, "<|python_start|>"),
    (17, "<|python_end|>"),
    (18, "<|finetune_right_pad|>"),
    (80, "<|image_start|>"),
    (81, "<|image_end|>"),
    (84, "<|tile_x_separator|>"),
    (85, "<|tile_y_separator|>"),
    (90, "<|image|>"),
    (92, "<|patch|>"),
];

/// Llama 4's ranks, one `base64 rank` a line, with its control tokens behind them.
pub fn llama4(file: &Path) -> Value {
    let text = std::fs::read_to_string(file).unwrap();
    let ranks: Vec<Vec<u8>> =
        text.lines().map(|line| STANDARD.decode(line.split(' ').next().unwrap()).unwrap()).collect();
    let names: HashMap<usize, &str> = LLAMA4_CONTROLS.into();
    let name = |at: usize| names.get(&at).map_or_else(|| format!("<|slot_{at}|>"), |name| (*name).to_owned());
    let added = (0..93).map(|at| added_token(ranks.len() + at, &name(at))).collect();
    from_ranks(LLAMA4, &ranks, 0, added)
}

/// The ranks of a `tekken.json` with its control tokens in front of them, typed ones included: not as mistral-common does it.
pub fn tekken(file: &Value, controls: &[(u64, String)]) -> Value {
    const SLOTS: usize = 1000;
    let entries = &file["vocab"].as_array().unwrap()[..131_072 - SLOTS];
    let ranks: Vec<Vec<u8>> =
        entries.iter().map(|entry| STANDARD.decode(entry["token_bytes"].as_str().unwrap()).unwrap()).collect();
    let added = controls.iter().map(|(id, name)| added_token(*id as usize, name)).collect();
    from_ranks(file["config"]["pattern"].as_str().unwrap(), &ranks, SLOTS, added)
}

fn from_ranks(pattern: &str, ranks: &[Vec<u8>], offset: usize, added: Vec<Value>) -> Value {
    let place: HashMap<&[u8], usize> = ranks.iter().enumerate().map(|(rank, bytes)| (&**bytes, rank)).collect();
    let mut vocab: Map<String, Value> =
        ranks.iter().enumerate().map(|(rank, bytes)| (spell(bytes), json!(rank + offset))).collect();
    let mut merges = Vec::new();
    for bytes in ranks {
        let cuts = (1..bytes.len()).filter_map(|cut| {
            let (left, right) = bytes.split_at(cut);
            Some((*place.get(left)?, *place.get(right)?, json!([spell(left), spell(right)])))
        });
        let mut cuts: Vec<_> = cuts.collect();
        cuts.sort_by_key(|(left, right, _)| (*left, *right));
        merges.extend(cuts.into_iter().map(|(_, _, pair)| pair));
    }
    for token in &added {
        vocab.insert(token["content"].as_str().unwrap().to_owned(), token["id"].clone());
    }
    byte_level(pattern, vocab, merges, added)
}

/// A folder with `vocab.json`, `merges.txt` and the added tokens of `tokenizer_config.json`.
pub fn vocab_and_merges(folder: &Path) -> Value {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let config: Value = serde_json::from_str(&text("tokenizer_config.json")).unwrap();
    let added = config["added_tokens_decoder"].as_object().unwrap().iter().map(|(id, token)| {
        let mut token = token.clone();
        token["id"] = json!(id.parse::<u64>().unwrap());
        token
    });
    let lines = text("merges.txt");
    let merges = lines.lines().filter(|line| !line.is_empty() && !line.starts_with("#version"));
    let merges = merges.map(|line| line.split(' ').collect());
    byte_level(GPT4, serde_json::from_str(&text("vocab.json")).unwrap(), merges.collect(), added.collect())
}

fn added_token(id: usize, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        "special": true})
}

fn byte_level(pattern: &str, vocab: Map<String, Value>, merges: Vec<Value>, mut added: Vec<Value>) -> Value {
    added.sort_by_key(|token| token["id"].as_u64());
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
        "added_tokens": added,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}
        ]},
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
            "vocab": vocab, "merges": merges}
    })
}

/// GPT-2's letters for bytes.
fn spell(bytes: &[u8]) -> String {
    let plain = |byte: u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let letter = |&byte: &u8| match plain(byte) {
        true => char::from(byte),
        false => char::from_u32(256 + (0..byte).filter(|&before| !plain(before)).count() as u32).unwrap(),
    };
    bytes.iter().map(letter).collect()
}
