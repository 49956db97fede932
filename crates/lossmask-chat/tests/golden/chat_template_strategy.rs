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

/// Why a row may differ from the peer, if it may.
fn excuse(
    row: &Value,
    encoded: &EncodedRow,
    tokenizer: &lossmask_chat::Tokenizer,
    theirs: &[i32],
) -> Option<&'static str> {
    if row.get("oracle_missing_content_tokens").is_some() || row.get("oracle_extra_trained_tokens").is_some() {
        return Some("the peer's diff cuts or moves the content, as the row says");
    }
    let span = |at: usize| encoded.record.spans.iter().find(|span| span.tokens.contains(&at)).unwrap();
    let ours = common::labels(encoded);
    let differ: Vec<usize> = (0..ours.len()).filter(|&at| ours[at] != theirs[at]).collect();
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
        if options["roles_to_train"].as_array().unwrap().is_empty() && options["train_on_eos"].is_null() {
            note("legacy: the last answer as a completion");
            continue;
        }
        if row["error_type"] == "ValueError" && row["error"].as_str().unwrap().starts_with("Conflict") {
            note("the config is refused before any row is read");
            continue;
        }
        let encoder = Encoder::new(spec(row, &source, &tokenizer), tokenizer.clone()).unwrap();
        let data = json!({"messages": row["messages"], "tools": row["tools"]});
        let encoded = match (encoder.encode(&data), row.get("input_ids")) {
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
