//! What a data file is packed in, told by its first bytes: gzip, zstd, bzip2, xz, or a zip archive of one data file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use bzip2::read::MultiBzDecoder;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use zip::{CompressionMethod, ZipArchive};

use super::open::{CountingFile, READ_BUFFER};
use crate::DataError;

/// Endings of compressed files, which say nothing of the rows in them.
pub(super) const ENDINGS: [&str; 5] = [".gz", ".zst", ".bz2", ".xz", ".zip"];

/// The text of a file, unpacked.
pub(super) fn unpacked(file: CountingFile, head: &[u8], path: &Path) -> Result<Box<dyn Read + Send>, DataError> {
    let buffered = |file| BufReader::with_capacity(READ_BUFFER, file);
    Ok(match head {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(buffered(file))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(
            zstd::stream::read::Decoder::with_buffer(buffered(file))
                .map_err(|error| DataError::io("read", path, &error))?,
        ),
        [b'B', b'Z', b'h', ..] => Box::new(MultiBzDecoder::new(buffered(file))),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Box::new(XzReader::new(buffered(file), true)),
        [b'P', b'K', 3, 4, ..] => archived(file, path)?,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(DataError::new("invalid-utf8", format!("`{}` is UTF-16, not UTF-8", path.display()))
                .hint("save the file as UTF-8")
                .in_file(path));
        }
        _ => Box::new(file),
    })
}

/// The one data file of an archive.
fn archived(mut file: CountingFile, path: &Path) -> Result<Box<dyn Read + Send>, DataError> {
    let corrupt = |error: &dyn std::fmt::Display| {
        DataError::new("corrupt-file", format!("the archive `{}` cannot be read: {error}", path.display()))
            .hint("the file is incomplete; download or write it again")
            .in_file(path)
    };
    let unsupported = |what: String, hint: &str| {
        DataError::new("unsupported-compression", format!("`{}` {what}", path.display())).hint(hint).in_file(path)
    };
    let entry = {
        let mut archive = ZipArchive::new(&mut file).map_err(|error| corrupt(&error))?;
        let names: Vec<(usize, String)> = (0..archive.len())
            .filter_map(|index| Some((index, archive.name_for_index(index)?.to_owned())))
            .filter(|(_, name)| !name.ends_with('/') && !name.starts_with("__MACOSX/"))
            .collect();
        let [(index, _)] = names.as_slice() else {
            let what = format!("is an archive of {} files", names.len());
            return Err(unsupported(
                what,
                "unpack it, and name its folder: an archive of one data file is read as it is",
            ));
        };
        let entry = archive.by_index_raw(*index).map_err(|error| corrupt(&error))?;
        (entry.data_start(), entry.compressed_size(), entry.compression())
    };
    let (start, size, method) = entry;
    file.seek(SeekFrom::Start(start)).map_err(|error| DataError::io("read", path, &error))?;
    let packed = BufReader::with_capacity(READ_BUFFER, file).take(size);
    match method {
        CompressionMethod::Stored => Ok(Box::new(packed)),
        // Deflate: the one method that this reader of archives has no feature for, and that nearly all of them use.
        #[allow(deprecated)]
        CompressionMethod::Unsupported(8) => Ok(Box::new(DeflateDecoder::new(packed))),
        other => {
            Err(unsupported(format!("is an archive compressed as {other}"), "unpack it, or compress it with deflate"))
        }
    }
}

/// Fails once more than `budget` bytes are read without a [`Bounded::refill`]: a record without an end is never held in memory.
pub(super) struct Bounded<R> {
    inner: R,
    left: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl<R: Read> Bounded<R> {
    pub fn new(inner: R, left: std::sync::Arc<std::sync::atomic::AtomicUsize>) -> Self {
        Bounded { inner, left }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use std::sync::atomic::Ordering::Relaxed;
        let left = self.left.load(Relaxed);
        if left == 0 {
            return Err(io::Error::from(io::ErrorKind::OutOfMemory));
        }
        let count = self.inner.read(buffer)?;
        self.left.store(left.saturating_sub(count), Relaxed);
        Ok(count)
    }
}
