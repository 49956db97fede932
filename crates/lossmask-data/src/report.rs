//! What a run found, as camelCase JSON: the summary of `preprocess`, the evidence of `audit`, `report.json` of a
//! prepared folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lossmask_chat::TokenSpec;
use serde::{Deserialize, Serialize};

use crate::OutputFormat;

/// Where a row stands in its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The file, as the spec names it.
    pub file: PathBuf,
    /// Line of a text file, counted from 1: the line the row begins on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Row of the file, counted from 0.
    pub row: u64,
}

/// A run in figures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// Rows found in the data files.
    pub rows_read: u64,
    /// Rows beyond one for each row read: the chunks of long texts. `rows_read + rows_added` are written, dropped or rejected.
    pub rows_added: u64,
    /// Rows written (of all splits), before packing.
    pub rows_written: u64,
    /// Split -> rows in its files; sequences, when rows are packed.
    pub splits: BTreeMap<String, u64>,
    /// Reason -> rows dropped: `too-long`, `too-short`, `no-trained-token`, `empty`.
    pub dropped: BTreeMap<String, u64>,
    /// Code -> rows rejected under `on_error: skip`.
    pub rejected: BTreeMap<String, u64>,
    /// Tokens of the rows written.
    pub tokens: u64,
    /// Those that are trained.
    pub trained_tokens: u64,
    /// Role -> what became of its turns, in the rows written.
    pub roles: BTreeMap<String, RoleFigures>,
    /// Kind of token -> figures, in the rows written.
    pub kinds: BTreeMap<String, TokenFigures>,
    /// Reason -> tokens, in the rows written.
    pub reasons: BTreeMap<String, u64>,
    /// Rows without a trained token, dropped or not.
    pub rows_without_trained_tokens: u64,
    /// Rows of which every token is trained.
    pub rows_fully_trained: u64,
    /// `end marker trained in N of M turns`, over the turns of trained roles that have an end marker.
    pub ends: EndFigures,
    /// Turns of trained roles without an end marker, truncated ones not counted.
    pub unterminated_turns: u64,
    /// What `excess_length_strategy: truncate` cost.
    pub truncation: TruncationFigures,
    /// How far the labels are proven: rows by `certain`, `single`, `conflict`.
    pub statuses: BTreeMap<String, u64>,
    /// Diagnoses by code, the most frequent first.
    pub diagnostics: Vec<DiagnosisFigures>,
    /// Code -> the first row behind a figure that is no diagnosis of a row: `end-not-trained`, `unterminated-turn`,
    /// `rows-too-long`.
    pub first: BTreeMap<String, Place>,
    /// Rows that occurred before, when they were looked for.
    pub duplicate_rows: Option<u64>,
    /// Lengths of the rows written, in tokens.
    pub lengths: Lengths,
    /// What packing made, when rows are packed.
    pub packing: Option<PackingFigures>,
    /// The files read.
    pub files: Vec<FileFigures>,
    /// Where the time went.
    pub timing: Timing,
    /// What was written.
    pub output: Option<OutputFigures>,
    /// The first rows in full, as many as were asked for.
    pub debug: Vec<ShownRow>,
    /// The tokenizer that made the ids.
    pub tokenizer: Option<TokenizerUsed>,
    /// The spec's `config`, as it was given.
    pub config: serde_json::Value,
}

/// Which tokenizer made the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenizerUsed {
    /// Its file.
    pub path: PathBuf,
    /// What was added to it.
    #[serde(default)]
    pub added_tokens: Vec<TokenSpec>,
}

/// Tokens of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenFigures {
    /// All of them.
    pub tokens: u64,
    /// Those trained.
    pub trained: u64,
}

/// Turns of one role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoleFigures {
    /// All its turns.
    pub turns: u64,
    /// Turns of which some token is trained.
    pub trained_turns: u64,
    /// Tokens of its turns.
    pub tokens: u64,
    /// Those trained.
    pub trained: u64,
    /// The same by kind of token.
    pub kinds: BTreeMap<String, TokenFigures>,
}

/// `N of M turns`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EndFigures {
    /// Turns whose end marker is trained.
    pub trained: u64,
    /// Turns that have one.
    pub turns: u64,
    /// Token id -> turns whose end marker holds it and is trained.
    #[serde(default)]
    pub tokens: BTreeMap<i32, u64>,
}

/// What truncation cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TruncationFigures {
    /// Rows cut.
    pub rows: u64,
    /// Turns cut or lost.
    pub turns: u64,
    /// Tokens lost.
    pub tokens: u64,
    /// Trained tokens lost.
    pub trained_tokens: u64,
}

/// One diagnosis code over the whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiagnosisFigures {
    /// Its code.
    pub code: String,
    /// `info`, `warning` or `error`: the worst seen.
    pub severity: String,
    /// How often it was made.
    pub count: u64,
    /// Rows it was made for.
    pub rows: u64,
    /// The first of these rows.
    pub first: Place,
    /// What was said there.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Lengths of rows in tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lengths {
    /// The shortest.
    pub min: u64,
    /// The longest.
    pub max: u64,
    /// The mean.
    pub mean: f64,
    /// `histogram[i]`: rows of `2^i` to `2^(i+1) - 1` tokens.
    pub histogram: Vec<u64>,
}

/// What packing made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackingFigures {
    /// Sequences written.
    pub sequences: u64,
    /// Rows in them.
    pub rows: u64,
    /// Share of `sequence_len` that holds tokens, 0 to 1.
    pub efficiency: f64,
    /// Rows whose first token was trained and is not any more: the token before it belongs to another row.
    pub first_tokens_masked: u64,
}

/// One file read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFigures {
    /// The dataset's name.
    pub dataset: String,
    /// The file.
    pub file: PathBuf,
    /// Rows read.
    pub rows: u64,
    /// Its size on disk in bytes.
    pub bytes: u64,
}

/// Seconds, summed over all threads while they worked; `wall` is what a clock on the wall showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Timing {
    /// The whole run.
    pub wall: f64,
    /// Reading and decompressing.
    pub read: f64,
    /// Parsing rows.
    pub parse: f64,
    /// Rendering templates.
    pub render: f64,
    /// Tokenizing.
    pub tokenize: f64,
    /// Everything else an encoder does: labels, checks.
    pub mask: f64,
    /// Cutting, splitting, packing, figures, writing.
    pub write: f64,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputFigures {
    /// The folder.
    pub dir: PathBuf,
    /// Its format.
    pub format: OutputFormat,
    /// Its files with rows, relative to the folder, in order.
    pub files: Vec<ShardFigures>,
    /// Bytes of these files.
    pub bytes: u64,
}

/// One file written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShardFigures {
    /// The split it belongs to.
    pub split: String,
    /// Its name, relative to the folder.
    pub file: String,
    /// Its rows.
    pub rows: u64,
}

/// A row in full, for people to look at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownRow {
    /// `train` or `test`.
    pub split: String,
    /// Number in the split, from 0.
    pub index: u64,
    /// Where it comes from; several places when rows are packed.
    pub sources: Vec<Place>,
    /// `certain`, `single` or `conflict`.
    pub status: String,
    /// Token ids.
    pub input_ids: Vec<i32>,
    /// Labels.
    pub labels: Vec<i32>,
    /// Weight of each token in the loss; absent where every trained token weighs 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f32>>,
    /// Text of each token; a token that holds part of a character shows `U+FFFD`.
    pub tokens: Vec<String>,
    /// Its turns.
    pub turns: Vec<ShownTurn>,
    /// Its spans, which cover the row.
    pub spans: Vec<ShownSpan>,
    /// What is odd about it.
    pub diagnostics: Vec<ShownDiagnosis>,
}

/// One turn of a [`ShownRow`], in token indices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownTurn {
    /// Its role.
    pub role: String,
    /// First token of the start marker.
    pub start: u32,
    /// First token behind the header.
    pub content_start: u32,
    /// First token of the end marker.
    pub content_end: u32,
    /// Behind the turn.
    pub end: u32,
    /// Whether any of it may be trained.
    pub trained: bool,
    /// Whether an end marker was found.
    pub terminated: bool,
}

/// One span of a [`ShownRow`]: tokens of one kind with one decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownSpan {
    /// First token.
    pub start: u32,
    /// Behind the last one.
    pub end: u32,
    /// Index into the turns.
    pub turn: Option<u32>,
    /// Kind of token.
    pub kind: String,
    /// Whether trained.
    pub trained: bool,
    /// Why.
    pub reason: String,
    /// Weight in the loss.
    pub weight: f32,
}

/// One diagnosis of a [`ShownRow`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownDiagnosis {
    /// Stable code.
    pub code: String,
    /// `info`, `warning` or `error`.
    pub severity: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// First token it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u32>,
    /// Behind the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u32>,
}
