//! `input_output` rows, as axolotl encodes them.

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use lossmask_chat::{Encoder, EncoderSpec};
use serde_json::json;

#[test]
fn golden_rows() {
    let Some(rows) = common::vectors("input_output.jsonl") else { return };
    let mut tokenizers = HashMap::new();
    let mut judged = 0;
    for row in &rows {
        let name = row["tokenizer"].as_str().unwrap();
        let tokenizer = tokenizers.entry(name.to_owned()).or_insert_with(|| common::tokenizer(name).map(Arc::new));
        let Some(tokenizer) = tokenizer else { continue };
        let spec: EncoderSpec = serde_json::from_value(json!({
            "rowType": "input_output", "masker": {"trainOnInputs": row["train_on_inputs"]}
        }))
        .unwrap();
        let encoder = Encoder::new(spec, tokenizer.clone()).unwrap();
        let encoded = encoder.encode(&json!({"segments": row["segments"]})).unwrap();
        let ids = common::ids(&row["input_ids"]);
        assert_eq!(encoded.ids, ids, "{}", row["id"]);
        assert_eq!(common::labels(&encoded), common::labels_of_spans(&ids, &row["keep_spans"]), "{}", row["id"]);
        judged += 1;
    }
    eprintln!("{judged} of {} rows judged", rows.len());
}

#[test]
fn a_bad_row_says_where() {
    let Some(tokenizer) = common::tokenizer("qwen3") else { return };
    let spec: EncoderSpec = serde_json::from_value(json!({"rowType": "input_output", "masker": {}})).unwrap();
    let encoder = Encoder::new(spec, Arc::new(tokenizer)).unwrap();
    let cases = [
        (json!([]), "row-not-an-object", None),
        (json!({}), "missing-field", Some("segments")),
        (json!({"segments": "x"}), "wrong-type", Some("segments")),
        (json!({"segments": [{"text": "x"}]}), "missing-field", Some("segments[0].label")),
        (json!({"segments": [{"label": 1, "text": "x"}]}), "wrong-type", Some("segments[0].label")),
        (json!({"segments": [{"label": true, "text": null}]}), "wrong-type", Some("segments[0].text")),
    ];
    for (row, code, path) in cases {
        let error = encoder.encode(&row).unwrap_err();
        assert_eq!((error.code, error.path.as_deref()), (code, path), "{row}");
    }
}
