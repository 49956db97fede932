//! Stock templates against their public training twins: what our labels make of a template without `{% generation %}`, and what the
//! twin's authors say that the model writes. Templates of the trl package, read from the test cache.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use lossmask_chat::{EncodedRow, Encoder, EncoderSpec, TokenSpec, Tokenizer, TokenizerSpec};
use serde_json::{Value, json};

/// Templates with a twin, by name, with both sources.
fn pairs() -> Vec<(String, String, String)> {
    let Some(folder) = common::present(common::cache().join("templates/trl")) else { return Vec::new() };
    let read = |path: PathBuf| std::fs::read_to_string(path).ok();
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix("_training.jinja")?.to_owned()))
        .collect();
    names.sort();
    let pair = |name: String| {
        let stock = read(folder.join(format!("{name}.jinja")))?;
        let twin = read(folder.join(format!("{name}_training.jinja")))?;
        Some((name, stock, twin))
    };
    names.into_iter().filter_map(pair).collect()
}

/// Whatever a template's source holds that is written as a control token is.
fn control_tokens(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(open) = rest.find(['<', '[']) {
        let tail = &rest[open..];
        let close = if tail.starts_with('<') { '>' } else { ']' };
        let end = tail.find(close).map(|end| end + 1);
        let is_control = |token: &&str| {
            let inner = &token[1..token.len() - 1];
            let named = !inner.is_empty()
                && inner.chars().all(|c| c.is_alphanumeric() || "|_/｜▁:".contains(c))
                && (inner.contains(['|', '｜', '_']) || inner.len() > 3);
            let upper = close == '>' || inner.chars().all(|c| c.is_ascii_uppercase() || "_/".contains(c));
            named && upper
        };
        match end.map(|end| &tail[..end]).filter(is_control) {
            Some(token) => {
                found.push(token.to_owned());
                rest = &tail[token.len()..];
            }
            None => rest = &tail[1..],
        }
    }
    found.sort();
    found.dedup();
    found
}

fn conversations() -> Vec<(&'static str, Value)> {
    let user = |text: &str| json!({"role": "user", "content": text});
    let answer = |text: &str| json!({"role": "assistant", "content": text});
    let thought = |why: &str, text: &str| json!({"role": "assistant", "reasoning_content": why, "content": text});
    let call = |city: &str| json!({"type": "function", "id": "call00001", "function": {"name": "get_weather", "arguments": {"city": city, "days": 2}}});
    let calls = |text: &str, cities: &[&str]| json!({"role": "assistant", "content": text, "tool_calls": cities.iter().map(|city| call(city)).collect::<Vec<_>>()});
    let thought_calls = |why: &str, city: &str| json!({"role": "assistant", "reasoning_content": why, "content": "", "tool_calls": [call(city)]});
    let tool =
        |text: &str| json!({"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": text});
    let system = json!({"role": "system", "content": "Be brief."});
    vec![
        ("one answer", json!([user("Is it open?"), answer("Yes, it is.")])),
        ("two answers", json!([user("Is it open?"), answer("Yes, it is."), user("Still?"), answer("No.")])),
        ("system", json!([system, user("Is it open?"), answer("Yes, it is.")])),
        ("reasoning", json!([user("Is it open?"), thought("It is noon.", "Yes.")])),
        (
            "reasoning twice",
            json!([
                user("Is it open?"),
                thought("It is noon.", "Yes."),
                user("Still?"),
                thought("It is night.", "No.")
            ]),
        ),
        ("a call", json!([user("Weather?"), calls("", &["Oslo"]), tool("Rain."), answer("It rains.")])),
        ("a call and no answer", json!([user("Weather?"), calls("", &["Oslo"])])),
        (
            "words and a call",
            json!([user("Weather?"), calls("I look it up.", &["Oslo"]), tool("Rain."), answer("It rains.")]),
        ),
        (
            "two calls",
            json!([user("Weather?"), calls("", &["Oslo", "Bergen"]), tool("Rain."), tool("Sun."), answer("Both.")]),
        ),
        (
            "call after call",
            json!([
                user("Weather?"),
                calls("", &["Oslo"]),
                tool("Rain."),
                calls("", &["Bergen"]),
                tool("Sun."),
                answer("Both.")
            ]),
        ),
        (
            "reasoning and a call",
            json!([
                user("Weather?"),
                thought_calls("I have to look.", "Oslo"),
                tool("Rain."),
                thought("So it rains.", "It rains.")
            ]),
        ),
    ]
}

/// Bytes of the text that are trained, without white space: twins count the newline after an end marker, axolotl does not.
fn trained(tokenizer: &Tokenizer, row: &EncodedRow) -> Vec<(String, bool)> {
    let labels = common::labels(row);
    row.ids.iter().zip(&labels).map(|(&id, &label)| (tokenizer.decode(&[id]), label != -100)).collect()
}

/// Why a stretch that the twin trains and we do not is none of the model's words, if it is: it is in front of an answer.
fn excuse(stretch: &str) -> Option<&'static str> {
    const HEADERS: [&str; 4] = ["<｜Assistant｜>", "<|start|>assistant", "<|CHATBOT_TOKEN|>", "<|assistant|>"];
    let words: String = stretch.split_whitespace().collect();
    if HEADERS.iter().any(|header| stretch.starts_with(header)) {
        return Some("the twin counts the header of the turn");
    }
    match words.as_str() {
        "<think></think>" | "</think>" => Some("the twin counts a block that the template wrote"),
        "<｜tool▁outputs▁end｜>" => Some("the twin counts the tag after a tool's result"),
        _ => None,
    }
}

/// Stretches of text that one of the two trains and the other does not, white space apart; `true`: it is ours that does.
fn differences(ours: &[(String, bool)], theirs: &[(String, bool)]) -> Vec<(bool, String)> {
    let mut out: Vec<(bool, String)> = Vec::new();
    let mut open = false;
    for (a, b) in ours.iter().zip(theirs) {
        let differs = a.1 != b.1;
        match out.last_mut() {
            Some((by_us, text)) if open && differs && *by_us == a.1 => text.push_str(&a.0),
            _ if differs => out.push((a.1, a.0.clone())),
            _ => {}
        }
        open = differs;
    }
    out.retain(|(_, text)| !text.trim().is_empty());
    out
}

fn show(tokens: &[(String, bool)]) -> String {
    let mut out = String::new();
    let mut on = false;
    for (text, trained) in tokens {
        if *trained != on {
            out.push_str(if *trained { "⟦" } else { "⟧" });
            on = *trained;
        }
        out.push_str(text);
    }
    if on {
        out.push('⟧');
    }
    out
}

fn encoder(source: &str, route: &str, tokenizer: &Arc<Tokenizer>, scaffold: &str) -> Encoder {
    let variables = json!({"bos_token": "<|bos|>", "eos_token": "<|eos|>"});
    let spec = json!({
        "template": {"name": "twin", "source": source, "variables": variables, "now": "2026-01-15T12:00:00"},
        "masker": {"boundaries": [], "trainOnEos": "turn"}, "route": route, "scaffold": scaffold,
        "eosTokenId": tokenizer.token_to_id("<|eos|>"),
    });
    let spec: EncoderSpec = serde_json::from_value(spec).unwrap();
    Encoder::new(spec, tokenizer.clone()).unwrap()
}

#[test]
fn labels_of_stock_templates_are_those_of_their_twins() {
    let Some(path) = common::present(common::cache().join("models/qwen3/tokenizer.json")) else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, stock, twin) in pairs() {
        let mut added = control_tokens(&stock);
        added.extend(["<|bos|>".to_owned(), "<|eos|>".to_owned()]);
        let spec = TokenizerSpec {
            path: path.clone(),
            added_tokens: added.iter().map(|token| TokenSpec::special(token)).collect(),
        };
        let tokenizer = Arc::new(Tokenizer::load(&spec).unwrap());
        let ours = encoder(&stock, "content", &tokenizer, "template");
        let theirs = encoder(&twin, "generation", &tokenizer, "template");
        for (what, messages) in conversations() {
            let row = json!({"messages": messages});
            let (Ok(a), Ok(b)) = (ours.encode(&row), theirs.encode(&row)) else {
                *counts.entry("refused by the template").or_default() += 1;
                continue;
            };
            if a.ids != b.ids {
                *counts.entry("the twin writes another text").or_default() += 1;
                continue;
            }
            let (a, b) = (trained(&tokenizer, &a), trained(&tokenizer, &b));
            let differ = differences(&a, &b);
            let reasons: Option<Vec<_>> = differ
                .iter()
                .map(|(by_us, text)| match (by_us, text.trim()) {
                    (true, "<|START_RESPONSE|>") => Some("the tag in front of an answer is the model's own"),
                    (true, _) => None,
                    (false, text) => excuse(text),
                })
                .collect();
            match reasons.as_deref() {
                Some([]) => *counts.entry("equal").or_default() += 1,
                Some([reason, ..]) => *counts.entry(reason).or_default() += 1,
                None => {
                    wrong.push(format!("{name}, {what} {differ:?}\n  ours   {:?}\n  theirs {:?}", show(&a), show(&b)))
                }
            }
        }
    }
    counts.iter().for_each(|(what, rows)| eprintln!("{rows:4} {what}"));
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
