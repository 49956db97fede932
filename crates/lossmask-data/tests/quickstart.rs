//! The quick start's conversations with its own tokenizer and template: the whole way, nothing replaced.

mod common;

use std::path::PathBuf;

use lossmask_chat::{Tokenizer, TokenizerSpec};
use lossmask_data::{Control, PipelineSpec, Prepared, RowFilter, run};
use serde_json::{Value, json};

fn quickstart() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart")
}

/// The spec that the quick start's config stands for, ids looked up in its tokenizer.
fn spec(out: &std::path::Path, extra: Value) -> PipelineSpec {
    let model = quickstart().join("model");
    let path = model.join("tokenizer.json");
    let tokenizer = Tokenizer::load(&TokenizerSpec { path: path.clone(), added_tokens: Vec::new() }).unwrap();
    let boundary = |role: &str| {
        json!({
            "role": role,
            "starts": [tokenizer.encode_ids(&format!("<|im_start|>{role}"))],
            "tails": [tokenizer.encode_ids("\n")],
            "ends": [{ "ids": tokenizer.encode_ids("<|im_end|>"), "kind": "consumed" }],
        })
    };
    let boundaries = ["system", "user", "assistant", "tool"].map(boundary);
    let mut spec = json!({
        "tokenizer": { "path": path },
        "datasets": [{
            "name": "conversations.jsonl",
            "files": [quickstart().join("conversations.jsonl")],
            "encoder": {
                "template": { "name": "chat_template.jinja", "source": std::fs::read_to_string(model.join("chat_template.jinja")).unwrap() },
                "masker": { "boundaries": boundaries },
                "scannable": true,
            },
        }],
        "output": { "dir": out },
        "debugRows": 1,
    });
    for (key, value) in extra.as_object().unwrap() {
        spec[key] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

#[test]
fn every_answer_is_trained_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("prepared");
    let report = run(&spec(&out, json!({})), Control::default()).unwrap();
    assert_eq!(report.rows_written, report.rows_read);
    assert!(report.timing.tokenize > 0.0 && report.timing.render > 0.0, "{:?}", report.timing);
    let path = quickstart().join("model/tokenizer.json");
    let tokenizer = Tokenizer::load(&TokenizerSpec { path, added_tokens: Vec::new() }).unwrap();
    let prepared = Prepared::open(&out, None).unwrap();
    assert!(prepared.tokenizer_problem().is_none());
    let numbers = prepared.find("train", &RowFilter::default()).unwrap();
    assert_eq!(numbers.len() as u64, report.rows_written);
    let text = std::fs::read_to_string(quickstart().join("conversations.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows = prepared.rows("train", &numbers).unwrap();
    let shown = &report.debug[0];
    assert_eq!(shown, &rows[0]);
    for row in rows {
        let messages = lines[row.sources[0].line.unwrap() as usize - 1]["messages"].as_array().unwrap();
        let answers = messages.iter().filter(|message| message["role"] == "assistant");
        let expected: String =
            answers.map(|message| format!("{}<|im_end|>", message["content"].as_str().unwrap().trim_start())).collect();
        // Through the tokenizer, since the text of one token may be part of a character.
        let ids: Vec<i32> = row.labels.iter().copied().filter(|&label| label != -100).collect();
        let trained = tokenizer.decode(&ids);
        // White space at the beginning of an answer may share a token with the header and is masked with it then.
        let trained: String = trained.split("<|im_end|>").map(str::trim_start).collect::<Vec<_>>().join("<|im_end|>");
        if messages.iter().all(|message| message.get("tool_calls").is_none()) {
            assert_eq!(trained, expected, "{:?}", row.sources);
        }
    }
}

#[test]
fn a_message_without_its_content_is_an_error_with_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let rows = [
        json!({ "messages": [{ "role": "user", "content": "a" }, { "role": "assistant", "content": "b" }] }),
        json!({ "text": "c" }),
    ];
    let file = common::write(dir.path(), "rows.jsonl", common::jsonl(&rows));
    let out = dir.path().join("out");
    let mut spec = spec(&out, json!({}));
    spec.datasets[0].files = vec![file.clone()];
    let error = run(&spec, Control::default()).unwrap_err();
    assert_eq!((error.file.as_deref(), error.line), (Some(file.as_path()), Some(2)), "{error}");
    assert!(error.message.contains("messages") || error.path.as_deref() == Some("messages"), "{error}");
    assert!(!out.exists());
}
