//! TRL and Unsloth by name: what they answered, recorded.

mod common;

use common::{ids, rows, vectors};
use lossmask::{CompletionOnly, Masker, ResponsesOnly};
use serde_json::Value;

fn completion_only(case: &Value, classic: bool) -> Masker {
    let mut instructions = rows(&case["instruction_ids"]);
    if classic {
        instructions.truncate(1);
    }
    let pad_token_id = case["pad_token_id"].as_i64().map(|id| id as i32);
    let response = ids(&case["response_ids"]);
    Masker::completion_only(&CompletionOnly { response, instructions, pad_token_id, classic, ..Default::default() })
        .unwrap()
}

#[test]
fn trl_multi_role() {
    let cases = vectors("trl_multirole_random.jsonl");
    let clear = cases.iter().filter(|case| case["ambiguous_overlap"] == false);
    let mut seen = 0;
    for case in clear {
        let labels = completion_only(case, false).labels(&ids(&case["input_ids"]));
        assert_eq!(labels, ids(&case["labels"]), "{case}");
        seen += 1;
    }
    assert_eq!(seen, 847);
}

#[test]
fn trl_classic() {
    for case in vectors("trl_multirole_random.jsonl") {
        let masker = completion_only(&case, true);
        let row = ids(&case["input_ids"]);
        assert_eq!(masker.labels(&row), ids(&case["classic_labels"]), "{case}");
        let warnings: Vec<String> =
            masker.template_warnings(&row).iter().map(|warning| warning.name().replace('-', "_")).collect();
        assert_eq!(serde_json::to_value(&warnings).unwrap(), case["classic_warnings"], "{case}");
    }
}

#[test]
fn unsloth() {
    let cases = vectors("unsloth_random.jsonl");
    for case in &cases {
        let masker = Masker::responses_only(&ResponsesOnly {
            instruction: ids(&case["instruction_ids"]),
            response: ids(&case["response_ids"]),
            last_response_only: case["last_response_only"].as_bool().unwrap(),
            ..Default::default()
        })
        .unwrap();
        for (index, row) in rows(&case["input_ids"]).iter().enumerate() {
            let expected = ids(&case["labels"][index]);
            if case["old_labels"].is_null() {
                assert_eq!(masker.labels(row), expected, "{case}");
            } else {
                let mut labels = ids(&case["old_labels"][index]);
                masker.mask_labels(row, &mut labels).unwrap();
                assert_eq!(labels, expected, "{case}");
            }
        }
    }
    assert_eq!(cases.len(), 630);
}

fn keep_spans(labels: &[i32]) -> Value {
    let mut spans: Vec<[usize; 2]> = vec![];
    for (at, _) in labels.iter().enumerate().filter(|(_, label)| **label != -100) {
        match spans.last_mut() {
            Some(span) if span[1] == at => span[1] = at + 1,
            _ => spans.push([at, at + 1]),
        }
    }
    serde_json::to_value(spans).unwrap()
}

#[test]
fn trl_real_conversations() {
    for case in common::shared_vectors("trl_multirole.jsonl").iter().filter(|case| case["kind"] == "real") {
        let row = ids(&case["input_ids"]);
        assert_eq!(keep_spans(&completion_only(case, false).labels(&row)), case["keep_spans"], "{}", case["id"]);
        let classic = completion_only(case, true).labels(&row);
        assert_eq!(keep_spans(&classic), case["classic_keep_spans"], "{}", case["id"]);
        let mut alone = case.clone();
        alone["instruction_ids"] = serde_json::json!([]);
        let alone = completion_only(&alone, true).labels(&row);
        assert_eq!(keep_spans(&alone), case["classic_no_instruction_keep_spans"], "{}", case["id"]);
    }
}

#[test]
fn unsloth_real_conversations() {
    for case in common::shared_vectors("unsloth.jsonl").iter().filter(|case| case["kind"] == "real") {
        let masker = Masker::responses_only(&ResponsesOnly {
            instruction: ids(&case["instruction_ids"]),
            response: ids(&case["response_ids"]),
            last_response_only: case["last_response_only"].as_bool().unwrap(),
            ..Default::default()
        })
        .unwrap();
        let spans: Vec<Value> = rows(&case["input_ids"]).iter().map(|row| keep_spans(&masker.labels(row))).collect();
        assert_eq!(Value::Array(spans), case["keep_spans"], "{}", case["id"]);
    }
}
