//! Mistral's `tekken.json` (byte ranks and control tokens), rewritten as the `tokenizer.json` that gives the same ids.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::bytes::char_of;

/// Whether the file is a `tekken.json`.
pub(super) fn is_tekken(file: &Value) -> bool {
    file["config"]["default_num_special_tokens"].is_u64() && file["vocab"].is_array()
}

/// The `tokenizer.json` that encodes as mistral-common does, with the control tokens as special added tokens.
pub(super) fn to_tokenizer_json(file: &Value) -> Result<Value, String> {
    let config = &file["config"];
    let pattern = config["pattern"].as_str().ok_or("config.pattern is missing")?;
    let controls =
        config["default_num_special_tokens"].as_u64().ok_or("config.default_num_special_tokens is missing")?;
    let size = config["default_vocab_size"].as_u64().ok_or("config.default_vocab_size is missing")?;
    let texts = size.checked_sub(controls).ok_or("there are more control tokens than tokens")?;
    let ranks = ranks(file, texts as usize)?;

    let added_tokens = control_tokens(file, controls)?;
    let mut vocab = serde_json::Map::with_capacity(size as usize);
    // The library gives an added token the id that the model has for its name, and the next free one otherwise.
    for token in &added_tokens {
        vocab.insert(token["content"].as_str().unwrap_or_default().to_owned(), token["id"].clone());
    }
    for (rank, bytes) in ranks.iter().enumerate() {
        vocab.insert(spell(bytes), json!(rank as u64 + controls));
    }
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "post_processor": null,
        "added_tokens": added_tokens,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}
        ]},
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
        // A piece that is itself a token is taken whole before any merge, as tiktoken does.
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": true,
            "vocab": vocab, "merges": merges(&ranks)}
    }))
}

fn ranks(file: &Value, texts: usize) -> Result<Vec<Vec<u8>>, String> {
    let entries = file["vocab"].as_array().ok_or("vocab is missing")?;
    let mut ranks = Vec::with_capacity(texts);
    for (index, entry) in entries.iter().take(texts).enumerate() {
        if entry["rank"].as_u64() != Some(index as u64) {
            return Err(format!("vocab[{index}].rank is not {index}"));
        }
        let coded = entry["token_bytes"].as_str().ok_or_else(|| format!("vocab[{index}].token_bytes is missing"))?;
        ranks.push(STANDARD.decode(coded).map_err(|error| format!("vocab[{index}].token_bytes: {error}"))?);
    }
    Ok(ranks)
}

/// Control tokens by name; the slots that the file leaves unnamed keep mistral-common's placeholder name.
fn control_tokens(file: &Value, controls: u64) -> Result<Vec<Value>, String> {
    let mut names: Vec<String> = (0..controls).map(|rank| format!("<SPECIAL_{rank}>")).collect();
    match file["special_tokens"].as_array() {
        Some(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                let rank = entry["rank"].as_u64().ok_or_else(|| format!("special_tokens[{index}].rank is missing"))?;
                let name = entry["token_str"]
                    .as_str()
                    .ok_or_else(|| format!("special_tokens[{index}].token_str is missing"))?;
                let slot =
                    names.get_mut(rank as usize).ok_or_else(|| format!("special_tokens[{index}].rank is {rank}"))?;
                *slot = name.to_owned();
            }
        }
        None => LEGACY_CONTROLS.iter().zip(&mut names).for_each(|(name, slot)| *slot = (*name).to_owned()),
    }
    Ok(names
        .into_iter()
        .enumerate()
        .map(|(id, content)| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true})
        })
        .collect())
}

/// The first control tokens of files from before `special_tokens` was written (v3 and v7): the order is the ids.
const LEGACY_CONTROLS: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

fn spell(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char_of(byte)).collect()
}

/// Every way to put a token together from two tokens, in the order in which ranked byte-pair encoding would merge them.
fn merges(ranks: &[Vec<u8>]) -> Vec<Value> {
    let rank_of: HashMap<&[u8], usize> =
        ranks.iter().enumerate().map(|(rank, bytes)| (bytes.as_slice(), rank)).collect();
    let mut merges = Vec::with_capacity(ranks.len() * 2);
    for bytes in ranks {
        let mut pairs: Vec<(usize, usize, usize)> = (1..bytes.len())
            .filter_map(|cut| Some((*rank_of.get(&bytes[..cut])?, *rank_of.get(&bytes[cut..])?, cut)))
            .collect();
        pairs.sort_unstable();
        merges.extend(pairs.into_iter().map(|(_, _, cut)| json!([spell(&bytes[..cut]), spell(&bytes[cut..])])));
    }
    merges
}
