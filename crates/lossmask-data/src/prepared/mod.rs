//! A prepared folder, read back: rows by number with everything that is known of them, and the report of the run.

mod ids;
mod sidecar;

use std::fs;
use std::path::{Path, PathBuf};

use lossmask_chat::{Tokenizer, TokenizerSpec};

use crate::pipeline::token_texts;
use crate::report::{Report, ShownRow};
use crate::writer::REPORT_FILE;
use crate::{DataError, OutputFormat};
use ids::IdRow;
use sidecar::{SidecarReader, SidecarRow};

/// A prepared folder that lossmask wrote, open for reading.
pub struct Prepared {
    dir: PathBuf,
    report: Report,
    tokenizer: Result<Tokenizer, DataError>,
}

/// Which rows [`Prepared::find`] gives; what is not set holds for every row.
#[derive(Clone, Debug, Default)]
pub struct RowFilter {
    /// Rows with a diagnosis of this code.
    pub code: Option<String>,
    /// Rows with a warning, an error, or a conflict of routes.
    pub failing: bool,
    /// No more rows than this.
    pub limit: Option<usize>,
}

impl Prepared {
    /// Opens a folder. Token texts come from `tokenizer`, or else from the one that the folder was made with.
    ///
    /// # Errors
    /// `not-prepared` when lossmask did not write the folder, `corrupt-file` when its report cannot be read.
    pub fn open(dir: &Path, tokenizer: Option<TokenizerSpec>) -> Result<Self, DataError> {
        let file = dir.join(REPORT_FILE);
        let text = fs::read(&file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => not_prepared(dir),
            _ => DataError::io("read", &file, &error),
        })?;
        let report: Report = serde_json::from_slice(&text).map_err(|error| corrupt(&file, &error.to_string()))?;
        let spec = tokenizer.or_else(|| {
            let used = report.tokenizer.clone()?;
            Some(TokenizerSpec { path: used.path, added_tokens: used.added_tokens })
        });
        let tokenizer = match spec {
            Some(spec) => Tokenizer::load(&spec).map_err(DataError::from),
            None => Err(DataError::new("no-tokenizer", "the folder does not say which tokenizer it was made with")),
        };
        Ok(Prepared { dir: dir.to_owned(), report, tokenizer })
    }

    /// The report of the run that made it.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Why rows come without token texts, if they do: the tokenizer is gone or broken.
    pub fn tokenizer_problem(&self) -> Option<&DataError> {
        self.tokenizer.as_ref().err()
    }

    /// What spells the tokens, if it could be loaded.
    pub(crate) fn tokenizer(&self) -> Option<&Tokenizer> {
        self.tokenizer.as_ref().ok()
    }

    /// The rows of the given numbers, in that order. Files are read once, from their beginning to the last row wanted.
    ///
    /// # Errors
    /// `unknown-split`, `row-out-of-range`; `corrupt-file` and what the disk says.
    pub fn rows(&self, split: &str, numbers: &[u64]) -> Result<Vec<ShownRow>, DataError> {
        let count = self.row_count(split)?;
        if let Some(&beyond) = numbers.iter().find(|&&number| number >= count) {
            return Err(DataError::new(
                "row-out-of-range",
                format!("there is no row {beyond}: `{split}` has {count} rows, counted from 0"),
            ));
        }
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by_key(|&index| numbers[index]);
        let sorted: Vec<u64> = order.iter().map(|&index| numbers[index]).collect();
        let id_rows = self.id_rows(split, &sorted)?;
        let mut sidecar = SidecarReader::open(&self.dir, split)?;
        let mut rows: Vec<Option<ShownRow>> = vec![None; numbers.len()];
        for ((index, number), ids) in order.into_iter().zip(sorted).zip(id_rows) {
            rows[index] = Some(self.join(split, number, ids, sidecar.row(number)?));
        }
        Ok(rows.into_iter().flatten().collect())
    }

    /// The numbers of the rows that the filter lets pass, in order.
    ///
    /// # Errors
    /// `unknown-split`, `corrupt-file`, and what the disk says.
    pub fn find(&self, split: &str, filter: &RowFilter) -> Result<Vec<u64>, DataError> {
        let count = self.row_count(split)?;
        let mut sidecar = SidecarReader::open(&self.dir, split)?;
        let mut found = Vec::new();
        for number in 0..count {
            if filter.limit.is_some_and(|limit| found.len() >= limit) {
                break;
            }
            if sidecar.passes(number, filter)? {
                found.push(number);
            }
        }
        Ok(found)
    }

    fn row_count(&self, split: &str) -> Result<u64, DataError> {
        self.report.splits.get(split).copied().ok_or_else(|| {
            let known: Vec<&str> = self.report.splits.keys().map(String::as_str).collect();
            DataError::new("unknown-split", format!("there is no split `{split}`"))
                .hint(format!("there are: {}", known.join(", ")))
        })
    }

    /// Ids and labels of rows in ascending order.
    fn id_rows(&self, split: &str, sorted: &[u64]) -> Result<Vec<IdRow>, DataError> {
        let output = self.report.output.as_ref().ok_or_else(|| not_prepared(&self.dir))?;
        let (mut rows, mut first, mut wanted) = (Vec::with_capacity(sorted.len()), 0, sorted);
        for shard in output.files.iter().filter(|shard| shard.split == split) {
            let here = wanted.partition_point(|&number| number < first + shard.rows);
            let inside: Vec<u64> = wanted[..here].iter().map(|number| number - first).collect();
            wanted = &wanted[here..];
            first += shard.rows;
            if !inside.is_empty() {
                ids::read(&self.dir.join(&shard.file), output.format, &inside, &mut rows)?;
            }
        }
        Ok(rows)
    }

    fn join(&self, split: &str, index: u64, ids: IdRow, row: SidecarRow) -> ShownRow {
        let tokens =
            self.tokenizer.as_ref().map(|tokenizer| token_texts(tokenizer, &ids.input_ids)).unwrap_or_default();
        ShownRow {
            split: split.to_owned(),
            index,
            sources: row.sources,
            status: row.status,
            input_ids: ids.input_ids,
            labels: ids.labels,
            weights: ids.weights,
            tokens,
            turns: row.turns,
            spans: row.spans,
            diagnostics: row.diagnostics,
        }
    }
}

fn not_prepared(dir: &Path) -> DataError {
    DataError::new("not-prepared", format!("`{}` is no folder that `lossmask preprocess` wrote", dir.display()))
        .hint("name the output folder of `lossmask preprocess`")
        .in_file(dir)
}

fn corrupt(file: &Path, what: &str) -> DataError {
    DataError::new("corrupt-file", format!("`{}` cannot be read: {what}", file.display()))
        .hint("the folder was changed or is incomplete; prepare it again")
        .in_file(file)
}

/// The name under which messages know a format's files.
fn missing_column(file: &Path, format: OutputFormat) -> DataError {
    corrupt(file, &format!("its columns are not those of a prepared {format:?} file"))
}
