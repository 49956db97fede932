//! The encoder of a family, from the golden markers.

use lossmask_chat::EncoderSpec;
use serde_json::{Value, json};

use crate::vocabularies;

/// The options of the masker, from the golden markers.
pub fn options(family: &Value, eos: &str) -> Value {
    let boundaries = family["boundaries"].as_array().unwrap().iter().map(|boundary| {
        let fused = boundary["fused_header_ids"].as_array().unwrap().iter().map(|id| json!([id]));
        let tails = boundary["tails"].as_array().unwrap().iter().map(|tail| tail["ids"].clone()).chain(fused);
        let ends = boundary["ends"].as_array().unwrap().iter().map(|end| {
            let kind = match (end["consume"].as_bool(), end["in_loss"].as_bool()) {
                (Some(true), _) => "consumed",
                (_, Some(true)) => "anchor",
                _ => "before",
            };
            json!({"ids": end["ids"], "kind": kind})
        });
        json!({"role": boundary["role"], "starts": [boundary["start_ids"]], "tails": tails.collect::<Vec<_>>(), "ends": ends.collect::<Vec<_>>()})
    });
    let exclude = family["masked_inside_assistant"].as_array().unwrap().iter();
    let exclude = exclude.map(|stretch| json!({"start": [stretch["open_id"]], "end": [stretch["close_id"]]}));
    json!({"boundaries": boundaries.collect::<Vec<_>>(), "exclude": exclude.collect::<Vec<_>>(),
        "ignoreTokenIds": family["media_ids_masked"], "trainOnEos": eos})
}

/// The encoder's spec for a family's row.
pub fn spec(row: &Value, family: &Value, source: &str, mode: &str, injection: &str) -> EncoderSpec {
    let variables = vocabularies::family_variables(row);
    serde_json::from_value(json!({
        "template": {"name": row["family"], "source": source, "variables": variables, "now": "2026-01-15T12:00:00"},
        "masker": options(family, mode), "mediaTokenIds": family["media_ids_masked"], "scannable": true,
        "route": "auto", "injection": injection,
    }))
    .unwrap()
}
