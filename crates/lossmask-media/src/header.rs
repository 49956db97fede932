//! A reader that gives out no more than a header's worth of a file, wherever in the file the header stands.

use std::io::{self, Read, Seek, SeekFrom};

/// As much as the longest honest header takes: colour profiles and previews in front of a JPEG's frame.
const MOST_BYTES: usize = 4 << 20;

/// Reads at most four megabytes of `inner`, jumps included; then every read fails.
pub(crate) struct Header<R> {
    inner: R,
    left: usize,
}

impl<R> Header<R> {
    pub(crate) fn new(inner: R) -> Self {
        Header { inner, left: MOST_BYTES }
    }
}

impl<R: Read> Read for Header<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "no header within the first four megabytes that were read",
            ));
        }
        let most = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl<R: Seek> Seek for Header<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_input_ends() {
        let mut header = Header::new(io::repeat(0xFF));
        let error = io::copy(&mut header, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }
}
