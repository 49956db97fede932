//! All files of a run as one stream of chunks.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::report::FileFigures;
use crate::source::{self, Chunk, Source, SourceOptions};
use crate::{DataError, DatasetSpec, PipelineSpec, split};

/// What the stream is made of.
pub(super) enum Item {
    Chunk { dataset: usize, chunk: Chunk },
    FileDone(FileFigures),
}

/// Reads the datasets one after the other, each file from its beginning to its end.
pub(super) struct Reader {
    datasets: Vec<DatasetSpec>,
    max_row_bytes: usize,
    limit: Option<u64>,
    sample: Option<(usize, u64)>,
    bytes_read: Arc<AtomicU64>,
    bytes_total: u64,
    dataset: usize,
    file: usize,
    open: Option<OpenFile>,
    /// Rows of the current dataset seen in earlier files.
    rows_before: u64,
    /// Numbers of the rows drawn from the current dataset.
    drawn: Option<HashSet<u64>>,
    /// Chunks cut out of one that was read.
    ready: Vec<Chunk>,
}

struct OpenFile {
    source: Box<dyn Source>,
    rows: u64,
}

impl Reader {
    pub fn new(spec: &PipelineSpec) -> Result<Self, DataError> {
        let datasets: Vec<DatasetSpec> = spec.datasets.iter().chain(&spec.test_datasets).cloned().collect();
        let sizes = datasets
            .iter()
            .flat_map(|dataset| &dataset.files)
            .map(|file| std::fs::metadata(file).map_or(0, |data| data.len()));
        let bytes_total = sizes.sum();
        Ok(Reader {
            max_row_bytes: spec.max_row_bytes,
            limit: spec.limit,
            sample: spec.sample.map(|count| (count, spec.seed)),
            bytes_read: Arc::default(),
            bytes_total,
            datasets,
            dataset: 0,
            file: 0,
            open: None,
            rows_before: 0,
            drawn: None,
            ready: Vec::new(),
        })
    }

    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// The next chunk, or the end of a file. After an error the stream goes on with the next file.
    pub fn next(&mut self) -> Option<Result<Item, DataError>> {
        if let Some(chunk) = self.ready.pop() {
            return Some(Ok(Item::Chunk { dataset: self.dataset, chunk }));
        }
        loop {
            let dataset = self.datasets.get(self.dataset)?;
            if self.file >= dataset.files.len() || self.is_sated() {
                (self.dataset, self.file, self.rows_before, self.drawn) = (self.dataset + 1, 0, 0, None);
                continue;
            }
            match self.step() {
                Ok(Some(item)) => return Some(Ok(item)),
                Ok(None) => {}
                Err(error) => {
                    self.open = None;
                    self.file += 1;
                    return Some(Err(error));
                }
            }
        }
    }

    fn is_sated(&self) -> bool {
        self.open.is_none() && self.limit.is_some_and(|limit| self.rows_before >= limit)
    }

    /// One chunk of the current file; `None` when there was nothing to give.
    fn step(&mut self) -> Result<Option<Item>, DataError> {
        if self.drawn.is_none()
            && let Some((count, seed)) = self.sample
        {
            let total = self.count_rows()?;
            self.drawn = Some(split::sample(total, count, seed).into_iter().collect());
        }
        if self.open.is_none() {
            let file = &self.datasets[self.dataset].files[self.file];
            let options = self.options(Arc::clone(&self.bytes_read));
            self.open = Some(OpenFile { source: source::open(file, options)?, rows: 0 });
        }
        let Some(open) = &mut self.open else { return Ok(None) };
        let sated = self.limit.is_some_and(|limit| self.rows_before + open.rows >= limit);
        let Some(chunk) = (if sated { None } else { open.source.next_chunk()? }) else {
            let rows = open.rows;
            self.rows_before += rows;
            return Ok(Some(Item::FileDone(self.close(rows))));
        };
        open.rows += chunk.len() as u64;
        let over = self.limit.map_or(0, |limit| (self.rows_before + open.rows).saturating_sub(limit));
        open.rows -= over;
        if over == 0 && self.drawn.is_none() {
            return Ok(Some(Item::Chunk { dataset: self.dataset, chunk }));
        }
        let (before, end) = (self.rows_before, open.rows);
        let drawn = self.drawn.as_ref();
        let kept = chunk.retain(|row| row < end && drawn.is_none_or(|drawn| drawn.contains(&(before + row))));
        self.ready = kept.into_iter().rev().collect();
        Ok(self.ready.pop().map(|chunk| Item::Chunk { dataset: self.dataset, chunk }))
    }

    fn close(&mut self, rows: u64) -> FileFigures {
        let dataset = &self.datasets[self.dataset];
        let file = dataset.files[self.file].clone();
        self.open = None;
        self.file += 1;
        let bytes = std::fs::metadata(&file).map_or(0, |data| data.len());
        FileFigures { dataset: dataset.name.clone(), file, rows, bytes }
    }

    fn options(&self, bytes_read: Arc<AtomicU64>) -> SourceOptions {
        SourceOptions { format: self.datasets[self.dataset].format, max_row_bytes: self.max_row_bytes, bytes_read }
    }

    /// Rows of the current dataset, as far as `limit` lets them be read. Nothing is parsed.
    fn count_rows(&self) -> Result<u64, DataError> {
        let mut total = 0;
        for file in &self.datasets[self.dataset].files {
            let mut source = source::open(file, self.options(Arc::default()))?;
            while let Some(chunk) = source.next_chunk()? {
                total += chunk.len() as u64;
                if self.limit.is_some_and(|limit| total >= limit) {
                    return Ok(self.limit.unwrap_or(total));
                }
            }
        }
        Ok(total)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // What was not read for want of need counts as read: the progress ends at its end.
        if self.datasets.get(self.dataset).is_none() {
            self.bytes_read.store(self.bytes_total, Ordering::Relaxed);
        }
    }
}
