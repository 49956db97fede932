//! Sizes from files: every format, every orientation, and whatever a data set may hold instead of an image.

mod support;

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use base64::Engine as _;
use lossmask_media::{ExifOrientation, Locator, MediaFault, Reference, Remote, Size, audio_samples, image_size};
use proptest::prelude::*;
use support::{avif, bmp, flac, gif, jpeg, mp3, png, tiff, wav, webp};

fn size(bytes: Vec<u8>, exif: ExifOrientation) -> Result<(u32, u32), MediaFault> {
    image_size(Cursor::new(bytes), "the file", exif).map(|Size { width, height }| (width, height))
}

#[test]
fn every_format_tells_its_size() {
    let cases: [(&str, Vec<u8>); 10] = [
        ("png", png(640, 480, None)),
        ("jpeg", jpeg(640, 480, None)),
        ("webp", webp(640, 480, None)),
        ("gif", gif(640, 480)),
        ("bmp", bmp(640, 480)),
        ("bmp, rows from the top", bmp(640, -480)),
        ("tiff, little-endian", tiff(true, 640, 480, 1)),
        ("tiff, big-endian", tiff(false, 640, 480, 1)),
        ("avif", avif(640, 480, 0)),
        ("avif, turned twice", avif(640, 480, 2)),
    ];
    for (name, bytes) in cases {
        for exif in [ExifOrientation::Apply, ExifOrientation::Ignore] {
            assert_eq!(size(bytes.clone(), exif), Ok((640, 480)), "{name}");
        }
    }
}

/// The files of `__test__/images`, whose names tell their stored size and orientation; Pillow wrote them.
#[test]
fn real_files_tell_their_size() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../__test__/images"));
    let mut kinds = std::collections::HashSet::new();
    for entry in std::fs::read_dir(folder).expect("the images are part of the project") {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (sides, orientation) = name.split_once('-').unwrap();
        let (width, height) = sides.split_once('x').unwrap();
        let stored: (u32, u32) = (width.parse().unwrap(), height.parse().unwrap());
        let turned = matches!(orientation.parse(), Ok(5..=8));
        let upright = if turned { (stored.1, stored.0) } else { stored };
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(size(bytes.clone(), ExifOrientation::Apply), Ok(upright), "{name}");
        assert_eq!(size(bytes, ExifOrientation::Ignore), Ok(stored), "{name}");
        kinds.insert(path.extension().unwrap().to_owned());
    }
    assert_eq!(kinds.len(), 7);
}

#[test]
fn orientations_turn_the_sides() {
    for orientation in 0..=9 {
        let turned = (5..=8).contains(&orientation);
        let quarters = [0, 0, 2, 2, 0, 3, 3, 1, 1, 0][usize::from(orientation)];
        let carriers: [(&str, Vec<u8>); 6] = [
            ("jpeg", jpeg(640, 480, Some(orientation))),
            ("png", png(640, 480, Some(orientation))),
            ("webp", webp(640, 480, Some(orientation))),
            ("tiff", tiff(true, 640, 480, orientation)),
            ("tiff, big-endian", tiff(false, 640, 480, orientation)),
            ("avif, by its own rotation", avif(640, 480, quarters)),
        ];
        for (name, bytes) in carriers {
            let upright = if turned { (480, 640) } else { (640, 480) };
            assert_eq!(size(bytes.clone(), ExifOrientation::Apply), Ok(upright), "{name} {orientation}");
            assert_eq!(size(bytes, ExifOrientation::Ignore), Ok((640, 480)), "{name} {orientation}, as stored");
        }
    }
}

/// pillow-heif turns a HEIC when it opens it, and says nothing of it.
#[test]
fn a_heic_is_always_upright() {
    let mut heic = avif(640, 480, 1);
    heic[8..12].copy_from_slice(b"heic");
    for exif in [ExifOrientation::Apply, ExifOrientation::Ignore] {
        assert_eq!(size(heic.clone(), exif), Ok((480, 640)));
    }
}

#[test]
fn sounds_tell_their_length_at_the_wanted_rate() {
    let samples = |bytes: Vec<u8>, rate| audio_samples(Cursor::new(bytes), "the file", rate);
    assert_eq!(samples(wav(16_000, 1, 48_000), 16_000), Ok(48_000));
    assert_eq!(samples(wav(44_100, 2, 44_101), 16_000), Ok(16_001), "rounded up");
    assert_eq!(samples(flac(48_000, 480_000), 16_000), Ok(160_000));
    assert_eq!(
        samples(flac(48_000, 0), 16_000).unwrap_err().code,
        "media-broken",
        "a stream that does not count its samples"
    );
    assert_eq!(samples(wav(0, 1, 10), 16_000).unwrap_err().code, "media-broken");
    let mut streamed = wav(16_000, 1, 48_000);
    streamed[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(samples(streamed, 16_000).unwrap_err().code, "media-broken", "a claim of more than the file holds");
    assert_eq!(samples(png(4, 4, None), 16_000).unwrap_err().code, "media-format");
}

/// Frames of 1152 samples: of one bit rate, of two under a frame that counts them, behind a tag.
#[test]
fn mp3_lengths_are_those_of_its_frames() {
    let samples = |bytes: Vec<u8>, rate| audio_samples(Cursor::new(bytes), "the file", rate).unwrap();
    let tagged = [b"ID3\x04\0\0\0\0\x01\0".to_vec(), vec![0; 128], mp3(&[128; 500], false)].concat();
    for (name, bytes, frames) in [
        ("one bit rate", mp3(&[128; 500], false), 500),
        ("behind a tag", tagged, 500),
        ("counted", mp3(&[[64, 320]; 250].concat(), true), 500),
        ("short", mp3(&[128; 20], false), 20),
    ] {
        for (rate, exact) in [(44_100, frames * 1152), (16_000, (frames * 1152 * 16_000u64).div_ceil(44_100))] {
            let found = samples(bytes.clone(), rate);
            assert!(found.abs_diff(exact) <= 1152, "{name} at {rate}: {found} for {exact}");
        }
    }
}

/// Counts what is read of a file that goes on for a gigabyte behind its header.
struct Counted {
    head: Cursor<Vec<u8>>,
    read: std::rc::Rc<std::cell::Cell<usize>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut read = self.head.read(buffer)?;
        if read == 0 && self.head.position() < 1 << 30 {
            buffer.fill(0);
            read = buffer.len();
            self.head.set_position(self.head.position() + read as u64);
        }
        self.read.set(self.read.get() + read);
        Ok(read)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::Current(offset) => self.head.position().wrapping_add_signed(offset),
            SeekFrom::End(offset) => (1u64 << 30).wrapping_add_signed(offset),
        };
        self.head.set_position(position);
        Ok(position)
    }
}

/// A bomb of compressed text is walked round: what is compressed in a header is never unpacked, and what is behind it is never read.
#[test]
fn nothing_is_read_beyond_the_header() {
    let bomb = |kind: &[u8; 4]| {
        let mut bytes = png(640, 480, None);
        let chunk = [&(200u32 << 20).to_be_bytes()[..], kind, b"Comment\0\0\x78\xda", &[0xED; 64 << 10]].concat();
        bytes.splice(33..33, chunk);
        bytes
    };
    let cases = [
        ("png", png(640, 480, None)),
        ("png, compressed text", bomb(b"zTXt")),
        ("png, compressed profile", bomb(b"iCCP")),
        ("jpeg", jpeg(640, 480, Some(1))),
        ("webp", webp(640, 480, None)),
        ("gif", gif(640, 480)),
        ("bmp", bmp(640, 480)),
        ("tiff", tiff(true, 640, 480, 1)),
        ("avif", avif(640, 480, 0)),
    ];
    for (name, bytes) in cases {
        let read = std::rc::Rc::new(std::cell::Cell::new(0));
        let source = Counted { head: Cursor::new(bytes), read: std::rc::Rc::clone(&read) };
        let found = image_size(source, name, ExifOrientation::Apply);
        assert_eq!(found, Ok(Size { width: 640, height: 480 }), "{name}");
        assert!(read.get() <= 64 << 10, "{name}: {} bytes", read.get());
    }
}

#[test]
fn what_is_no_image_is_named() {
    let code = |bytes: &[u8]| size(bytes.to_vec(), ExifOrientation::Apply).unwrap_err().code;
    assert_eq!(code(b""), "media-format");
    assert_eq!(code(b"<html>not found</html>"), "media-format");
    assert_eq!(code(b"PK\x03\x04 a zip archive of some length"), "media-format");
    assert_eq!(code(&png(0, 480, None)), "media-broken");
    assert_eq!(code(&png(640, 480, None)[..20]), "media-broken");
    assert_eq!(code(&jpeg(640, 480, None)[..12]), "media-broken");
    let huge = size(png(1 << 31, 1 << 31, None), ExifOrientation::Apply);
    assert_eq!(huge, Ok((1 << 31, 1 << 31)), "the claim is passed on, and refused by every family");
}

proptest! {
    /// Cut off anywhere, or with any byte changed: an answer or a named fault, never a panic or an endless loop.
    #[test]
    fn damaged_files_are_faults(kind in 0..10usize, cut in 0..400usize, at in 0..400usize, byte: u8) {
        let mut bytes = match kind {
            0 => png(640, 480, Some(6)),
            1 => jpeg(640, 480, Some(6)),
            2 => webp(640, 480, Some(6)),
            3 => gif(640, 480),
            4 => bmp(640, 480),
            5 => tiff(true, 640, 480, 6),
            6 => avif(640, 480, 1),
            7 => wav(16_000, 1, 100),
            8 => mp3(&[128; 3], true),
            _ => flac(16_000, 100),
        };
        bytes.truncate(cut.max(4));
        if let Some(target) = bytes.get_mut(at) {
            *target = byte;
        }
        let image = image_size(Cursor::new(bytes.clone()), "x", ExifOrientation::Apply);
        let sound = audio_samples(Cursor::new(bytes), "x", 16_000);
        for code in [image.err(), sound.err()].into_iter().flatten().map(|fault| fault.code) {
            prop_assert!(code.starts_with("media-"));
        }
    }

    #[test]
    fn noise_behind_a_magic_number_is_a_fault(magic in 0..10usize, noise in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let heads: [&[u8]; 10] = [b"\x89PNG\r\n\x1a\n", b"\xFF\xD8\xFF", b"RIFF\0\0\0\0WEBP", b"GIF89a", b"BM", b"II*\0", b"MM\0+", b"\0\0\0\x18ftypavif", b"fLaC", b"ID3\x04"];
        let bytes = [heads[magic], &noise[..]].concat();
        let _ = image_size(Cursor::new(bytes.clone()), "x", ExifOrientation::Apply);
        let _ = audio_samples(Cursor::new(bytes), "x", 16_000);
    }
}

fn locator(root: &Path) -> Locator {
    Locator::new(Some(root), ExifOrientation::Apply, &Remote::Never).unwrap()
}

#[test]
fn paths_stay_below_the_root() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.png"), png(1, 1, None)).unwrap();
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("images")).unwrap();
    std::fs::write(root.path().join("images/a b.png"), png(640, 480, None)).unwrap();
    let locator = locator(root.path());
    let code = |path: &str| locator.image_size(Reference::Url(path)).map_err(|fault| fault.code);
    let inside = Ok(Size { width: 640, height: 480 });
    let absolute = root.path().canonicalize().unwrap().join("images/a b.png");

    assert_eq!(code("images/a b.png"), inside);
    assert_eq!(code("images/../images/a b.png"), inside);
    assert_eq!(code(absolute.to_str().unwrap()), inside);
    assert_eq!(code(&format!("file://{}", absolute.display()).replace(' ', "%20")), inside);

    let secret = outside.path().canonicalize().unwrap().join("secret.png");
    let climbing = format!("../{}/secret.png", outside.path().file_name().unwrap().to_str().unwrap());
    assert_eq!(code(secret.to_str().unwrap()), Err("media-outside-root"));
    assert_eq!(code(&climbing), Err("media-outside-root"));
    assert_eq!(code("images/none.png"), Err("media-missing"));
    assert_eq!(code("images/a b.png/x"), Err("media-missing"));
    assert_eq!(code("images"), Err("media-not-a-file"));
    assert_eq!(code(""), Err("media-not-a-file"));
    assert!(code("a\0b").is_err());
    assert_eq!(code("https://example.org/a.png"), Err("media-remote"));

    let rootless = Locator::new(None, ExifOrientation::Apply, &Remote::Never).unwrap();
    assert_eq!(rootless.image_size(Reference::Url("a.png")).unwrap_err().code, "media-outside-root");
    assert_eq!(
        Locator::new(Some(&root.path().join("none")), ExifOrientation::Apply, &Remote::Never).unwrap_err().code,
        "media-root"
    );
}

#[cfg(unix)]
#[test]
fn links_pipes_and_devices_lead_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.png"), png(1, 1, None)).unwrap();
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("real.png"), png(640, 480, None)).unwrap();
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
    link(&outside.path().join("secret.png"), "out.png");
    link(Path::new("real.png"), "in.png");
    link(Path::new("loop.png"), "loop.png");
    link(Path::new("/dev/zero"), "zero.png");
    let fifo = root.path().join("fifo.png");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());

    let locator = locator(root.path());
    let code = |path: &str| locator.image_size(Reference::Url(path)).map_err(|fault| fault.code);
    assert_eq!(code("in.png"), Ok(Size { width: 640, height: 480 }), "a link that stays inside is followed");
    assert_eq!(code("out.png"), Err("media-outside-root"));
    assert_eq!(code("zero.png"), Err("media-outside-root"));
    assert_eq!(code("loop.png"), Err("media-unreadable"));
    assert_eq!(code("fifo.png"), Err("media-not-a-file"), "and nobody waits for its other end");
    let devices = self::locator(Path::new("/dev"));
    assert_eq!(devices.image_size(Reference::Url("zero")).unwrap_err().code, "media-not-a-file");
}

/// A gigabyte of nothing behind a header, and one without any header: both are answered from the first kilobytes.
#[test]
fn large_files_are_not_read() {
    let root = tempfile::tempdir().unwrap();
    for (name, head) in [("large.png", png(640, 480, None)), ("endless.jpg", b"\xFF\xD8\xFF\xE0\0\x02".to_vec())] {
        let path = root.path().join(name);
        std::fs::write(&path, head).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 30).unwrap();
    }
    let locator = locator(root.path());
    assert_eq!(locator.image_size(Reference::Url("large.png")), Ok(Size { width: 640, height: 480 }));
    assert_eq!(locator.image_size(Reference::Url("endless.jpg")).unwrap_err().code, "media-broken");
}

#[test]
fn data_in_the_row_is_read_from_there() {
    let text = base64::engine::general_purpose::STANDARD.encode(jpeg(640, 480, Some(6)));
    let upright = Ok(Size { width: 480, height: 640 });
    let locator = Locator::new(None, ExifOrientation::Apply, &Remote::Never).unwrap();
    assert_eq!(locator.image_size(Reference::Base64(&text)), upright);
    assert_eq!(locator.image_size(Reference::Base64(text.trim_end_matches('='))), upright, "without padding");
    assert_eq!(locator.image_size(Reference::Base64(&text.replace('+', "-").replace('/', "_"))), upright, "URL-safe");
    assert_eq!(locator.image_size(Reference::Url(&format!("data:image/jpeg;base64,{text}"))), upright);
    let code = |reference| locator.image_size(reference).unwrap_err().code;
    assert_eq!(code(Reference::Base64("???")), "media-base64");
    assert_eq!(code(Reference::Base64("")), "media-format");
    assert_eq!(code(Reference::Url("data:image/svg+xml,<svg/>")), "media-base64");
    assert_eq!(code(Reference::Url("data:nothing")), "media-base64");
}
