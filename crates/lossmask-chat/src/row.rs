//! What comes out of an [`Encoder`](crate::Encoder): one row, or why there is none.

use lossmask::{Diagnosis, Record};

/// How far a row's labels are proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Two routes agree.
    Certain,
    /// Only one route applies.
    Single,
    /// Two routes differ; the labels are those of the stronger one, and a diagnosis names the difference.
    Conflict,
}

/// A row ready for training.
#[derive(Clone, Debug)]
pub struct EncodedRow {
    /// The token ids.
    pub ids: Vec<i32>,
    /// Turns and spans: labels and weights are made from it.
    pub record: Record,
    /// How far the labels are proven.
    pub status: Status,
    /// What is odd about the row.
    pub diagnostics: Vec<Diagnosis>,
}

/// Why a row cannot be encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct RowError {
    /// Stable code in kebab case, documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// Where in the row, as a path: `messages[2].role`.
    pub path: Option<String>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{path}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for RowError {}

/// Why an [`Encoder`](crate::Encoder) or a part of it cannot be built: the config, a template or a tokenizer is at fault.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecError {
    /// Stable code in kebab case, documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for SpecError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SpecError {}
