//! Parquet and Arrow IPC files.

use std::collections::VecDeque;
use std::fmt::Display;
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::open::CountingFile;
use super::{CHUNK_ROWS, Chunk, Rows, Source};
use crate::DataError;

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>> + Send>;

struct Columns {
    path: Arc<Path>,
    batches: Batches,
    ready: VecDeque<RecordBatch>,
    row: u64,
    /// All rows of the file, where it says how many they are.
    total: Option<u64>,
    /// Bytes to add to the counter as rows go by, where the reader counts none itself.
    progress: Option<Progress>,
}

struct Progress {
    read: Arc<AtomicU64>,
    bytes_per_row: f64,
    owed: f64,
}

pub(super) fn open_parquet(path: Arc<Path>, file: File, read: Arc<AtomicU64>) -> Result<Box<dyn Source>, DataError> {
    let size = file.metadata().map(|metadata| metadata.len()).unwrap_or(0);
    let builder = guarded(&path, || ParquetRecordBatchReaderBuilder::try_new(file))?;
    let rows = builder.metadata().file_metadata().num_rows();
    let total = u64::try_from(rows).ok();
    let reader = guarded(&path, || builder.with_batch_size(CHUNK_ROWS).build())?;
    let batches = reader.map(|batch| batch.map_err(|error| error.to_string()));
    let progress = Progress { read, bytes_per_row: size as f64 / rows.max(1) as f64, owed: 0.0 };
    Ok(Box::new(Columns {
        path,
        batches: Box::new(batches),
        ready: VecDeque::new(),
        row: 0,
        total,
        progress: Some(progress),
    }))
}

pub(super) fn open_arrow(path: Arc<Path>, file: CountingFile, is_file: bool) -> Result<Box<dyn Source>, DataError> {
    let file = BufReader::with_capacity(256 << 10, file);
    let batches: Batches = if is_file {
        Box::new(
            guarded(&path, || FileReader::try_new(file, None))?.map(|batch| batch.map_err(|error| error.to_string())),
        )
    } else {
        Box::new(
            guarded(&path, || StreamReader::try_new(file, None))?.map(|batch| batch.map_err(|error| error.to_string())),
        )
    };
    Ok(Box::new(Columns { path, batches, ready: VecDeque::new(), row: 0, total: None, progress: None }))
}

impl Source for Columns {
    fn rows(&self) -> Option<u64> {
        self.total
    }

    fn next_chunk(&mut self) -> Result<Option<Chunk>, DataError> {
        while self.ready.is_empty() {
            let batches = &mut self.batches;
            let Some(batch) = guarded(&self.path, || batches.next().transpose())? else { return Ok(None) };
            for from in (0..batch.num_rows()).step_by(CHUNK_ROWS) {
                self.ready.push_back(batch.slice(from, CHUNK_ROWS.min(batch.num_rows() - from)));
            }
        }
        let Some(batch) = self.ready.pop_front() else { return Ok(None) };
        let first_row = self.row;
        self.row += batch.num_rows() as u64;
        if let Some(progress) = &mut self.progress {
            progress.owed += progress.bytes_per_row * batch.num_rows() as f64;
            progress.read.fetch_add(progress.owed as u64, Ordering::Relaxed);
            progress.owed = progress.owed.fract();
        }
        Ok(Some(Chunk { file: Arc::clone(&self.path), first_row, rows: Rows::Columns(batch) }))
    }
}

/// A damaged file is an error even where its reader panics.
fn guarded<T, E: Display>(path: &Path, read: impl FnOnce() -> Result<T, E>) -> Result<T, DataError> {
    let what = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "its structure contradicts itself".to_owned(),
    };
    Err(DataError::new("corrupt-file", format!("`{}` cannot be read: {what}", path.display()))
        .hint("the file is incomplete, damaged, or compressed in a way that is not supported (snappy is)")
        .in_file(path))
}
