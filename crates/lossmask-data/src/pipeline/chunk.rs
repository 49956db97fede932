//! What a worker does with a chunk: parse, encode, settle, count.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use lossmask_chat::RowError;
use serde_json::Value;

use super::RowEncoder;
use crate::figures::Figures;
use crate::report::TruncationFigures;
use crate::row::Row;
use crate::settle::{EncoderFacts, Rules, Settled};
use crate::source::Chunk;
use crate::{DataError, PipelineSpec, Place};

/// The rules that every chunk is treated by.
pub(crate) struct ChunkRules {
    settle: Rules,
    /// One for each dataset.
    facts: Vec<EncoderFacts>,
    max_row_bytes: usize,
}

/// A chunk's rows, in their order, with their figures.
pub(crate) struct EncodedChunk {
    /// Of the split the dataset belongs to.
    pub dataset: usize,
    pub rows: Vec<Outcome>,
    /// Rejected rows are not in there yet: whether they are counted or stop the run is the writer's to say.
    pub figures: Figures,
}

/// What became of a row that is not dropped.
pub(crate) enum Outcome {
    Row { row: Row, hash: u64 },
    Bad { error: DataError, raw: String },
}

impl EncodedChunk {
    fn take(&mut self, row: Settled) {
        match row {
            Settled::Keep(row) => {
                self.figures.keep(&row);
                let hash = row.hash();
                self.rows.push(Outcome::Row { row, hash });
            }
            Settled::Drop(reason, row) => self.figures.drop_row(reason, &row),
        }
    }
}

impl ChunkRules {
    pub fn new(spec: &PipelineSpec) -> Self {
        let facts = spec.datasets.iter().chain(&spec.test_datasets).map(|dataset| EncoderFacts {
            unterminated: dataset.encoder.masker.unterminated,
            train_on_inputs: dataset.encoder.masker.train_on_inputs,
        });
        ChunkRules { settle: Rules::new(spec), facts: facts.collect(), max_row_bytes: spec.max_row_bytes }
    }

    pub fn encode(
        &self,
        chunk: &Chunk,
        dataset: usize,
        encoder: &dyn RowEncoder,
        over: impl Fn() -> bool,
    ) -> EncodedChunk {
        let mut out = EncodedChunk { dataset, rows: Vec::with_capacity(chunk.len()), figures: Figures::default() };
        for index in 0..chunk.len() {
            if over() {
                break;
            }
            out.figures.rows_read += 1;
            match self.encode_row(chunk, index, dataset, encoder, &mut out.figures) {
                Ok(rows) => {
                    out.figures.count_parts(rows.len());
                    rows.into_iter().for_each(|row| out.take(row));
                }
                Err(error) => out.rows.push(Outcome::Bad { error, raw: chunk.raw(index) }),
            }
        }
        out
    }

    /// A row that stands nowhere. It is returned whatever its length; a length at which a run would drop it is no error.
    pub fn encode_value(&self, value: &Value, encoder: &dyn RowEncoder) -> Result<Row, DataError> {
        let row = Row::new(guarded(|| encoder.encode(value))?, Place::default())?;
        match self.settle.settle(row, &self.facts[0], &mut TruncationFigures::default())? {
            Settled::Keep(row) | Settled::Drop(_, row) => Ok(row),
        }
    }

    fn encode_row(
        &self,
        chunk: &Chunk,
        index: usize,
        dataset: usize,
        encoder: &dyn RowEncoder,
        figures: &mut Figures,
    ) -> Result<Vec<Settled>, DataError> {
        let began = Instant::now();
        let value = chunk.parse(index, self.max_row_bytes);
        figures.timing.parse += began.elapsed().as_secs_f64();
        let place = chunk.place(index);
        let began = Instant::now();
        lossmask_chat::take_spent();
        let value = value?;
        let encoded = guarded(|| encoder.encode_all(&value));
        let (whole, spent) = (began.elapsed(), lossmask_chat::take_spent());
        figures.timing.render += spent.render.as_secs_f64();
        figures.timing.tokenize += spent.tokenize.as_secs_f64();
        figures.timing.mask += whole.saturating_sub(spent.render + spent.tokenize).as_secs_f64();
        let encoded = encoded.map_err(|error| error.at(&place))?;
        let facts = &self.facts[dataset];
        let settle = |row| self.settle.settle(Row::new(row, place.clone())?, facts, &mut figures.truncation);
        encoded.into_iter().map(settle).collect()
    }
}

/// A panic of the encoder is the row's error, not the process's end.
fn guarded<T>(encode: impl FnOnce() -> Result<T, RowError>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(encode)) {
        Ok(result) => result.map_err(DataError::from),
        Err(panic) => {
            let what =
                panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Err(DataError::new(
                "internal-error",
                format!("lossmask failed at this row: {}", what.unwrap_or("no message")),
            )
            .hint("please report it with the row; `--on-error skip` leaves it out"))
        }
    }
}
