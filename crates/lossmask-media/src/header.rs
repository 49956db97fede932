//! A reader that gives out no more than a header's worth of a file, wherever in the file the header stands.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// As much as the longest honest header takes: colour profiles and previews in front of a JPEG's frame.
const MOST_BYTES: usize = 4 << 20;
/// How much is read at once. Most headers stand within the first block.
const BLOCK: usize = 4096;

/// Reads at most four megabytes of `inner`, in blocks, jumps included; then every read fails.
///
/// A jump costs nothing until something is read that is not in the block at hand: formats are told and measured by jumping back
/// and forth in a file's first bytes.
pub(crate) struct Header<R> {
    inner: R,
    left: usize,
    position: u64,
    /// The block at hand, and where it begins.
    block: Vec<u8>,
    start: u64,
}

impl<R> Header<R> {
    pub(crate) fn new(inner: R) -> Self {
        Header { inner, left: MOST_BYTES, position: 0, block: Vec::new(), start: 0 }
    }

    /// What the block at hand holds from the position on.
    fn at_hand(&self) -> &[u8] {
        let within = self.position.checked_sub(self.start).and_then(|offset| usize::try_from(offset).ok());
        within.and_then(|offset| self.block.get(offset..)).unwrap_or_default()
    }
}

impl<R: Read + Seek> BufRead for Header<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at_hand().is_empty() {
            let most = BLOCK.min(self.left);
            if most == 0 {
                let message = "no header within the first four megabytes that were read";
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
            }
            if self.position != self.start + self.block.len() as u64 {
                self.inner.seek(SeekFrom::Start(self.position))?;
            }
            self.start = self.position;
            self.block.resize(most, 0);
            // Whatever fails, no block of zeros is left behind.
            let read = self.inner.read(&mut self.block);
            self.block.truncate(*read.as_ref().unwrap_or(&0));
            self.left -= read?;
        }
        Ok(self.at_hand())
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount.min(self.at_hand().len()) as u64;
    }
}

impl<R: Read + Seek> Read for Header<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Header<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?,
            SeekFrom::End(_) => {
                // The block at hand no longer stands in front of the inner reader's position.
                self.block.clear();
                self.start = u64::MAX;
                self.inner.seek(to)?
            }
        };
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Zeros without end, and how much of them was read.
    struct Endless(u64, usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += buffer.len();
            buffer.fill(0);
            Ok(buffer.len())
        }
    }

    impl Seek for Endless {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0 = match to {
                SeekFrom::Start(position) => position,
                SeekFrom::Current(offset) | SeekFrom::End(offset) => self.0.wrapping_add_signed(offset),
            };
            Ok(self.0)
        }
    }

    #[test]
    fn endless_input_ends() {
        let mut header = Header::new(Endless(0, 0));
        let error = io::copy(&mut header, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(header.inner.1, MOST_BYTES);
    }

    #[test]
    fn jumps_within_a_block_read_nothing() {
        let mut header = Header::new(Endless(0, 0));
        for position in [0, 4000, 8, 4092, 0] {
            header.seek(SeekFrom::Start(position)).unwrap();
            header.read_exact(&mut [0; 4]).unwrap();
        }
        assert_eq!(header.inner.1, BLOCK);
    }

    /// The same bytes as from a plain reader, wherever it jumps.
    #[test]
    fn bytes_are_those_of_the_file() {
        let bytes: Vec<u8> = (0..20_000u32).map(|index| (index % 251) as u8).collect();
        let mut header = Header::new(io::Cursor::new(bytes.clone()));
        let mut plain = io::Cursor::new(bytes);
        let jumps = [
            SeekFrom::Start(4090),
            SeekFrom::Current(-3000),
            SeekFrom::End(-7),
            SeekFrom::Current(0),
            SeekFrom::Start(30_000),
            SeekFrom::Start(12_000),
            SeekFrom::End(0),
            SeekFrom::Start(0),
        ];
        for to in jumps {
            assert_eq!(header.seek(to).unwrap(), plain.seek(to).unwrap(), "{to:?}");
            for _ in 0..3 {
                let (mut here, mut there) = (Vec::new(), Vec::new());
                Read::by_ref(&mut header).take(5000).read_to_end(&mut here).unwrap();
                Read::by_ref(&mut plain).take(5000).read_to_end(&mut there).unwrap();
                assert_eq!(here, there, "{to:?}");
            }
        }
        assert!(header.seek(SeekFrom::Current(-1 << 40)).is_err(), "in front of the file");
    }
}
