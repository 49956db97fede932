//! What comes out of an [`Encoder`](crate::Encoder): one row, or why there is none.

use std::ops::Range;

use lossmask::{Diagnosis, Record};
use lossmask_media::{GridValue, MediaKind};

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
    /// Its media, in the order of their tokens.
    pub media: Vec<RowMedia>,
}

/// One piece of media in a row: what the training loop needs to make its pixels, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct RowMedia {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is: the path or URL as the data has it; for bytes in the row itself, their place in the row
    /// (`messages[0].content[1]`).
    pub reference: String,
    /// The tokens that the processor puts in the place of its placeholder; the template's delimiters stand outside.
    pub tokens: Range<usize>,
    /// The processor's values for it: `image_grid_thw` and its like.
    pub grid: Vec<GridValue>,
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
