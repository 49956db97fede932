//! Files that the tests read where they are: recorded answers in `../shared`, templates of other packages in the test cache.

use std::fs;
use std::path::PathBuf;

use lossmask_chat::{Template, TemplateSpec};
use serde_json::{Value, json};

/// The folder of recorded answers, or `None` and a line that says so.
pub fn vectors(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(name);
    if !path.exists() {
        eprintln!("left out: {name} is not in ../shared/vectors");
        return None;
    }
    Some(path)
}

/// The lines of a JSONL file of recorded answers.
pub fn rows(name: &str) -> Vec<Value> {
    let Some(path) = vectors(name) else { return Vec::new() };
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The folder of tokenizers and templates of other packages.
pub fn cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/lossmask-test"));
    std::env::var_os("LOSSMASK_TEST_CACHE").map(PathBuf::from).or_else(home)
}

/// The source of `trl/NAME.jinja` or `axolotl/NAME.jinja` in the test cache.
pub fn template_source(name: &str) -> Option<String> {
    fs::read_to_string(cache()?.join("templates").join(name)).ok()
}

/// A template with the given variables, at the time of the recordings.
pub fn template(name: &str, source: String, variables: &Value) -> Template {
    let variables =
        variables.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    let spec = TemplateSpec { name: name.to_owned(), source, variables, now: Some("2026-01-15T12:00:00".to_owned()) };
    Template::new(&spec).unwrap_or_else(|error| panic!("{error}"))
}

/// The special tokens of `render_parity`.
pub fn parity_variables() -> Value {
    json!({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"})
}
