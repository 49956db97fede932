//! Real conversations, templates and vocabularies: from messages to axolotl's ids and labels.

use std::collections::BTreeMap;
use std::path::Path;

use lossmask::{Reason, TokenKind};
use lossmask_chat::{EncodedRow, Encoder, EncoderSpec, Status, Tokenizer};
use serde_json::{Value, json};

use super::family_spec::options;
use super::{common, vocabularies};

/// The family whose markers a row's template writes.
fn family(template: &str) -> &'static str {
    match template {
        "axolotl/qwen2_vl.jinja" | "axolotl/chatml.jinja" => "qwen2_vl",
        // ChatML with an empty think block, on Qwen3's vocabulary.
        "axolotl/qwen3.jinja" => "minicpm_v4_5",
        "axolotl/qwen3_5.jinja" => "qwen3_5",
        "axolotl/gemma3.jinja" => "gemma3",
        "axolotl/gemma3n.jinja" => "gemma3n",
        "axolotl/llama3_2_vision.jinja" => "llama3_2_vision",
        "axolotl/pixtral.jinja" => "pixtral",
        "axolotl/mistral_v7_tekken.jinja" => "mistral_v7_tekken",
        other => panic!("{other}"),
    }
}

/// The token that the row's text begins with.
fn bos(text: &str) -> &str {
    ["<s>", "<bos>", "<|begin_of_text|>"].into_iter().find(|bos| text.starts_with(bos)).unwrap_or("")
}

/// One row, and what came of its messages.
struct Judged<'a> {
    row: &'a Value,
    encoded: &'a EncodedRow,
    tokenizer: &'a Tokenizer,
}

impl Judged<'_> {
    fn has(&self, code: &str) -> bool {
        self.encoded.diagnostics.iter().any(|diagnosis| diagnosis.code == code)
    }

    fn has_tool_results(&self) -> bool {
        self.row["messages"].as_array().unwrap().iter().any(|message| message["role"] == "tool")
    }

    /// Why our label may differ from axolotl's at a token.
    fn reason(&self, at: usize, theirs: &[bool]) -> Option<&'static str> {
        let span = self.encoded.record.spans.iter().find(|span| span.tokens.contains(&at))?;
        if self.row["pad_mode"] == "eos" && Some(i64::from(self.encoded.ids[at])) == self.row["pad_token_id"].as_i64() {
            return Some("the pad id is also the end marker: axolotl masks it everywhere");
        }
        if self.has("typed-marker") {
            return Some("a marker is typed in a message: axolotl takes it for a turn");
        }
        if span.reason == Reason::Scaffold || span.kind == TokenKind::Header {
            return Some("the template made it: a default system prompt, an empty think block");
        }
        let follows = |pair: &[Value]| pair.iter().all(|message| message["role"] == "user");
        if !span.trained && self.row["messages"].as_array().unwrap().windows(2).any(follows) {
            return Some("a second user message in Mistral's templates: axolotl takes it for an answer");
        }
        if !span.trained {
            return self.has_tool_results().then_some("a tool result that the template writes into a user turn");
        }
        let turn = &self.encoded.record.turns[span.turn? as usize];
        let (header, role) = (turn.start..turn.content_start, &*self.encoded.record.roles[turn.role as usize]);
        match theirs[turn.start..turn.end].iter().any(|&trained| trained) {
            true => None,
            false if role == "tool" => Some("a tool turn: axolotl has no boundary for it"),
            false if header.is_empty() => Some("a message without a marker of its own"),
            false if self.tokenizer.decode(&self.encoded.ids[header]).ends_with("\n\n") => {
                Some("a header newline is fused with the content: axolotl loses the turn")
            }
            false => Some("an answer behind tool results, or a system text in the user's turn"),
        }
    }

    /// Why the routes may differ.
    fn conflict(&self) -> Option<&'static str> {
        let roles = self.row["roles_to_train"].as_array().cloned().unwrap_or_default();
        let at =
            self.encoded.diagnostics.iter().find(|diagnosis| diagnosis.code == "routes-differ")?.span.clone()?.start;
        let span = self.encoded.record.spans.iter().find(|span| span.tokens.contains(&at))?;
        if self.has("typed-marker") {
            return Some("a marker is typed in a message, and allowed to be one");
        }
        if span.reason == Reason::Scaffold {
            return Some("a default system prompt, where system turns are trained");
        }
        if self.has_tool_results() && (roles.contains(&json!("user")) != roles.contains(&json!("tool"))) {
            return Some("a tool result in a user turn, where only one of the two roles is trained");
        }
        match self.row["template"].as_str()? {
            "axolotl/gemma3.jinja" => {
                Some("a system text in the user's turn, where only one of the two roles is trained")
            }
            "axolotl/mistral_v7_tekken.jinja" => Some("the second of two answers in a row has no marker"),
            _ => None,
        }
    }
}

#[test]
fn rows_are_those_of_axolotl() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/families");
    let families: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("boundaries.json")).unwrap()).unwrap();
    let Some(rows) = common::vectors("strategies_real.jsonl") else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong: Vec<String> = Vec::new();
    for row in &rows {
        let (id, template) = (row["id"].as_str().unwrap(), row["template"].as_str().unwrap());
        let Some(source) = vocabularies::template(template) else { continue };
        let Some(tokenizer) = vocabularies::tokenizer(row["tokenizer"].as_str().unwrap()) else { continue };
        let markers = &families[family(template)];
        let encoder = Encoder::new(spec(row, markers, &source, &tokenizer), tokenizer.clone()).unwrap();
        let encoded = match encoder.encode(&json!({"messages": row["messages"], "tools": row["tools"]})) {
            Ok(encoded) => encoded,
            Err(error) => {
                wrong.push(format!("{id}: {error:?}"));
                continue;
            }
        };
        if row["category"] == "image" {
            *counts.entry("placeholders are expanded in the recorded ids: judged with the media").or_default() += 1;
            continue;
        }
        let judged = Judged { row, encoded: &encoded, tokenizer: &tokenizer };
        let (ids, trained) = recorded(row);
        if !encoded.ids.starts_with(&ids) || (row["truncated"] == false && encoded.ids.len() != ids.len()) {
            wrong.push(format!("{id}: ids differ"));
            continue;
        }
        let labels = common::labels(&encoded);
        let theirs: Vec<bool> = (0..encoded.ids.len()).map(|at| trained.get(at).copied().unwrap_or(false)).collect();
        let differ: Vec<usize> = (0..ids.len()).filter(|&at| (labels[at] != -100) != theirs[at]).collect();
        let mut reasons: Vec<_> = differ.iter().map(|&at| judged.reason(at, &theirs)).collect();
        if encoded.status == Status::Conflict {
            reasons.push(judged.conflict());
        } else {
            assert_eq!(encoded.status, Status::Certain, "{id}");
        }
        reasons.sort_unstable();
        reasons.dedup();
        match reasons.iter().copied().collect::<Option<Vec<_>>>() {
            None => {
                wrong.push(format!("{id}: labels differ at {differ:?}, {:?} {:?}", encoded.status, encoded.diagnostics))
            }
            Some(reasons) if reasons.is_empty() => *counts.entry("equal and certain").or_default() += 1,
            Some(reasons) => reasons.into_iter().for_each(|reason| *counts.entry(reason).or_default() += 1),
        }
    }
    counts.iter().for_each(|(what, rows)| eprintln!("{rows:4} {what}"));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// The row's ids without padding, and which of them axolotl trains.
fn recorded(row: &Value) -> (Vec<i32>, Vec<bool>) {
    let ids = common::ids(&row["input_ids"]);
    let pads = row["n_pad"].as_u64().unwrap() as usize;
    let tokens = if row["padding_side"] == "left" { pads..ids.len() } else { 0..ids.len() - pads };
    let labels = common::labels_of_spans(&ids, &row["keep_spans"]["turn"]);
    (ids[tokens.clone()].to_vec(), labels[tokens].iter().map(|&label| label != -100).collect())
}

fn spec(row: &Value, markers: &Value, source: &str, tokenizer: &Tokenizer) -> EncoderSpec {
    let token = |key: &str| row[key].as_i64().map(|id| tokenizer.decode(&[id as i32]));
    let mut masker = options(markers, "turn");
    if !row["roles_to_train"].is_null() {
        masker["rolesToTrain"] = row["roles_to_train"].clone();
    }
    let variables = json!({"bos_token": bos(row["text"].as_str().unwrap()), "eos_token": token("eos_token_id"),
        "pad_token": token("pad_token_id")});
    serde_json::from_value(json!({
        "template": {"name": row["template"], "source": source, "variables": variables, "now": "2026-01-15T12:00:00"},
        "masker": masker, "mediaTokenIds": markers["media_ids_masked"], "scannable": true,
        "route": "auto", "injection": "allow",
    }))
    .unwrap()
}
