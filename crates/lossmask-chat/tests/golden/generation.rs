//! transformers' `return_assistant_tokens_mask`.

use lossmask_chat::{Encoder, EncoderSpec};
use serde_json::json;

use super::{common, vocabularies};

#[test]
fn masks_are_those_of_transformers() {
    let Some(rows) = common::vectors("generation_masks.jsonl") else { return };
    let (mut judged, mut untagged, mut wrong) = (0, 0, Vec::new());
    for row in &rows {
        let id = row["id"].as_str().unwrap();
        let given = row["template_source"].as_str().map(str::to_owned);
        let Some(source) = given.or_else(|| vocabularies::template(row["template"].as_str().unwrap())) else {
            continue;
        };
        let Some(tokenizer) = vocabularies::tokenizer(row["tokenizer"].as_str().unwrap()) else { continue };
        let tagged = source.contains("generation");
        let spec = |route: &str| -> EncoderSpec {
            serde_json::from_value(json!({
                "template": {"name": row["template"], "source": source, "variables": row["special_tokens"], "now": "2026-01-15T12:00:00"},
                "masker": {}, "route": route, "injection": "allow",
            }))
            .unwrap()
        };
        let data = json!({"messages": row["messages"], "tools": row["tools"]});
        let encoder = match Encoder::new(spec("generation"), tokenizer.clone()) {
            Ok(encoder) => encoder,
            Err(error) => {
                assert_eq!(error.code, "no-generation-tags", "{id}");
                assert!(!source.contains("{% generation") && !source.contains("{%- generation"), "{id}");
                untagged += 1;
                assert!(row["assistant_mask_spans"].as_array().unwrap().is_empty(), "{id}");
                continue;
            }
        };
        assert!(tagged, "{id}");
        let encoded = encoder.encode(&data).unwrap_or_else(|error| panic!("{id}: {error:?}"));
        let ids = common::ids(&row["input_ids"]);
        assert_eq!(encoded.ids, ids, "{id}");
        let spans = row.get("overlap_mask_spans").unwrap_or(&row["assistant_mask_spans"]);
        let (ours, theirs) = (common::labels(&encoded), common::labels_of_spans(&ids, spans));
        if let Some(at) = (0..ids.len()).find(|&at| ours[at] != theirs[at]) {
            wrong.push(format!(
                "{id}: label {at} of {:?}",
                tokenizer.decode(&ids[at.saturating_sub(4)..ids.len().min(at + 4)])
            ));
        }
        let auto = Encoder::new(spec("auto"), tokenizer.clone()).unwrap().encode(&data).unwrap();
        if auto.status != lossmask_chat::Status::Certain {
            wrong.push(format!("{id}: {:?}", auto.diagnostics));
        }
        judged += 1;
    }
    eprintln!("{judged} of {} rows judged, {untagged} without generation tags", rows.len());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
