//! One split's rows as a series of files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::Folder;
use crate::source::row_value;
use crate::{DataError, OutputFormat};

const WRITE_BUFFER: usize = 1 << 20;

/// A finished file.
pub(super) struct ShardFile {
    /// Relative to the folder.
    pub name: PathBuf,
    pub rows: u64,
    pub bytes: u64,
}

/// Files of one split, a new one begun when the current one is full.
pub(super) struct Shards {
    root: PathBuf,
    dir: PathBuf,
    split: &'static str,
    format: OutputFormat,
    shard_bytes: u64,
    schema: Arc<Schema>,
    current: Option<Shard>,
    done: Vec<(PathBuf, u64)>,
}

struct Shard {
    path: PathBuf,
    file: ShardWriter,
    rows: u64,
    bytes: u64,
}

enum ShardWriter {
    Arrow(Box<StreamWriter<BufWriter<File>>>),
    Parquet(Box<ArrowWriter<File>>),
    Jsonl(BufWriter<File>),
}

impl Shards {
    pub fn new(
        folder: &Folder,
        dir: PathBuf,
        split: &'static str,
        format: OutputFormat,
        shard_bytes: u64,
        schema: Arc<Schema>,
    ) -> Self {
        Shards {
            root: folder.path().to_owned(),
            dir,
            split,
            format,
            shard_bytes,
            schema,
            current: None,
            done: Vec::new(),
        }
    }

    /// The split's folder, relative to the output folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        if self.current.as_ref().is_some_and(|shard| shard.bytes >= self.shard_bytes) {
            self.close()?;
        }
        let mut shard = match self.current.take() {
            Some(shard) => shard,
            None => self.begin()?,
        };
        shard.file.write(batch).map_err(|error| disk(&shard.path, error))?;
        shard.rows += batch.num_rows() as u64;
        shard.bytes += batch.get_array_memory_size() as u64;
        self.current = Some(shard);
        Ok(())
    }

    /// Closes the last file and gives all their final names. A split without rows has one empty file.
    pub fn finish(mut self, folder: &Folder) -> Result<Vec<ShardFile>, DataError> {
        if self.current.is_none() && self.done.is_empty() {
            self.current = Some(self.begin()?);
        }
        self.close()?;
        let total = self.done.len();
        let files = self.done.iter().enumerate().map(|(index, (temporary, rows))| {
            let name = self.dir.join(self.final_name(index, total));
            let path = folder.path().join(&name);
            fs::rename(temporary, &path).map_err(|error| DataError::io("write", &path, &error))?;
            let bytes = fs::metadata(&path).map_err(|error| DataError::io("read", &path, &error))?.len();
            Ok(ShardFile { name, rows: *rows, bytes })
        });
        files.collect()
    }

    fn final_name(&self, index: usize, total: usize) -> String {
        let (prefix, extension) = match self.format {
            OutputFormat::Arrow => ("data", "arrow"),
            OutputFormat::Parquet => (self.split, "parquet"),
            OutputFormat::Jsonl => (self.split, "jsonl"),
        };
        format!("{prefix}-{index:05}-of-{total:05}.{extension}")
    }

    fn begin(&self) -> Result<Shard, DataError> {
        let dir = self.root.join(&self.dir);
        fs::create_dir_all(&dir).map_err(|error| DataError::io("create", &dir, &error))?;
        let path = dir.join(format!("{}-{}.part", self.split, self.done.len()));
        let file = File::create(&path).map_err(|error| DataError::io("create", &path, &error))?;
        let file = ShardWriter::begin(self.format, file, &self.schema).map_err(|error| disk(&path, error))?;
        Ok(Shard { path, file, rows: 0, bytes: 0 })
    }

    fn close(&mut self) -> Result<(), DataError> {
        let Some(shard) = self.current.take() else { return Ok(()) };
        shard.file.finish().map_err(|error| disk(&shard.path, error))?;
        self.done.push((shard.path, shard.rows));
        Ok(())
    }
}

type WriteError = Box<dyn std::error::Error + Send + Sync>;

impl ShardWriter {
    fn begin(format: OutputFormat, file: File, schema: &Arc<Schema>) -> Result<Self, WriteError> {
        Ok(match format {
            OutputFormat::Arrow => {
                let file = BufWriter::with_capacity(WRITE_BUFFER, file);
                ShardWriter::Arrow(Box::new(StreamWriter::try_new(file, schema)?))
            }
            OutputFormat::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::SNAPPY)
                    .set_max_row_group_row_count(Some(10_000))
                    .build();
                ShardWriter::Parquet(Box::new(ArrowWriter::try_new(file, Arc::clone(schema), Some(properties))?))
            }
            OutputFormat::Jsonl => ShardWriter::Jsonl(BufWriter::with_capacity(WRITE_BUFFER, file)),
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        match self {
            ShardWriter::Arrow(writer) => writer.write(batch)?,
            ShardWriter::Parquet(writer) => writer.write(batch)?,
            ShardWriter::Jsonl(file) => write_jsonl(file, batch)?,
        }
        Ok(())
    }

    /// Everything is on the disk afterwards: a full disk shows here at the latest.
    fn finish(self) -> Result<(), WriteError> {
        let file = match self {
            ShardWriter::Arrow(mut writer) => {
                writer.finish()?;
                writer.into_inner()?.into_inner().map_err(|error| error.into_error())?
            }
            ShardWriter::Parquet(writer) => writer.into_inner()?,
            ShardWriter::Jsonl(file) => file.into_inner().map_err(|error| error.into_error())?,
        };
        Ok(file.sync_all()?)
    }
}

/// A batch's rows as JSON lines.
pub(super) fn write_jsonl(out: &mut impl Write, batch: &RecordBatch) -> std::io::Result<()> {
    for index in 0..batch.num_rows() {
        let row = row_value(batch, index).map_err(|error| std::io::Error::other(error.to_string()))?;
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// The disk's own error, dug out of the library's.
pub(super) fn disk(path: &Path, error: WriteError) -> DataError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return DataError::io("write", path, io);
        }
        source = inner.source();
    }
    let text = error.to_string();
    let code = if text.contains("os error 28") || text.contains("No space left") { "disk-full" } else { "io-error" };
    DataError::new(code, format!("cannot write `{}`: {text}", path.display())).in_file(path)
}
