//! Every model family, with the messages at hand.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use lossmask_chat::{EncodedRow, Encoder, Status, Tokenizer};
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
    // What mistral-common encodes never becomes a control token: its rows hold the ids of escaped text.
    let escaped = injection == "escape" && !matches!(row["family"].as_str().unwrap(), "mistral3" | "voxtral");
    if escaped && row["case"].as_str().unwrap().starts_with("host_") {
        let (ours, theirs) = (trained_text(tokenizer, &encoded.ids, &labels), trained_text(tokenizer, &ids, &truth));
        return (ours != theirs).then(|| format!("trains {ours:?}, not {theirs:?}"));
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

/// What is wrong with the status: `auto` is certain where ids tell the turns, and elsewhere a conflict or a typed marker is reported. (Once
/// a typed marker is escaped, the ids tell the turns again.)
fn unsaid(row: &Value, encoded: &EncodedRow, mode: &str) -> Option<String> {
    let ids_tell = row["scan_agrees"][mode].as_bool().unwrap();
    let typed = encoded.diagnostics.iter().any(|diagnosis| diagnosis.code == "typed-marker");
    let said = match encoded.status {
        Status::Certain => ids_tell || typed,
        Status::Conflict => !ids_tell,
        Status::Single => false,
    };
    (!said).then(|| format!("{:?}, {:?}", encoded.status, encoded.diagnostics))
}

#[test]
fn labels_are_the_truth_of_the_text() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/families");
    let Some(path) = common::present(folder.join("families.jsonl")) else { return };
    let families: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("boundaries.json")).unwrap()).unwrap();
    let only = std::env::var("LOSSMASK_TEST_FAMILY").ok();
    let mut wrong: Vec<String> = Vec::new();
    let mut judged: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut encoders: HashMap<String, Encoder> = HashMap::new();
    let mut conflicts: BTreeMap<String, usize> = BTreeMap::new();
    for row in common::rows(&path) {
        let (name, id) = (row["family"].as_str().unwrap(), row["id"].as_str().unwrap());
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let count = judged.entry(name.to_owned()).or_default();
        count[1] += 1;
        let Some(source) = vocabularies::template_of_family(&row) else { continue };
        let Some(tokenizer) = vocabularies::of_family(&row) else { continue };
        count[0] += 1;
        for (mode, injection) in
            ["turn", "none", "all"].into_iter().flat_map(|mode| [(mode, "allow"), (mode, "escape")])
        {
            let key = format!("{name} {mode} {injection} {} {source}", vocabularies::family_variables(&row));
            let encoder = encoders.entry(key).or_insert_with(|| {
                Encoder::new(spec(&row, &families[name], &source, mode, injection), tokenizer.clone()).unwrap()
            });
            let encoded = encoder.encode(&json!({"messages": row["messages"]}));
            let fault = match &encoded {
                Ok(encoded) => {
                    judge(&row, encoded, &tokenizer, mode, injection).or_else(|| unsaid(&row, encoded, mode))
                }
                Err(error) => Some(format!("{error:?}")),
            };
            wrong.extend(fault.map(|fault| format!("{id} {mode} {injection}: {fault}")));
            if encoded.is_ok_and(|encoded| encoded.status == Status::Conflict) {
                *conflicts.entry(row["case"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    for (family, [judged, rows]) in judged {
        eprintln!("{family}: {judged} of {rows} rows judged");
    }
    eprintln!("rows and modes in which ids alone read otherwise: {conflicts:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
}
