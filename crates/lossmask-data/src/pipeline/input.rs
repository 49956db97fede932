//! All files of a run as one stream of chunks.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::part::Section;
use crate::report::FileFigures;
use crate::source::{self, Chunk, Source, SourceOptions};
use crate::{DataError, DatasetSpec, PipelineSpec, split};

/// What the stream is made of.
pub(super) enum Item {
    Chunk { dataset: usize, chunk: Chunk },
    FileDone(FileFigures),
}

/// Reads the datasets one after the other, each file from its beginning as far as its rows are wanted.
pub(super) struct Reader {
    datasets: Vec<DatasetSpec>,
    sections: Vec<Section>,
    max_row_bytes: usize,
    limit: Option<u64>,
    sample: Option<(usize, u64)>,
    bytes_read: Arc<AtomicU64>,
    bytes_total: u64,
    /// Where the reader is: the section, and the file of its dataset.
    section: usize,
    file: usize,
    open: Option<OpenFile>,
    /// Rows of the current section in earlier files.
    rows_before: u64,
    /// The rows of the current section that are wanted, once it is known which they are.
    window: Option<Range<u64>>,
    /// Wanted rows of the current dataset in earlier sections.
    wanted_before: u64,
    /// Numbers of the rows drawn from the current dataset, among those that are wanted.
    drawn: Option<HashSet<u64>>,
    /// Chunks cut out of one that was read.
    ready: Vec<Chunk>,
}

struct OpenFile {
    source: Box<dyn Source>,
    /// Rows gone by.
    rows: u64,
    /// Those that were wanted.
    wanted: u64,
}

impl Reader {
    pub fn new(spec: &PipelineSpec) -> Result<Self, DataError> {
        let datasets: Vec<DatasetSpec> = spec.datasets.iter().chain(&spec.test_datasets).cloned().collect();
        let sections: Vec<Section> =
            datasets.iter().enumerate().flat_map(|(index, dataset)| Section::all(index, dataset)).collect();
        let sizes = sections
            .iter()
            .flat_map(|section| &datasets[section.dataset].files[section.files.clone()])
            .map(|file| std::fs::metadata(file).map_or(0, |data| data.len()));
        let bytes_total = sizes.sum();
        Ok(Reader {
            max_row_bytes: spec.max_row_bytes,
            limit: spec.limit,
            sample: spec.sample.map(|count| (count, spec.seed)),
            bytes_read: Arc::default(),
            bytes_total,
            datasets,
            section: 0,
            file: sections.first().map_or(0, |section| section.files.start),
            sections,
            open: None,
            rows_before: 0,
            window: None,
            wanted_before: 0,
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
            return Some(Ok(Item::Chunk { dataset: self.sections.get(self.section)?.dataset, chunk }));
        }
        loop {
            let section = self.sections.get(self.section)?;
            if self.file >= section.files.end || (self.open.is_none() && self.is_sated(0)) {
                self.end_section();
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

    fn end_section(&mut self) {
        let dataset = self.sections[self.section].dataset;
        let end = self.rows_before;
        self.wanted_before += self.window.take().map_or(0, |window| window.end.min(end).saturating_sub(window.start));
        self.section += 1;
        self.rows_before = 0;
        let next = self.sections.get(self.section);
        self.file = next.map_or(0, |section| section.files.start);
        if next.is_none_or(|section| section.dataset != dataset) {
            (self.wanted_before, self.drawn) = (0, None);
        }
    }

    /// Whether no row of the current section after `rows` of the current file is wanted.
    fn is_sated(&self, rows: u64) -> bool {
        let Some(window) = &self.window else { return false };
        let at = self.rows_before + rows;
        let wanted = self.wanted_before + at.min(window.end).saturating_sub(window.start);
        at >= window.end || self.limit.is_some_and(|limit| wanted >= limit)
    }

    /// One chunk of the current file; `None` when there was nothing to give.
    fn step(&mut self) -> Result<Option<Item>, DataError> {
        if self.window.is_none() {
            self.window = Some(self.window_of(self.section)?);
        }
        if self.drawn.is_none()
            && let Some((count, seed)) = self.sample
        {
            let total = self.count_wanted()?;
            self.drawn = Some(split::sample(total, count, seed).into_iter().collect());
        }
        let dataset = self.sections[self.section].dataset;
        if self.open.is_none() {
            let options = self.options(dataset, Arc::clone(&self.bytes_read));
            let source = source::open(&self.datasets[dataset].files[self.file], options)?;
            self.open = Some(OpenFile { source, rows: 0, wanted: 0 });
        }
        let sated = self.is_sated(self.open.as_ref().map_or(0, |open| open.rows));
        let Some(open) = &mut self.open else { return Ok(None) };
        let Some(chunk) = (if sated { None } else { open.source.next_chunk()? }) else {
            return Ok(self.close().map(Item::FileDone));
        };
        open.rows += chunk.len() as u64;
        Ok(self.wanted(chunk).map(|chunk| Item::Chunk { dataset, chunk }))
    }

    /// What of a chunk is wanted: the first piece of it; the others are made ready.
    fn wanted(&mut self, chunk: Chunk) -> Option<Chunk> {
        let (window, open) = (self.window.as_ref()?, self.open.as_mut()?);
        let first = self.rows_before + chunk.first_row;
        let last = window.end.min(
            self.limit.map_or(u64::MAX, |limit| window.start.saturating_add(limit.saturating_sub(self.wanted_before))),
        );
        let inside = first.max(window.start)..(first + chunk.len() as u64).min(last);
        open.wanted += inside.end.saturating_sub(inside.start);
        if self.drawn.is_none() && inside == (first..first + chunk.len() as u64) {
            return Some(chunk);
        }
        let (before, drawn, start) = (self.rows_before, self.drawn.as_ref(), window.start);
        let kept = chunk.retain(|row| {
            inside.contains(&(before + row))
                && drawn.is_none_or(|drawn| drawn.contains(&(self.wanted_before + before + row - start)))
        });
        self.ready = kept.into_iter().rev().collect();
        self.ready.pop()
    }

    fn close(&mut self) -> Option<FileFigures> {
        let open = self.open.take()?;
        self.rows_before += open.rows;
        let dataset = &self.datasets[self.sections[self.section].dataset];
        let file = dataset.files[self.file].clone();
        self.file += 1;
        let bytes = std::fs::metadata(&file).map_or(0, |data| data.len());
        Some(FileFigures { dataset: dataset.name.clone(), file, rows: open.wanted, bytes })
    }

    fn options(&self, dataset: usize, bytes_read: Arc<AtomicU64>) -> SourceOptions {
        SourceOptions { format: self.datasets[dataset].format, max_row_bytes: self.max_row_bytes, bytes_read }
    }

    /// The rows of a section that are wanted. They are counted only where that is needed to know.
    fn window_of(&self, section: usize) -> Result<Range<u64>, DataError> {
        let part = self.sections[section].part;
        part.window(if part.needs_total() { self.count_rows(section, None)? } else { u64::MAX })
    }

    /// Rows of the current dataset that are wanted, as far as `limit` lets them be read.
    fn count_wanted(&self) -> Result<u64, DataError> {
        let dataset = self.sections[self.section].dataset;
        let mut wanted = 0;
        for (index, section) in self.sections.iter().enumerate().filter(|(_, section)| section.dataset == dataset) {
            let window = self.window_of(index)?;
            let most = self.limit.map(|limit| window.start.saturating_add(limit));
            let rows = if section.part.needs_total() { window.end } else { self.count_rows(index, most)? };
            wanted += rows.min(window.end).saturating_sub(window.start);
        }
        Ok(self.limit.map_or(wanted, |limit| wanted.min(limit)))
    }

    /// Rows of a section, no further than `most`. Nothing is parsed.
    fn count_rows(&self, section: usize, most: Option<u64>) -> Result<u64, DataError> {
        let section = &self.sections[section];
        let mut total = 0;
        for file in &self.datasets[section.dataset].files[section.files.clone()] {
            let mut source = source::open(file, self.options(section.dataset, Arc::default()))?;
            if let Some(rows) = source.rows() {
                total += rows;
                continue;
            }
            while let Some(chunk) = source.next_chunk()? {
                total += chunk.len() as u64;
                if most.is_some_and(|most| total >= most) {
                    return Ok(total);
                }
            }
        }
        Ok(total)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // What was not read for want of need counts as read: the progress ends at its end.
        if self.sections.get(self.section).is_none() {
            self.bytes_read.store(self.bytes_total, Ordering::Relaxed);
        }
    }
}
