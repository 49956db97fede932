//! Where the tests find real vocabularies, templates and golden vectors. What is absent is left out, and said.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use lossmask_chat::{TokenSpec, Tokenizer, TokenizerSpec};
use serde_json::Value;

/// The cache of `scripts/test-resources.mjs`.
pub fn cache() -> PathBuf {
    match std::env::var_os("LOSSMASK_TEST_CACHE") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/lossmask-test"),
    }
}

/// The folder with the golden vectors that may not be copied into the project.
pub fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")
}

/// A file, or `None` with a line that says what is left out.
pub fn present(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    eprintln!("left out: {} is not there", path.display());
    None
}

/// The rows of a JSONL file.
pub fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a readable file of vectors");
    text.lines().map(|line| serde_json::from_str(line).expect("a row of JSON")).collect()
}

/// The rows of a golden set, or `None` where the shared folder is absent.
pub fn vectors(name: &str) -> Option<Vec<Value>> {
    present(shared().join("vectors").join(name)).map(|path| rows(&path))
}

/// A real vocabulary with tokens added to it.
pub fn tokenizer_with(name: &str, added: &[&str]) -> Option<Tokenizer> {
    let path = present(cache().join("models").join(name).join("tokenizer.json"))?;
    let spec = TokenizerSpec { path, added_tokens: added.iter().map(|token| TokenSpec::special(token)).collect() };
    Some(Tokenizer::load(&spec).expect("a real tokenizer loads"))
}

/// A real vocabulary.
pub fn tokenizer(name: &str) -> Option<Tokenizer> {
    tokenizer_with(name, &[])
}

/// The numbers of a JSON list.
pub fn ids(value: &Value) -> Vec<i32> {
    value.as_array().expect("a list").iter().map(|id| id.as_i64().expect("a number") as i32).collect()
}

/// The labels that spans of trained tokens stand for.
pub fn labels_of_spans(ids: &[i32], spans: &Value) -> Vec<i32> {
    let mut labels = vec![-100; ids.len()];
    for span in spans.as_array().expect("a list of spans") {
        let (start, end) = (span[0].as_u64().unwrap() as usize, span[1].as_u64().unwrap() as usize);
        labels[start..end].copy_from_slice(&ids[start..end]);
    }
    labels
}

/// A row's labels.
pub fn labels(row: &lossmask_chat::EncodedRow) -> Vec<i32> {
    let mut labels = vec![0; row.ids.len()];
    row.record.write_labels(&row.ids, -100, &mut labels);
    labels
}
