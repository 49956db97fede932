//! What the test files share: the naive reference, and the vectors of `__test__/vectors`.
#![allow(dead_code)]

pub mod naive;

use serde_json::Value;
use std::path::Path;

/// The rows of a JSONL file in `__test__/vectors`.
pub fn vectors(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An array of ids.
pub fn ids(value: &Value) -> Vec<i32> {
    value.as_array().unwrap().iter().map(|id| id.as_i64().unwrap().try_into().unwrap()).collect()
}

/// An array of arrays of ids.
pub fn rows(value: &Value) -> Vec<Vec<i32>> {
    value.as_array().unwrap().iter().map(ids).collect()
}

/// The rows of a JSONL file of the folder of recorded conversations beside the project, which is not part of it. Says so
/// and gives none where the folder is absent.
pub fn shared_vectors(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        Err(error) => {
            eprintln!("left out: {name} is not there ({error})");
            vec![]
        }
    }
}
