//! Every model family, with the messages at hand.

use std::collections::BTreeMap;
use std::path::Path;

use lossmask_chat::{EncodedRow, Encoder, Tokenizer};
use serde_json::{Value, json};

use super::family_spec::spec;
use super::{common, vocabularies};

fn trained_text(tokenizer: &Tokenizer, ids: &[i32], labels: &[i32]) -> String {
    let trained: Vec<i32> = ids.iter().zip(labels).filter(|(_, label)| **label != -100).map(|(id, _)| *id).collect();
    tokenizer.decode(&trained)
}

/// What is wrong with a row, if anything.
fn judge(row: &Value, encoded: &EncodedRow, tokenizer: &Tokenizer, mode: &str, injection: &str) -> Option<String> {
    let (ids, truth) = (common::ids(&row["input_ids"]), common::ids(&row[format!("labels_{mode}")]));
    let labels = common::labels(encoded);
    if injection == "escape" && row["case"].as_str().unwrap().starts_with("host_") {
        let (ours, theirs) = (trained_text(tokenizer, &encoded.ids, &labels), trained_text(tokenizer, &ids, &truth));
        return (ours != theirs).then(|| format!("trains {ours:?}, not {theirs:?}"));
    }
    // What tekken.json encodes never becomes a control token, as in mistral-common.
    if row["vocabulary"].as_str().unwrap().starts_with("mistral_common")
        && row["case"].as_str().unwrap().starts_with("host_")
    {
        return None;
    }
    if encoded.ids != ids {
        let at = ids.iter().zip(&encoded.ids).position(|(a, b)| a != b).unwrap_or(ids.len().min(encoded.ids.len()));
        return Some(format!(
            "ids differ at {at}: {:?}",
            tokenizer.decode(&encoded.ids[at.saturating_sub(3)..(at + 6).min(encoded.ids.len())])
        ));
    }
    let at = (0..ids.len()).find(|&at| labels[at] != truth[at])?;
    let around = tokenizer.decode(&ids[at.saturating_sub(4)..(at + 4).min(ids.len())]);
    Some(format!("label {at} is {}, not {}: {around:?}", labels[at], truth[at]))
}

#[test]
fn labels_are_the_truth_of_the_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/families");
    let Some(path) = common::present(folder.join("families.jsonl")) else { return };
    let families: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("boundaries.json")).unwrap()).unwrap();
    let only = std::env::var("LOSSMASK_TEST_FAMILY").ok();
    let mut wrong: Vec<String> = Vec::new();
    let mut counts: BTreeMap<String, [usize; 4]> = BTreeMap::new();
    let mut conflicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in common::rows(&path) {
        let name = row["family"].as_str().unwrap();
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let count = counts.entry(name.to_owned()).or_default();
        count[0] += 1;
        // A row that stops inside its last answer is no rendering of a whole conversation.
        let Some(source) =
            vocabularies::template_of_family(&row).filter(|_| row["template_kwargs"]["continue_final_message"] != true)
        else {
            continue;
        };
        let Some(tokenizer) = vocabularies::of_family(&row) else { continue };
        count[1] += 1;
        for mode in ["turn", "none", "all"] {
            for injection in ["allow", "escape"] {
                let encoder =
                    Encoder::new(spec(&row, &families[name], &source, mode, injection), tokenizer.clone()).unwrap();
                let result = encoder.encode(&json!({"messages": row["messages"]}));
                let fault = match &result {
                    Ok(encoded) => judge(&row, encoded, &tokenizer, mode, injection),
                    Err(error) => Some(format!("{error:?}")),
                };
                if let Some(fault) = fault {
                    wrong.push(format!("{} {mode} {injection}: {fault}", row["id"].as_str().unwrap()));
                }
                if let Ok(encoded) = result
                    && encoded.status == lossmask_chat::Status::Conflict
                {
                    count[3] += 1;
                    let scan = row["scan_agrees"][mode].as_bool().unwrap();
                    let key = format!("{}{}", row["case"].as_str().unwrap(), if scan { " SCAN AGREES" } else { "" });
                    conflicts.entry(key).or_default().push(format!("{name}/{mode}/{injection}"));
                    if scan && mode == "turn" && std::env::var_os("LOSSMASK_TEST_VERBOSE").is_some() {
                        eprintln!("{} {injection}: {:?}", row["id"], encoded.diagnostics);
                    }
                } else {
                    count[2] += 1;
                }
            }
        }
    }
    for (family, [rows, judged, calm, conflicts]) in counts {
        eprintln!("{family}: {judged} of {rows} rows, {calm} without conflict, {conflicts} with");
    }
    for (case, rows) in conflicts {
        eprintln!("conflict {case}: {} {}", rows.len(), rows.iter().take(12).cloned().collect::<Vec<_>>().join(" "));
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
}
