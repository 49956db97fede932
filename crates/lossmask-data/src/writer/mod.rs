//! Prepared rows on disk: a folder that appears as a whole or not at all.

mod batch;
mod folder;
mod manifest;
mod media;
mod rejected;
mod shards;
mod sidecar;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::Schema;

pub(crate) use batch::Columns;
pub(crate) use folder::Folder;
pub use folder::abandon_all;
pub(crate) use rejected::Rejected;
pub(crate) use sidecar::{REPORT_FILE, SIDECAR_BATCH_ROWS, sidecar_file};

use crate::report::{OutputFigures, ShardFigures};
use crate::row::Row;
use crate::{DataError, OutputFormat, Report};
use batch::BatchBuilder;
use shards::Shards;
use sidecar::Sidecar;

/// Rows as JSON lines in memory.
pub(crate) struct RowLines {
    batch: BatchBuilder,
    lines: Vec<u8>,
}

impl RowLines {
    pub fn new(columns: Columns) -> Self {
        RowLines { batch: BatchBuilder::new(columns), lines: Vec::new() }
    }

    pub fn append(&mut self, row: &Row) -> Result<(), DataError> {
        self.batch.append(row);
        if self.batch.tokens() >= BATCH_TOKENS { self.flush() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<Vec<u8>, DataError> {
        self.flush()?;
        Ok(self.lines)
    }

    fn flush(&mut self) -> Result<(), DataError> {
        let batch = self.batch.finish()?;
        shards::write_jsonl(&mut self.lines, &batch).map_err(|error| DataError::new("io-error", error.to_string()))
    }
}

/// Rows per record batch.
const BATCH_ROWS: usize = 1000;
/// A batch is closed once it holds this many tokens.
const BATCH_TOKENS: usize = 1 << 20;

/// Writes a prepared folder of one or two splits.
pub(crate) struct Writer {
    folder: Folder,
    format: OutputFormat,
    /// `train`, and `test` where there is one.
    splits: Vec<SplitWriter>,
}

/// What is written besides ids, labels and attention mask, and how it is cut into files.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub format: OutputFormat,
    pub columns: Columns,
    pub shard_bytes: u64,
}

struct SplitWriter {
    name: &'static str,
    batch: BatchBuilder,
    shards: Shards,
    sidecar: Sidecar,
    rows: u64,
    fingerprint: DefaultHasher,
}

impl Writer {
    /// Begins a folder beside `dir`. Errors: `output-not-replaceable`, and what the disk says.
    pub fn create(dir: &Path, splits: &[&'static str], layout: Layout) -> Result<Self, DataError> {
        let folder = Folder::create(dir)?;
        let split_dir = |name: &str| match (layout.format, splits.len()) {
            (OutputFormat::Arrow, 1) => PathBuf::new(),
            (OutputFormat::Arrow, _) => PathBuf::from(name),
            _ => PathBuf::from("data"),
        };
        let writers = splits.iter().map(|&name| SplitWriter::create(name, &folder, split_dir(name), layout));
        let splits = writers.collect::<Result<_, _>>()?;
        Ok(Writer { folder, format: layout.format, splits })
    }

    /// The folder being written, for files that others add.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a row; `split` as an index into the splits given to `create`.
    pub fn write(&mut self, split: usize, row: &Row) -> Result<(), DataError> {
        self.splits[split].write(row)
    }

    /// Closes all files, puts `report` beside them and makes the folder appear. The report with the output's figures.
    pub fn finish(mut self, mut report: Report) -> Result<Report, DataError> {
        let mut output =
            OutputFigures { dir: self.folder.target().to_owned(), format: self.format, files: Vec::new(), bytes: 0 };
        let several = self.splits.len() > 1;
        for split in std::mem::take(&mut self.splits) {
            report.splits.insert(split.name.to_owned(), split.rows);
            split.finish(&self.folder, self.format, &mut output)?;
        }
        if self.format == OutputFormat::Arrow && several {
            self.folder.write_file("dataset_dict.json", br#"{"splits": ["train", "test"]}"#)?;
        }
        report.output = Some(output);
        let json =
            serde_json::to_vec_pretty(&report).map_err(|error| DataError::new("internal-error", error.to_string()))?;
        self.folder.write_file(REPORT_FILE, &json)?;
        self.folder.publish()?;
        Ok(report)
    }
}

impl SplitWriter {
    fn create(name: &'static str, folder: &Folder, dir: PathBuf, layout: Layout) -> Result<Self, DataError> {
        let batch = BatchBuilder::new(layout.columns);
        let schema: Arc<Schema> = batch.schema();
        Ok(SplitWriter {
            name,
            shards: Shards::new(folder, dir, name, layout.format, layout.shard_bytes, schema),
            sidecar: Sidecar::create(folder, name)?,
            batch,
            rows: 0,
            fingerprint: DefaultHasher::new(),
        })
    }

    fn write(&mut self, row: &Row) -> Result<(), DataError> {
        self.batch.append(row);
        self.sidecar.append(row)?;
        row.hash().hash(&mut self.fingerprint);
        self.rows += 1;
        if self.batch.rows() >= BATCH_ROWS || self.batch.tokens() >= BATCH_TOKENS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DataError> {
        if self.batch.rows() > 0 {
            self.shards.write(&self.batch.finish()?)?;
        }
        Ok(())
    }

    fn finish(mut self, folder: &Folder, format: OutputFormat, output: &mut OutputFigures) -> Result<(), DataError> {
        self.flush()?;
        self.sidecar.finish()?;
        let features = self.batch.features();
        let dir = self.shards.dir().to_owned();
        let files = self.shards.finish(folder)?;
        if format == OutputFormat::Arrow {
            let names: Vec<&str> = files.iter().filter_map(|file| file.name.file_name()?.to_str()).collect();
            write_dataset_files(folder, &dir, &features, &names, self.fingerprint.finish(), self.name)?;
        }
        for file in files {
            output.bytes += file.bytes;
            let name = file.name.to_string_lossy().replace('\\', "/");
            output.files.push(ShardFigures { split: self.name.to_owned(), file: name, rows: file.rows });
        }
        Ok(())
    }
}

/// `dataset_info.json` and `state.json`, as `datasets.load_from_disk` wants them.
fn write_dataset_files(
    folder: &Folder,
    dir: &Path,
    features: &serde_json::Value,
    names: &[&str],
    fingerprint: u64,
    split: &str,
) -> Result<(), DataError> {
    let info =
        serde_json::json!({ "citation": "", "description": "", "features": features, "homepage": "", "license": "" });
    let files: Vec<_> = names.iter().map(|name| serde_json::json!({ "filename": name })).collect();
    let state = serde_json::json!({
        "_data_files": files,
        "_fingerprint": format!("{fingerprint:016x}"),
        "_format_columns": null,
        "_format_kwargs": {},
        "_format_type": null,
        "_output_all_columns": false,
        "_split": split,
    });
    folder.write_file(dir.join("dataset_info.json"), info.to_string().as_bytes())?;
    folder.write_file(dir.join("state.json"), state.to_string().as_bytes())
}
