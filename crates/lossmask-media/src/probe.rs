//! Sizes of images and lengths of sounds from their headers.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use imagesize::{Compression, ImageError, ImageType};
use lofty::config::ParseOptions;
use lofty::file::{AudioFile, FileType};
use lofty::probe::Probe;

use crate::expansion::Size;
use crate::fault::MediaFault;
use crate::header::Header;
use crate::orientation::{Carrier, is_turned};

/// What a loader does with the orientation that a camera noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExifOrientation {
    /// The image is set upright, and its sides may change places: what transformers' loaders and datasets' `Image` do.
    #[default]
    Apply,
    /// The image is taken as it is stored: what a bare `PIL.Image.open` gives.
    Ignore,
}

/// The size of an image, from its header.
///
/// # Errors
/// `media-format` for anything but PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF and HEIC; `media-broken` for a header that is cut off
/// or makes no sense. `name` is what the messages call it.
pub fn image_size(source: impl Read + Seek, name: &str, exif: ExifOrientation) -> Result<Size, MediaFault> {
    let mut reader = Header::new(source);
    let broken = |what: &dyn std::fmt::Display| MediaFault::new("media-broken", format!("{name}: {what}"));
    let kind = imagesize::reader_type(&mut reader).map_err(|error| match error {
        ImageError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => unreadable(name, &error),
        _ => MediaFault::new("media-format", format!("{name} is no image that lossmask knows"))
            .hint("PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF and HEIC are known"),
    })?;
    reader.rewind().map_err(|error| unreadable(name, &error))?;
    let size = imagesize::reader_size(&mut reader).map_err(|error| broken(&error))?;
    let (mut width, mut height) = match (u32::try_from(size.width), u32::try_from(size.height)) {
        (Ok(width), Ok(height)) => (width, height),
        _ => return Err(broken(&"a side is longer than 4 294 967 295 pixels")),
    };
    if kind == ImageType::Bmp {
        // A negative height says that the rows come from the top.
        height = (height as i32).unsigned_abs();
    }
    if width == 0 || height == 0 {
        return Err(broken(&format!("the header says {width} x {height} pixels")));
    }
    let apply = exif == ExifOrientation::Apply;
    let swap = match kind {
        ImageType::Jpeg => apply && is_turned(&mut reader, Carrier::Jpeg),
        ImageType::Png => apply && is_turned(&mut reader, Carrier::Png),
        ImageType::Webp => apply && is_turned(&mut reader, Carrier::WebP),
        ImageType::Tiff => apply && is_turned(&mut reader, Carrier::Tiff),
        // imagesize has turned it. Pillow tells an AVIF's rotation as an EXIF orientation, and a HEIC's not at all.
        ImageType::Heif(Compression::Av1) => !apply && is_turned(&mut reader, Carrier::Avif),
        _ => false,
    };
    if swap {
        std::mem::swap(&mut width, &mut height);
    }
    Ok(Size { width, height })
}

/// The length of a sound, in samples per channel after resampling to `rate`, from its header.
///
/// Exact for WAV and FLAC, whose headers count samples; for MP3 as good as the file's frame count, which decoders may read with a
/// difference of a frame. Resampled lengths are rounded up, as librosa does.
///
/// # Errors
/// As [`image_size`].
pub fn audio_samples(source: impl Read + Seek, name: &str, rate: u32) -> Result<u64, MediaFault> {
    let mut reader = Header::new(source);
    let start = reader.fill_buf().map_err(|error| unreadable(name, &error))?;
    let broken = |what: &dyn std::fmt::Display| MediaFault::new("media-broken", format!("{name}: {what}"));
    let (samples, own_rate) = if start.starts_with(b"RIFF") {
        wav_samples(reader).map_err(|error| broken(&error))?
    } else if start.starts_with(b"fLaC") {
        let options = claxon::FlacReaderOptions { metadata_only: true, read_vorbis_comment: false };
        let flac = claxon::FlacReader::new_ext(reader, options).map_err(|error| broken(&error))?;
        let info = flac.streaminfo();
        (info.samples.ok_or_else(|| broken(&"the header does not count its samples"))?, info.sample_rate)
    } else if start.starts_with(b"ID3") || matches!(start, [0xFF, 0xE0..=0xFF, ..]) {
        let options = ParseOptions::new().read_tags(false).read_cover_art(false);
        let file =
            Probe::with_file_type(reader, FileType::Mpeg).options(options).read().map_err(|error| broken(&error))?;
        let properties = file.properties();
        let own_rate = properties.sample_rate().unwrap_or(0);
        (
            u64::try_from(properties.duration().as_nanos() * u128::from(own_rate) / 1_000_000_000).unwrap_or(u64::MAX),
            own_rate,
        )
    } else {
        return Err(MediaFault::new("media-format", format!("{name} is no sound that lossmask knows"))
            .hint("WAV, FLAC and MP3 are known"));
    };
    if own_rate == 0 || samples == 0 {
        return Err(broken(&format!("the header says {samples} samples at {own_rate} Hz")));
    }
    let resampled = (u128::from(samples) * u128::from(rate)).div_ceil(u128::from(own_rate));
    u64::try_from(resampled).map_err(|_| broken(&"more samples than can be counted"))
}

/// Samples per channel and their rate. A header written before the sound was, as streams have it, claims more than there is.
fn wav_samples(reader: impl BufRead + Seek) -> Result<(u64, u32), hound::Error> {
    let wav = hound::WavReader::new(reader)?;
    let (samples, spec) = (u64::from(wav.duration()), wav.spec());
    let claimed = samples * u64::from(spec.channels) * u64::from(spec.bits_per_sample.div_ceil(8));
    let mut reader = wav.into_inner();
    let start = reader.stream_position()?;
    let held = reader.seek(SeekFrom::End(0))?.saturating_sub(start);
    if claimed > held {
        return Err(hound::Error::FormatError("the header claims more sound than the file holds"));
    }
    Ok((samples, spec.sample_rate))
}

pub(crate) fn unreadable(name: &str, error: &io::Error) -> MediaFault {
    MediaFault::new("media-unreadable", format!("{name}: {error}"))
}
