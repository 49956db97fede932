//! The orientation that a camera noted in an image, found by jumping from header to header.
//!
//! Written here because the EXIF crates read TIFF, WebP and PNG files whole before they look for a tag.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// The kinds of image that tell an orientation: by EXIF, or by a property of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Jpeg,
    Png,
    WebP,
    Tiff,
    Avif,
}

/// Whether width and height change places when the image is set upright: orientations 5 to 8. An image without a readable
/// orientation stands as it is, as it does for Pillow.
pub(crate) fn is_turned(reader: &mut (impl BufRead + Seek), carrier: Carrier) -> bool {
    matches!(orientation(reader, carrier), Ok(Some(5..=8)))
}

fn orientation(reader: &mut (impl BufRead + Seek), carrier: Carrier) -> io::Result<Option<u16>> {
    let tiff = match carrier {
        Carrier::Tiff => Some(0),
        Carrier::Jpeg => in_jpeg(reader)?,
        Carrier::Png => in_png(reader)?,
        Carrier::WebP => in_webp(reader)?,
        Carrier::Avif => return in_avif(reader),
    };
    tiff.map_or(Ok(None), |start| in_tiff(reader, start))
}

/// Where the TIFF structure begins: behind `Exif\0\0` in the first APP1 segment that holds it.
fn in_jpeg(reader: &mut (impl BufRead + Seek)) -> io::Result<Option<u64>> {
    let mut at = 2;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        let [mark, kind, high, low] = bytes(reader)?;
        let length = u64::from(u16::from_be_bytes([high, low]));
        if mark != 0xFF || kind == 0xDA || kind == 0xD9 || length < 2 {
            return Ok(None);
        }
        if kind == 0xE1 && length >= 8 && &bytes::<6>(reader)? == b"Exif\0\0" {
            return Ok(Some(at + 10));
        }
        at += 2 + length;
    }
}

fn in_png(reader: &mut (impl BufRead + Seek)) -> io::Result<Option<u64>> {
    let mut at = 8;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        let length = u64::from(u32::from_be_bytes(bytes(reader)?));
        match &bytes(reader)? {
            b"eXIf" => return Ok(Some(at + 8)),
            b"IEND" => return Ok(None),
            kind if !kind.iter().all(u8::is_ascii_alphabetic) => return Ok(None),
            _ => at += 12 + length,
        }
    }
}

fn in_webp(reader: &mut (impl BufRead + Seek)) -> io::Result<Option<u64>> {
    reader.seek(SeekFrom::Start(4))?;
    let end = 8 + u64::from(u32::from_le_bytes(bytes(reader)?));
    let mut at = 12;
    while at < end {
        reader.seek(SeekFrom::Start(at))?;
        let kind: [u8; 4] = bytes(reader)?;
        let length = u64::from(u32::from_le_bytes(bytes(reader)?));
        if &kind == b"EXIF" {
            // Some writers repeat JPEG's prefix here.
            let prefixed = bytes::<6>(reader)? == *b"Exif\0\0";
            return Ok(Some(if prefixed { at + 14 } else { at + 8 }));
        }
        at += 8 + length + length % 2;
    }
    Ok(None)
}

/// The property `irot` of an ISO container, as the EXIF orientation that turns the image as it does.
fn in_avif(reader: &mut (impl BufRead + Seek)) -> io::Result<Option<u16>> {
    const QUARTERS: [u16; 4] = [1, 8, 3, 6];
    let mut at = 0;
    loop {
        reader.seek(SeekFrom::Start(at))?;
        let length = u64::from(u32::from_be_bytes(bytes(reader)?));
        match &bytes(reader)? {
            // Boxes of boxes are gone into; `meta` has a version first.
            b"meta" => at += 12,
            b"iprp" | b"ipco" => at += 8,
            b"irot" => return Ok(Some(QUARTERS[usize::from(bytes::<1>(reader)?[0] & 3)])),
            b"mdat" => return Ok(None),
            _ if length < 8 => return Ok(None),
            _ => at += length,
        }
    }
}

/// Tag 0x0112 of the first directory of a TIFF structure that begins at `start`.
fn in_tiff(reader: &mut (impl BufRead + Seek), start: u64) -> io::Result<Option<u16>> {
    reader.seek(SeekFrom::Start(start))?;
    let header: [u8; 8] = bytes(reader)?;
    let little = match &header[..4] {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return Ok(None),
    };
    let u16_at = |bytes: &[u8]| {
        let pair = [bytes[0], bytes[1]];
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let offset = [header[4], header[5], header[6], header[7]];
    let offset = if little { u32::from_le_bytes(offset) } else { u32::from_be_bytes(offset) };
    reader.seek(SeekFrom::Start(start + u64::from(offset)))?;
    let entries = u16_at(&bytes::<2>(reader)?);
    for _ in 0..entries {
        let entry: [u8; 12] = bytes(reader)?;
        if u16_at(&entry) == 0x0112 {
            return Ok(Some(u16_at(&entry[8..])));
        }
    }
    Ok(None)
}

fn bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}
