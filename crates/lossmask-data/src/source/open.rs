//! From a path to a source: compression by the first bytes, format by hint, name and first bytes.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Source, SourceOptions, columns, container, json_array, lines, table, text};
use crate::{DataError, Format};

pub(super) const READ_BUFFER: usize = 256 << 10;

/// Reads from disk and counts.
pub(super) struct CountingFile {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for CountingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for CountingFile {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// A file's text, decompressed.
pub(super) type Text = BufReader<Box<dyn Read + Send>>;

pub(super) fn open(path: &Path, options: SourceOptions) -> Result<Box<dyn Source>, DataError> {
    let metadata = fs::metadata(path).map_err(|error| DataError::io("read", path, &error))?;
    if metadata.is_dir() {
        return Err(DataError::new("is-a-directory", format!("`{}` is a directory, not a data file", path.display()))
            .hint("name the files in it with `data_files`")
            .in_file(path));
    }
    let mut file = File::open(path).map_err(|error| DataError::io("open", path, &error))?;
    let head = first_bytes(&mut file, path)?;
    if head.is_empty() {
        return Err(empty(path));
    }
    let shown: Arc<Path> = Arc::from(path);
    let counting = CountingFile { file, read: options.bytes_read };
    match (told_format(path, options.format), stored_format(&head)) {
        (told, Some(Format::Parquet)) => {
            agree(told, Format::Parquet, path)?;
            columns::open_parquet(shown, counting.file, counting.read)
        }
        (told, Some(Format::Arrow)) => {
            agree(told, Format::Arrow, path)?;
            columns::open_arrow(shown, counting, head.starts_with(b"ARROW1"))
        }
        (Some(told @ (Format::Parquet | Format::Arrow)), _) => {
            let format = if told == Format::Parquet { "Parquet" } else { "Arrow IPC" };
            Err(DataError::new("wrong-format", format!("`{}` does not begin as a {format} file", path.display()))
                .hint("check `ds_type`, and that the file is whole; these formats are not read from a compressed file")
                .in_file(path))
        }
        (told, _) => open_text(shown, counting, &head, told, options.max_row_bytes),
    }
}

fn open_text(
    path: Arc<Path>,
    file: CountingFile,
    head: &[u8],
    told: Option<Format>,
    max_row_bytes: usize,
) -> Result<Box<dyn Source>, DataError> {
    let reader = container::unpacked(file, head, &path)?;
    let mut text = Text::with_capacity(READ_BUFFER, reader);
    match told {
        Some(Format::Text) => return Ok(Box::new(text::TextLines::new(path, text, max_row_bytes))),
        Some(Format::Csv) => return Ok(Box::new(table::Table::new(path, text, b',', max_row_bytes)?)),
        Some(Format::Tsv) => return Ok(Box::new(table::Table::new(path, text, b'\t', max_row_bytes)?)),
        _ => {}
    }
    let mut line = 1;
    let first = lines::skip_blank(&mut text, &mut line, &path)?;
    match first {
        None => Err(empty(&path)),
        Some(b'[') if told != Some(Format::Jsonl) => Ok(Box::new(json_array::JsonArray::new(path, text, line, max_row_bytes))),
        Some(b'[' | b'{') => Ok(Box::new(lines::Lines::new(path, text, line, max_row_bytes))),
        // A told format stands: the first row is bad, the others may be good.
        Some(_) if told.is_some() => Ok(Box::new(lines::Lines::new(path, text, line, max_row_bytes))),
        Some(_) => Err(DataError::new("unknown-format", format!("`{}` is no data file that is known", path.display()))
            .hint("JSONL, JSON arrays, CSV, text (also .gz, .zst, .bz2, .xz, .zip), Parquet and Arrow IPC are read; `ds_type` names the format where the extension does not")
            .in_file(&path)),
    }
}

fn first_bytes(file: &mut File, path: &Path) -> Result<Vec<u8>, DataError> {
    let mut head = Vec::with_capacity(16);
    Read::by_ref(file)
        .take(16)
        .read_to_end(&mut head)
        .and_then(|_| file.rewind())
        .map_err(|error| DataError::io("read", path, &error))?;
    Ok(head)
}

fn told_format(path: &Path, hint: Option<Format>) -> Option<Format> {
    // `datasets` calls both kinds of table csv.
    let tabs = || path.to_str().is_some_and(|name| name.to_ascii_lowercase().contains(".tsv"));
    hint.map(|hint| if hint == Format::Csv && tabs() { Format::Tsv } else { hint }).or_else(|| {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = container::ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "jsonl" | "ndjson" => Some(Format::Jsonl),
            "json" => Some(Format::Json),
            "parquet" => Some(Format::Parquet),
            "arrow" | "ipc" | "feather" => Some(Format::Arrow),
            "csv" => Some(Format::Csv),
            "tsv" => Some(Format::Tsv),
            "txt" => Some(Format::Text),
            _ => None,
        }
    })
}

fn stored_format(head: &[u8]) -> Option<Format> {
    if head.starts_with(b"PAR1") {
        Some(Format::Parquet)
    } else if head.starts_with(b"ARROW1") || head.starts_with(&[0xff, 0xff, 0xff, 0xff]) {
        Some(Format::Arrow)
    } else {
        None
    }
}

fn agree(told: Option<Format>, found: Format, path: &Path) -> Result<(), DataError> {
    let Some(told) = told.filter(|&told| told != found) else { return Ok(()) };
    let (told, found) = (format!("{told:?}").to_lowercase(), format!("{found:?}").to_lowercase());
    Err(DataError::new("wrong-format", format!("`{}` is {found}, not {told}", path.display()))
        .hint(format!("set `ds_type: {found}`, or rename the file"))
        .in_file(path))
}

pub(super) fn empty(path: &Path) -> DataError {
    DataError::new("empty-file", format!("`{}` holds no rows", path.display()))
        .hint("check that the file was written to its end")
        .in_file(path)
}

/// What went wrong while a file's text was read.
pub(super) fn read_error(path: &Path, line: u64, error: &io::Error) -> DataError {
    let compressed = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other
    );
    let mut out = if compressed {
        DataError::new(
            "corrupt-file",
            format!("the compressed data of `{}` is cut off or damaged: {error}", path.display()),
        )
        .hint("the file is incomplete; download or write it again")
        .in_file(path)
    } else {
        DataError::io("read", path, error)
    };
    out.line = Some(line);
    out
}
