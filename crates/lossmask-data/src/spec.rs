//! What a run is made from: plain data, written by the TypeScript layer as camelCase JSON.
//! Every path is resolved and every name looked up there; nothing here is guessed.

use std::path::PathBuf;

use lossmask_chat::{EncoderSpec, TokenizerSpec};
use serde::{Deserialize, Serialize};

use crate::DataError;
use crate::writer::Columns;

/// A whole run: which files are read, how their rows are encoded, and what is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineSpec {
    /// The tokenizer that every dataset shares.
    pub tokenizer: TokenizerSpec,
    /// What is trained on, in order.
    pub datasets: Vec<DatasetSpec>,
    /// What is evaluated on (`test_datasets`); written as the split `test`. Not together with `val_set_size`.
    #[serde(default)]
    pub test_datasets: Vec<DatasetSpec>,
    /// Where rows go. Absent: nothing is written and only the report is made (`audit`).
    #[serde(default)]
    pub output: Option<OutputSpec>,
    /// Longest row in tokens (`sequence_len`). Absent: any length.
    #[serde(default)]
    pub sequence_len: Option<usize>,
    /// What becomes of a longer row (`excess_length_strategy`). Default `drop`, as in axolotl.
    #[serde(default)]
    pub excess_length_strategy: ExcessLength,
    /// Shorter rows are dropped (`min_sample_len`). Default 2, as in axolotl: one token predicts nothing.
    #[serde(default = "default_min_sample_len")]
    pub min_sample_len: usize,
    /// What becomes of a row that has no trained token. Default `drop`, as in axolotl; either way the report counts it.
    #[serde(default)]
    pub untrained_rows: UntrainedRows,
    /// Fail the run, and write nothing, when more than this share of the rows (0 to 1) has no trained token.
    #[serde(default)]
    pub max_untrained_share: Option<f64>,
    /// Rows set aside as the split `test` (`val_set_size`). Absent: one split.
    #[serde(default)]
    pub val_set_size: Option<ValSetSize>,
    /// Seed of that choice (`seed`). Default 42, as in axolotl.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Several rows in one sequence (`sample_packing`). Absent: each row for itself. Needs `sequence_len`.
    #[serde(default)]
    pub sample_packing: Option<PackingSpec>,
    /// Threads that encode rows. Absent: one per core. What is written does not depend on it.
    #[serde(default)]
    pub workers: Option<usize>,
    /// What a bad row does. Default `fail`.
    #[serde(default)]
    pub on_error: OnError,
    /// How many of the first rows the report holds in full (`debug`). Default 0.
    #[serde(default)]
    pub debug_rows: usize,
    /// Read no more than this many rows of each dataset.
    #[serde(default)]
    pub limit: Option<u64>,
    /// Encode only this many rows of each dataset, drawn by `seed` from all of them.
    #[serde(default)]
    pub sample: Option<usize>,
    /// A longer row, in bytes of its source, is a bad row (`row-too-large`) and is never held in memory. Default 32 MiB.
    #[serde(default = "default_max_row_bytes")]
    pub max_row_bytes: usize,
    /// Count rows that occur more than once. Costs 16 bytes of memory per row. Default `false`.
    #[serde(default)]
    pub find_duplicates: bool,
    /// Kept in the prepared folder and handed back by its reader; nothing here looks into it: the resolved config, its
    /// fingerprint, the strategy's name, the tokenizer's hub id.
    #[serde(default)]
    pub config: serde_json::Value,
}

/// One dataset: files whose rows are encoded alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DatasetSpec {
    /// What messages call it: `datasets[0].path` as the config has it.
    pub name: String,
    /// Its files, in order; paths as messages show them, relative to the working directory or absolute.
    pub files: Vec<PathBuf>,
    /// Their format. Absent: by the file name's extension, then by the first bytes. Compression (gzip, zstd, bzip2, xz, zip)
    /// is always told by the first bytes.
    #[serde(default)]
    pub format: Option<Format>,
    /// Which rows of the files are read. Absent: all of them.
    #[serde(default)]
    pub parts: Vec<PartSpec>,
    /// How its rows are encoded.
    pub encoder: EncoderSpec,
}

/// Some consecutive rows of some consecutive files: a term of a split expression (`train[:20%]`).
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartSpec {
    /// How many of the dataset's files it counts; the next part begins with the file after them.
    pub files: usize,
    /// Its first row, from the end when negative. Absent: the first of the files.
    #[serde(default)]
    pub from: Option<i64>,
    /// The row after its last one, from the end when negative. Absent: all that follow.
    #[serde(default)]
    pub to: Option<i64>,
    /// What the two count.
    #[serde(default)]
    pub unit: PartUnit,
    /// How a share becomes a row.
    #[serde(default)]
    pub rounding: PartRounding,
}

/// What the ends of a part count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartUnit {
    /// Rows.
    #[default]
    Rows,
    /// Hundredths of the rows.
    Percent,
}

/// How a share of the rows becomes a row; names of `datasets`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartRounding {
    /// To the nearest row, to the even one of two.
    #[default]
    Closest,
    /// By whole steps of a hundredth, which all have equally many rows.
    #[serde(rename = "pct1_dropremainder")]
    Pct1DropRemainder,
}

/// How a data file holds rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// One JSON array of objects, or one JSON object per line: the first byte tells.
    Json,
    /// Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
    /// Fields separated by commas (by tabs where the name says `.tsv`); the first line names the columns.
    Csv,
    /// The same, separated by tabs.
    Tsv,
    /// A row for each line, `{"text": "..."}`.
    Text,
}

/// Where rows go.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutputSpec {
    /// The folder. It appears, or replaces an older one, only when the run has succeeded.
    pub dir: PathBuf,
    /// The files' format. Default `arrow`.
    #[serde(default)]
    pub format: OutputFormat,
    /// A new file is begun after this many bytes of rows. Default 500 MB, as in `datasets`.
    #[serde(default = "default_shard_bytes")]
    pub shard_bytes: u64,
    /// Write the column `weights`: a float per token, 0 where it is not trained. Absent: when some encoder has `weights`.
    #[serde(default)]
    pub weights: Option<bool>,
}

/// What a prepared folder's files are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// Arrow IPC streams in a folder that `datasets.load_from_disk` opens.
    #[default]
    Arrow,
    /// `data/train-00000-of-00001.parquet`, which `datasets.load_dataset` reads.
    Parquet,
    /// `data/train-00000-of-00001.jsonl`.
    Jsonl,
}

/// What becomes of a row longer than `sequence_len`; axolotl's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExcessLength {
    /// It is dropped.
    #[default]
    Drop,
    /// Ids, labels and spans are cut together, and never inside a media item.
    Truncate,
    /// It is a bad row (`row-too-long`), under the rule of `on_error`.
    Raise,
}

/// What becomes of a row without a trained token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UntrainedRows {
    /// It is dropped.
    #[default]
    Drop,
    /// It is written as any other.
    Keep,
}

/// How many rows are set aside.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ValSetSize {
    /// This share of the rows written, between 0 and 1, rounded up: one row out of every `1 / share` neighbours.
    Fraction(f64),
    /// This many rows, drawn from all of them; they are held in memory until the end.
    Count(usize),
}

/// How rows are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PackingSpec {
    /// Rows packed among themselves at a time; more pack a little tighter and need more memory. Default 10,000.
    pub group_size: usize,
    /// Most rows in one sequence (`sample_packing_bin_size`). Default 200, as in axolotl.
    pub bin_size: usize,
    /// Keep the rows' order: a sequence is closed when the next row does not fit (`sample_packing_sequentially`).
    pub sequentially: bool,
}

/// What a bad row does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// It stops the run, and nothing is written.
    #[default]
    Fail,
    /// It goes to `rejected.jsonl` with its reason, and is counted.
    Skip,
}

impl PipelineSpec {
    /// Which columns are written beside ids, labels and attention mask.
    pub(crate) fn columns(&self) -> Columns {
        let encoders = || self.datasets.iter().chain(&self.test_datasets).map(|dataset| &dataset.encoder);
        let asked = self.output.as_ref().and_then(|output| output.weights);
        Columns {
            weights: asked.unwrap_or_else(|| encoders().any(|encoder| !encoder.weights.is_empty())),
            packing: self.sample_packing.is_some(),
            media: encoders().any(|encoder| encoder.media.is_some()),
        }
    }

    /// What no single field can say.
    pub(crate) fn check(&self) -> Result<(), DataError> {
        let wrong = |message: &str| Err(DataError::new("invalid-spec", message));
        match self.val_set_size {
            Some(_) if !self.test_datasets.is_empty() => {
                return wrong("`val_set_size` and `test_datasets` exclude each other");
            }
            Some(ValSetSize::Fraction(share)) if !(share > 0.0 && share < 1.0) => {
                return wrong("`val_set_size` as a share lies between 0 and 1");
            }
            Some(ValSetSize::Count(0)) => return wrong("`val_set_size` as a count is at least 1"),
            _ => {}
        }
        if let Some(packing) = self.sample_packing {
            if self.sequence_len.is_none() {
                return wrong("`sample_packing` needs `sequence_len`");
            }
            if packing.group_size == 0 || packing.bin_size == 0 {
                return wrong("the group and bin sizes of `sample_packing` are at least 1");
            }
        }
        match self.sequence_len {
            Some(0) => wrong("`sequence_len` is at least 1"),
            _ => Ok(()),
        }
    }
}

impl Default for PackingSpec {
    fn default() -> Self {
        PackingSpec { group_size: 10_000, bin_size: 200, sequentially: false }
    }
}

fn default_min_sample_len() -> usize {
    2
}

fn default_seed() -> u64 {
    42
}

fn default_max_row_bytes() -> usize {
    32 << 20
}

fn default_shard_bytes() -> u64 {
    500_000_000
}
