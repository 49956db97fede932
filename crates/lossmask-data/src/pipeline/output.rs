//! The end of the stream: rows in order go to their split, are packed and written, and everything is counted.

use std::collections::HashSet;
use std::fs;
use std::time::Instant;

use super::RowEncoder;
use super::chunk::{EncodedChunk, Outcome};
use crate::figures::Figures;
use crate::packing::Packer;
use crate::report::{FileFigures, Report, ShownRow, TokenizerUsed};
use crate::row::Row;
use crate::split::Splitter;
use crate::writer::{Layout, Rejected, Writer};
use crate::{DataError, OnError, PipelineSpec};

const TRAIN: usize = 0;
const TEST: usize = 1;

/// Refuses an output folder that holds a file which is read: it would be replaced by what is made of it.
pub(super) fn check_inputs(spec: &PipelineSpec) -> Result<(), DataError> {
    let Some(output) = &spec.output else { return Ok(()) };
    let Ok(folder) = fs::canonicalize(&output.dir) else { return Ok(()) };
    if !folder.is_dir() {
        return Ok(());
    }
    let inputs = spec.datasets.iter().chain(&spec.test_datasets).flat_map(|dataset| &dataset.files);
    match inputs
        .filter_map(|file| Some((file, fs::canonicalize(file).ok()?)))
        .find(|(_, path)| path.starts_with(&folder))
    {
        None => Ok(()),
        Some((file, _)) => {
            let message =
                format!("the output folder `{}` holds the dataset `{}`", output.dir.display(), file.display());
            Err(DataError::new("output-holds-input", message)
                .hint("choose another output folder: the dataset would be replaced by the rows made of it")
                .in_file(&output.dir))
        }
    }
}

/// Takes the chunks in the rows' order.
pub(super) struct Output {
    pub figures: Figures,
    on_error: OnError,
    /// Datasets below this number are trained on, the others evaluated on.
    train_datasets: usize,
    splitter: Splitter<Row>,
    /// One for each split, when rows are packed.
    packers: Vec<Packer>,
    sink: Option<Sink>,
    rows_of_split: [u64; 2],
    debug: Vec<ShownRow>,
    debug_rows: usize,
    seen: Option<HashSet<u64>>,
    duplicates: u64,
    files: Vec<FileFigures>,
    seconds: f64,
    /// Seconds the reader worked.
    pub read_seconds: f64,
}

struct Sink {
    writer: Writer,
    rejected: Rejected,
}

impl Output {
    pub fn create(spec: &PipelineSpec) -> Result<Self, DataError> {
        let has_test = spec.val_set_size.is_some() || !spec.test_datasets.is_empty();
        let splits: &[&'static str] = if has_test { &["train", "test"] } else { &["train"] };
        let packing = spec.sample_packing.zip(spec.sequence_len);
        let sink = match &spec.output {
            None => None,
            Some(output) => {
                let columns = spec.columns();
                let layout = Layout { format: output.format, columns, shard_bytes: output.shard_bytes };
                let writer = Writer::create(&output.dir, splits, layout)?;
                let rejected = Rejected::new(writer.path());
                Some(Sink { writer, rejected })
            }
        };
        let packers = packing.map_or_else(Vec::new, |(packing, capacity)| {
            splits.iter().map(|_| Packer::new(packing, capacity)).collect()
        });
        Ok(Output {
            figures: Figures::default(),
            on_error: spec.on_error,
            train_datasets: spec.datasets.len(),
            splitter: Splitter::new(spec.val_set_size, spec.seed),
            packers,
            sink,
            rows_of_split: [0; 2],
            debug: Vec::new(),
            debug_rows: spec.debug_rows,
            seen: spec.find_duplicates.then(HashSet::new),
            duplicates: 0,
            files: Vec::new(),
            seconds: 0.0,
            read_seconds: 0.0,
        })
    }

    /// Takes a chunk. Under `on_error: fail` the first bad row is the error.
    pub fn take(&mut self, chunk: EncodedChunk, encoders: &[&dyn RowEncoder]) -> Result<(), DataError> {
        let began = Instant::now();
        self.figures.add(chunk.figures);
        for outcome in chunk.rows {
            match outcome {
                Outcome::Bad { error, raw } => self.reject(&error, Some(&raw))?,
                Outcome::Row { mut row, hash } => {
                    if self.seen.as_mut().is_some_and(|seen| !seen.insert(hash)) {
                        self.duplicates += 1;
                        self.figures.repeated(&mut row);
                    }
                    self.show(&row, chunk.dataset, encoders);
                    self.place(row, chunk.dataset)?;
                }
            }
        }
        self.seconds += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// Counts a bad row and keeps it for people to look at, or fails.
    pub fn reject(&mut self, error: &DataError, raw: Option<&str>) -> Result<(), DataError> {
        if self.on_error == OnError::Fail {
            return Err(error.clone());
        }
        self.figures.reject(error);
        match &mut self.sink {
            Some(sink) => sink.rejected.write(error, raw.filter(|raw| !raw.is_empty())),
            None => Ok(()),
        }
    }

    pub fn file_done(&mut self, figures: FileFigures) {
        self.files.push(figures);
    }

    fn show(&mut self, row: &Row, dataset: usize, encoders: &[&dyn RowEncoder]) {
        if self.debug.len() < self.debug_rows {
            let split = if dataset < self.train_datasets { "train" } else { "test" };
            let texts = encoders[dataset].token_texts(&row.ids);
            self.debug.push(row.show(split, self.debug.len() as u64, texts));
        }
    }

    fn place(&mut self, row: Row, dataset: usize) -> Result<(), DataError> {
        if dataset >= self.train_datasets {
            return self.pack(TEST, row);
        }
        for (is_test, row) in self.splitter.push(row) {
            self.pack(if is_test { TEST } else { TRAIN }, row)?;
        }
        Ok(())
    }

    fn pack(&mut self, split: usize, row: Row) -> Result<(), DataError> {
        self.rows_of_split[split] += 1;
        match self.packers.get_mut(split) {
            None => self.write(split, &row),
            Some(packer) => {
                let sequences = packer.push(row);
                sequences.iter().try_for_each(|sequence| self.write(split, sequence))
            }
        }
    }

    fn write(&mut self, split: usize, row: &Row) -> Result<(), DataError> {
        match &mut self.sink {
            Some(sink) => sink.writer.write(split, row),
            None => Ok(()),
        }
    }

    /// Writes what is still held, checks the whole, and makes the folder appear.
    pub fn finish(mut self, spec: &PipelineSpec, started: Instant) -> Result<Report, DataError> {
        let began = Instant::now();
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(None, 0));
        for (is_test, row) in splitter.finish() {
            self.pack(if is_test { TEST } else { TRAIN }, row)?;
        }
        for split in 0..self.packers.len() {
            let sequences = self.packers[split].flush();
            sequences.iter().try_for_each(|sequence| self.write(split, sequence))?;
        }
        self.check(spec)?;
        let packing = self.packing_figures();
        let mut report = self.figures.into_report();
        if let Some(packing) = packing {
            report.trained_tokens -= packing.first_tokens_masked;
            report.packing = Some(packing);
        }
        report.duplicate_rows = self.seen.map(|_| self.duplicates);
        report.files = self.files;
        report.debug = self.debug;
        report.tokenizer = Some(TokenizerUsed {
            path: spec.tokenizer.path.clone(),
            added_tokens: spec.tokenizer.added_tokens.clone(),
        });
        report.config = spec.config.clone();
        report.timing.read = self.read_seconds;
        report.timing.write = self.seconds + began.elapsed().as_secs_f64();
        report.timing.wall = started.elapsed().as_secs_f64();
        match self.sink {
            None => Ok(report),
            Some(sink) => {
                sink.rejected.finish()?;
                sink.writer.finish(report)
            }
        }
    }

    fn packing_figures(&self) -> Option<crate::report::PackingFigures> {
        let mut packers = self.packers.iter().map(|packer| packer.figures);
        let first = packers.next()?;
        Some(packers.fold(first, |mut sum, figures| {
            let sequences = sum.sequences + figures.sequences;
            let share = |of: crate::report::PackingFigures| of.efficiency * of.sequences as f64;
            sum.efficiency = if sequences == 0 { 0.0 } else { (share(sum) + share(figures)) / sequences as f64 };
            sum.sequences = sequences;
            sum.rows += figures.rows;
            sum.first_tokens_masked += figures.first_tokens_masked;
            sum
        }))
    }

    fn check(&self, spec: &PipelineSpec) -> Result<(), DataError> {
        if self.sink.is_none() {
            return Ok(());
        }
        let share = self.figures.untrained_share();
        if let Some(most) = spec.max_untrained_share.filter(|&most| share > most) {
            let message =
                format!("{:.2} % of the rows have no trained token, at most {:.2} % may", share * 100.0, most * 100.0);
            return Err(DataError::new("too-many-untrained-rows", message)
                .hint("look at the first of them with `lossmask audit`")
                .at_first(self.figures.first_place("no-trained-token")));
        }
        if self.figures.rows_written() == 0 {
            return Err(DataError::new("no-rows", format!("no row is left to write: {}", self.figures.losses()))
                .hint("look at the reasons with `lossmask audit`")
                .at_first(self.figures.first_place("no-trained-token")));
        }
        if self.rows_of_split[TRAIN] == 0 {
            return Err(
                DataError::new("val-set-too-large", "`val_set_size` leaves no row to train on").hint("make it smaller")
            );
        }
        Ok(())
    }
}
