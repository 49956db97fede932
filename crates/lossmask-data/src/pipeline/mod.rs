//! A run: files to chunks to encoded rows to a prepared folder. Streaming, parallel over rows, in the rows' order.
//!
//! One thread reads chunks; the workers parse, encode, settle and count them; the calling thread takes the results in the
//! order in which the chunks were read, and splits, packs and writes. Both queues are bounded, so a run holds a few chunks
//! per worker, however large the input is.

mod chunk;
mod encoder;
mod input;
mod output;
mod part;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::report::{FileFigures, Report};
use crate::source::Chunk;
use crate::{DataError, OnError, PipelineSpec};
use chunk::EncodedChunk;
pub(crate) use chunk::{ChunkRules, Outcome};
pub(crate) use encoder::token_texts;
pub use encoder::{DatasetEncoder, RowEncoder};
use input::Reader;
use output::Output;

/// Chunks in flight per worker.
const CHUNKS_PER_WORKER: usize = 4;
/// More threads than this only wait for each other, and each takes memory.
const WORKERS_PER_CORE: usize = 4;
/// Templates recurse over nested data.
const WORKER_STACK: usize = 8 << 20;
/// Time between two calls of the progress callback.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// How a run is watched and stopped.
#[derive(Default)]
pub struct Control {
    /// Set it to stop the run: it ends with the error `cancelled` and leaves nothing behind.
    pub cancel: Arc<AtomicBool>,
    /// Called about ten times a second from the thread that runs the pipeline, and once at the end.
    pub progress: Option<OnProgress>,
}

/// What is told how far a run is.
pub type OnProgress = Box<dyn FnMut(&Progress) + Send>;

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Rows kept so far.
    pub rows_written: u64,
    /// Rows rejected so far.
    pub rejected: u64,
    /// Tokens of the rows kept.
    pub tokens: u64,
    /// Those trained.
    pub trained_tokens: u64,
    /// Bytes read from disk.
    pub bytes_read: u64,
    /// Bytes of all files; with `limit`, fewer are read.
    pub bytes_total: u64,
    /// Seconds since the run began.
    pub seconds: f64,
}

/// Reads, encodes and writes everything that the spec says.
///
/// # Errors
/// What is wrong with the spec, the tokenizer or a file; the first bad row under `on_error: fail`; `cancelled`;
/// `no-rows`; `too-many-untrained-rows`; what the disk says. Nothing is written then.
pub fn run(spec: &PipelineSpec, control: Control) -> Result<Report, DataError> {
    spec.check()?;
    let encoders = DatasetEncoder::all(spec)?;
    let encoders: Vec<&dyn RowEncoder> = encoders.iter().map(|encoder| encoder as _).collect();
    run_with(spec, &encoders, control)
}

/// The same with encoders of the caller's: one for each dataset, then one for each test dataset.
///
/// # Errors
/// As [`run`].
pub fn run_with(spec: &PipelineSpec, encoders: &[&dyn RowEncoder], mut control: Control) -> Result<Report, DataError> {
    let started = Instant::now();
    spec.check()?;
    if encoders.len() != spec.datasets.len() + spec.test_datasets.len() {
        return Err(DataError::new("internal-error", "one encoder is needed for each dataset"));
    }
    let stop = AtomicBool::new(false);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = spec.workers.unwrap_or(cores).clamp(1, cores * WORKERS_PER_CORE);
    let (to_writer, results) = sync_channel(workers * CHUNKS_PER_WORKER);
    let (to_workers, jobs) = sync_channel(workers * CHUNKS_PER_WORKER);
    let jobs = Mutex::new(jobs);
    output::check_inputs(spec)?;
    let reader = Reader::new(spec)?;
    let (bytes_read, bytes_total) = (reader.bytes_read(), reader.bytes_total());
    let mut output = Output::create(spec)?;
    let rules = ChunkRules::new(spec);
    let running = Running { stop: &stop, cancel: &control.cancel, read_nanos: AtomicU64::new(0) };

    thread::scope(|scope| {
        // Set before the queues close, on every way out: the threads end and the scope can be left.
        let _stop = StopOnDrop(&stop);
        let failed = |error: std::io::Error| DataError::new("io-error", format!("cannot start a thread: {error}"));
        let (jobs, running, rules) = (&jobs, &running, &rules);
        for _ in 0..workers {
            builder("worker").spawn_scoped(scope, move || work(jobs, encoders, rules, running)).map_err(failed)?;
        }
        let read = move || read(reader, &to_writer, &to_workers, running);
        builder("reader").spawn_scoped(scope, read).map_err(failed)?;
        let mut watch = Watch { last: started, started, bytes_total, progress: &mut control.progress };
        for result in results {
            match result {
                Ordered::Chunk(reply) => {
                    let Ok(chunk) = reply.recv() else { return Err(cancelled()) };
                    output.take(chunk, encoders)?;
                }
                Ordered::FileDone(figures) => output.file_done(figures),
                Ordered::Problem(error) if spec.on_error == OnError::Skip && error.code == "empty-file" => {
                    output.reject(&error, None)?;
                }
                Ordered::Problem(error) => return Err(error),
            }
            if running.is_cancelled() {
                return Err(cancelled());
            }
            watch.tell(&output, bytes_read.load(Ordering::Relaxed), false);
        }
        // The last call of the callback may stop the run too: the folder has not appeared yet.
        watch.tell(&output, bytes_read.load(Ordering::Relaxed), true);
        if running.is_cancelled() {
            return Err(cancelled());
        }
        output.read_seconds = running.read_nanos.load(Ordering::Relaxed) as f64 / 1e9;
        output.finish(spec, started)
    })
}

fn builder(name: &str) -> thread::Builder {
    thread::Builder::new().name(format!("lossmask-{name}")).stack_size(WORKER_STACK)
}

struct Running<'a> {
    stop: &'a AtomicBool,
    cancel: &'a AtomicBool,
    /// Time the reader worked.
    read_nanos: AtomicU64,
}

impl Running<'_> {
    fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.is_cancelled() || self.stop.load(Ordering::Relaxed)
    }
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn cancelled() -> DataError {
    DataError::new("cancelled", "the run was stopped; nothing was written")
}

/// A chunk on its way to a worker.
struct Job {
    dataset: usize,
    chunk: Chunk,
    reply: SyncSender<EncodedChunk>,
}

/// What the writer gets, in the rows' order.
enum Ordered {
    Chunk(Receiver<EncodedChunk>),
    FileDone(FileFigures),
    Problem(DataError),
}

fn read(mut reader: Reader, to_writer: &SyncSender<Ordered>, to_workers: &SyncSender<Job>, running: &Running) {
    while !running.is_over() {
        let began = Instant::now();
        let next = reader.next();
        running.read_nanos.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        let sent = match next {
            None => return,
            Some(Ok(input::Item::FileDone(figures))) => to_writer.send(Ordered::FileDone(figures)).is_ok(),
            Some(Ok(input::Item::Chunk { dataset, chunk })) => {
                let (reply, result) = sync_channel(1);
                to_writer.send(Ordered::Chunk(result)).is_ok() && to_workers.send(Job { dataset, chunk, reply }).is_ok()
            }
            Some(Err(error)) => to_writer.send(Ordered::Problem(error)).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, encoders: &[&dyn RowEncoder], rules: &ChunkRules, running: &Running) {
    loop {
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else { return };
        if running.is_over() {
            continue;
        }
        let encoded = rules.encode(&job.chunk, job.dataset, encoders[job.dataset], || running.is_over());
        // The writer is gone only when the run is over.
        let _ = job.reply.send(encoded);
    }
}

struct Watch<'a> {
    last: Instant,
    started: Instant,
    bytes_total: u64,
    progress: &'a mut Option<OnProgress>,
}

impl Watch<'_> {
    fn tell(&mut self, output: &Output, bytes_read: u64, at_end: bool) {
        let Some(progress) = self.progress.as_mut() else { return };
        if !at_end && self.last.elapsed() < PROGRESS_INTERVAL {
            return;
        }
        self.last = Instant::now();
        let figures = &output.figures;
        let tokens = figures.token_figures();
        progress(&Progress {
            rows: figures.rows_read,
            rows_written: figures.rows_written(),
            rejected: figures.rows_rejected(),
            tokens: tokens.tokens,
            trained_tokens: tokens.trained,
            bytes_read,
            bytes_total: self.bytes_total,
            seconds: self.started.elapsed().as_secs_f64(),
        });
    }
}
