//! axolotl's text-only strategy, right where it is right.

use std::collections::BTreeMap;

use lossmask::{Reason, TokenKind};
use lossmask_chat::{EncodedRow, Encoder, EncoderSpec};
use serde_json::{Value, json};

use super::{common, vocabularies};

fn spec(row: &Value, source: &str, tokenizer: &lossmask_chat::Tokenizer) -> EncoderSpec {
    let options = &row["options"];
    let roles = options["roles_to_train"].as_array().unwrap();
    let eot: Vec<i32> = options["eot_tokens"].as_array().map_or(Vec::new(), |list| {
        list.iter().filter_map(|token| tokenizer.token_to_id(token.as_str().unwrap())).collect()
    });
    let eos = options["train_on_eos"].as_str().unwrap_or("turn");
    let mut spec = json!({
        "template": {"name": row["template"], "source": source, "now": "2026-01-15T12:00:00", "variables": {
            "bos_token": tokenizer.decode(&row["input_ids"].as_array().map_or(Vec::new(), |ids| vec![ids[0].as_i64().unwrap() as i32])),
            "eos_token": row["eos_token"],
        }},
        "masker": {"rolesToTrain": roles, "trainOnEos": eos},
        "eosTokenId": row["eos_token_id"], "eotTokenIds": eot, "trainOnEot": options["train_on_eot"],
        "route": "content", "injection": "allow",
        "fields": {
            "training": options["message_field_training"], "trainingDetail": options["message_field_training_detail"],
            "splitThinking": options["split_thinking"].as_bool().unwrap_or(false),
        },
    });
    if options["train_on_eot"].is_null() {
        spec.as_object_mut().unwrap().remove("trainOnEot");
    }
    serde_json::from_value(spec).unwrap()
}

const MISSING: &str = "oracle_missing_content_tokens";
const EXTRA: &str = "oracle_extra_trained_tokens";

/// Whether the row says that the peer's labels are wrong, and where.
fn is_flagged(row: &Value) -> bool {
    row.get(MISSING).is_some() || row.get(EXTRA).is_some()
}

/// Where the labels are not what the text says, in a row of which the record says where the peer's are not. It does not speak of the end
/// markers that go with what the peer loses or lands in.
fn untrue(row: &Value, encoded: &EncodedRow, theirs: &[i32]) -> Vec<usize> {
    let ours = common::labels(encoded);
    let is_end = |at: usize| {
        let marker = |span: &lossmask::Span| span.kind == TokenKind::End && span.tokens.contains(&at);
        row["eos_token_id"] == encoded.ids[at] || encoded.record.spans.iter().any(marker)
    };
    let listed = |key: &str, at: usize| {
        row.get(key).and_then(Value::as_array).is_some_and(|list| list.iter().any(|place| *place == at))
    };
    let truth = |at: usize| match (listed(MISSING, at), listed(EXTRA, at)) {
        (true, _) => true,
        (_, true) => false,
        _ => theirs[at] != -100,
    };
    (0..ours.len()).filter(|&at| (ours[at] != -100) != truth(at) && !is_end(at)).collect()
}

/// Why a row may differ from the peer, if it may.
fn excuse(
    row: &Value,
    encoded: &EncodedRow,
    tokenizer: &lossmask_chat::Tokenizer,
    theirs: &[i32],
) -> Option<&'static str> {
    if is_flagged(row) {
        return Some("the peer's diff cuts or moves the content, as the row says");
    }
    let span = |at: usize| encoded.record.spans.iter().find(|span| span.tokens.contains(&at)).unwrap();
    let ours = common::labels(encoded);
    let differ: Vec<usize> = (0..ours.len()).filter(|&at| ours[at] != theirs[at]).collect();
    let written = |at: usize| span(at).turn.is_none() && tokenizer.decode(&encoded.ids[at..at + 1]) == " ";
    if differ.iter().all(|&at| written(at)) {
        return Some("the template's blank in front of an answer");
    }
    if differ
        .iter()
        .any(|&at| theirs[at] != -100 && span(at).turn.is_none_or(|turn| !encoded.record.turns[turn as usize].trained))
    {
        return Some("the peer's diff lands in another message");
    }
    if differ
        .iter()
        .all(|&at| span(at).kind == TokenKind::Reasoning && tokenizer.decode(&encoded.ids[at..at + 1]) == "<think>")
    {
        return Some("the tag that opens reasoning is the model's own");
    }
    if row["category"] == "tools" && differ.iter().all(|&at| span(at).kind == TokenKind::End && theirs[at] == -100) {
        return Some(
            "the peer looks for an end three tokens behind the content, not behind the template's closing tag",
        );
    }
    if differ.iter().all(|&at| span(at).kind == TokenKind::End && theirs[at] == -100) {
        let empty = |at: usize| {
            let turn = &encoded.record.turns[span(at).turn.unwrap() as usize];
            turn.content_start == turn.content_end
        };
        if differ.iter().all(|&at| row["eos_token_id"] != encoded.ids[at]) {
            return Some("the template's own end marker: the peer asks for it under eot_tokens");
        }
        if differ.iter().all(|&at| empty(at) || row["messages"].as_array().unwrap().iter().any(|m| m["content"] == ""))
        {
            return Some("the end of an answer without a word: the peer finds no content to look after");
        }
    }
    let blank = |at: usize| span(at).kind == TokenKind::Content && tokenizer.decode(&encoded.ids[at..at + 1]) == " ";
    if row["kind"] == "content_parts" && differ.iter().all(|&at| blank(at) && span(at).reason == Reason::FlaggedOff) {
        return Some("the template's blank in front of a flagged part");
    }
    let cut = |at: usize| {
        span(at).reason == Reason::Flag && theirs[at] == -100 && theirs[at + 1] == -100 && theirs[at + 2] == -100
    };
    if row["kind"] == "training_detail" && differ.iter().any(|&at| cut(at)) {
        return Some("the peer lays the details over another place");
    }
    if row["kind"] == "training_detail"
        && differ.iter().all(|&at| span(at).reason == Reason::Flag && theirs[at] == -100)
    {
        return Some("a token across two trained details");
    }
    None
}

#[test]
fn labels_are_those_of_axolotl() {
    let Some(rows) = common::vectors("chat_template_strategy.jsonl") else { return };
    let mut counts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &rows {
        let id = row["id"].as_str().unwrap();
        let Some(source) = vocabularies::template(row["template"].as_str().unwrap()) else { continue };
        let Some(tokenizer) = vocabularies::tokenizer(row["tokenizer"].as_str().unwrap()) else { continue };
        let options = &row["options"];
        let mut note = |what: &str| counts.entry(what.to_owned()).or_default().push(id.to_owned());
        let no_role = options["roles_to_train"].as_array().unwrap().is_empty();
        if row["error_type"] == "ValueError" && row["error"].as_str().unwrap().starts_with("Conflict") {
            note("the config is refused before any row is read");
            continue;
        }
        let encoder = Encoder::new(spec(row, &source, &tokenizer), tokenizer.clone()).unwrap();
        let data = json!({"messages": row["messages"], "tools": row["tools"]});
        let encoded = match (encoder.encode(&data), row.get("input_ids")) {
            // Without roles and rules axolotl falls back to its old way: all behind the last prompt, rendered and tokenized apart.
            (Ok(encoded), _) if no_role && options["train_on_eos"].is_null() => {
                assert!(common::labels(&encoded).iter().all(|&label| label == -100), "{id}");
                note("no role to train: nothing is trained");
                continue;
            }
            (Ok(encoded), Some(_)) => encoded,
            (Err(error), None) => {
                let expected = row["error"].as_str().unwrap();
                assert!(error.code == "no-messages" || error.message.contains(expected), "{id}: {error:?} {expected}");
                note("errors");
                continue;
            }
            (got, _) => panic!("{id}: {got:?} {:?}", row["error"]),
        };
        let ids = common::ids(&row["input_ids"]);
        if encoded.ids != ids {
            note(&format!("DIFFERENT IDS {}", row["template"]));
            continue;
        }
        let (ours, theirs) = (common::labels(&encoded), common::labels_of_spans(&ids, &row["keep_spans"]));
        if is_flagged(row) {
            let untrue = untrue(row, &encoded, &theirs);
            if !untrue.is_empty() {
                note(&format!("DIFFERENT FROM THE TEXT {untrue:?} {:?}", tokenizer.decode(&ids)));
            }
        }
        match (0..ids.len()).find(|&at| ours[at] != theirs[at]) {
            None => note("equal"),
            Some(at) => match excuse(row, &encoded, &tokenizer, &theirs) {
                Some(reason) => note(reason),
                None => {
                    for at in (0..ids.len()).filter(|&at| ours[at] != theirs[at]).take(6) {
                        let span = encoded.record.spans.iter().find(|span| span.tokens.contains(&at)).unwrap();
                        eprintln!(
                            "{id} {at} {:?} ours {:?} theirs {} in {:?}",
                            tokenizer.decode(&ids[at..at + 1]),
                            (span.kind, span.reason, span.trained),
                            theirs[at] != -100,
                            tokenizer.decode(&ids[at.saturating_sub(4)..(at + 4).min(ids.len())])
                        );
                    }
                    note(&format!("DIFFERENT LABELS {} {} {at}", row["kind"], row["category"]));
                }
            },
        }
    }
    for (what, rows) in &counts {
        eprintln!("{:4} {what} {}", rows.len(), if what.starts_with("DIFF") { rows.join(" ") } else { String::new() });
    }
    assert!(!counts.keys().any(|what| what.starts_with("DIFFERENT")));
}

/// axolotl renders a turn twice, with its content and with a dummy text in its place, and takes the tokens that differ.
#[test]
fn faults_of_the_peers_comparison_are_not_ours() {
    let Some(tokenizer) = vocabularies::tokenizer("qwen3") else { return };
    let source = "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}{% endfor %}";
    let spec: EncoderSpec = serde_json::from_value(json!({
        "template": {"name": "chatml", "source": source}, "masker": {}, "route": "content",
        "eosTokenId": tokenizer.token_to_id("<|im_end|>"),
    }))
    .unwrap();
    let encoder = Encoder::new(spec, tokenizer.clone()).unwrap();
    let table = [
        ("the first token is the dummy's", "[[Harbour]] is a link."),
        ("the last token is the dummy's", "Rows: [[1], [2]]"),
        ("both, and nothing between them", "[["),
        ("the content is the dummy", "[[dummy_message]]"),
        ("the answer repeats the question", "The same."),
    ];
    for (name, content) in table {
        let messages = json!([
            {"role": "user", "content": "The same."}, {"role": "assistant", "content": content},
            {"role": "user", "content": "The same."}, {"role": "assistant", "content": content},
        ]);
        let row = encoder.encode(&json!({"messages": messages})).unwrap();
        let trained: Vec<i32> = common::labels(&row).into_iter().filter(|&label| label != -100).collect();
        assert_eq!(tokenizer.decode(&trained), format!("{content}<|im_end|>").repeat(2), "{name}");
    }
}
