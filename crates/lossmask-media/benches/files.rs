//! Sizes of 10,000 image files on one core, beside opening the same files and reading their first kilobytes.
//!
//! `cargo bench -p lossmask-media --bench files`

#[allow(dead_code)]
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use lossmask_media::{ExifOrientation, Locator, Reference, Remote, Size};

const FILES: usize = 10_000;

/// Writes files of 64 kilobytes: a header, then nothing that is looked at.
fn write_files(folder: &Path) -> Vec<(String, Size)> {
    (0..FILES)
        .map(|index| {
            let (width, height) = (100 + (index % 900) as u32, 80 + (index % 700) as u32);
            let (name, mut bytes) = match index % 4 {
                0 => ("png", support::png(width, height, None)),
                1 => ("jpg", support::jpeg(width as u16, height as u16, Some(1))),
                2 => ("webp", support::webp(width, height, None)),
                _ => ("gif", support::gif(width as u16, height as u16)),
            };
            bytes.resize(64 << 10, 0);
            let name = format!("part-{:02}/{index:05}.{name}", index % 100);
            std::fs::create_dir_all(folder.join(&name).parent().expect("a file stands in a folder")).expect("writable");
            std::fs::write(folder.join(&name), bytes).expect("writable");
            (name, Size { width, height })
        })
        .collect()
}

/// The best of five, in microseconds per file.
fn per_file(mut work: impl FnMut()) -> f64 {
    let runs = (0..5).map(|_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64()
    });
    runs.fold(f64::INFINITY, f64::min) * 1e6 / FILES as f64
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the files");
    let files = write_files(folder.path());
    let locator =
        Locator::new(Some(folder.path()), ExifOrientation::Apply, &Remote::Never).expect("the folder is there");
    for (name, size) in &files {
        assert_eq!(locator.image_size(Reference::Url(name)), Ok(*size), "{name}");
    }
    let mut buffer = [0; 4096];
    let opened = per_file(|| {
        for (name, _) in &files {
            let mut file = File::open(folder.path().join(name)).expect("it is there");
            black_box(file.read(&mut buffer)).ok();
        }
    });
    let sized = per_file(|| {
        for (name, _) in &files {
            black_box(locator.image_size(Reference::Url(name))).ok();
        }
    });
    println!("{FILES} files: open and read 4 KiB {opened:.1} us, size {sized:.1} us, ratio {:.2}", sized / opened);
}
