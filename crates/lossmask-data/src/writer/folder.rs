//! The output folder: written under another name beside its place, and moved there at the end.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::sidecar::REPORT_FILE;
use crate::DataError;

/// Tells the runs of one process apart.
static RUN: AtomicU64 = AtomicU64::new(0);

/// A folder being written. Dropped before it is published, it disappears.
pub(crate) struct Folder {
    target: PathBuf,
    temporary: PathBuf,
    published: bool,
}

impl Folder {
    /// Begins a folder that is to stand at `target`. What stands there must be a prepared folder, empty, or absent.
    pub fn create(target: &Path) -> Result<Self, DataError> {
        check_replaceable(target)?;
        let name = target.file_name().ok_or_else(|| not_replaceable(target, "it has no name of its own"))?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(|error| DataError::io("create", parent, &error))?;
        let number = RUN.fetch_add(1, Ordering::Relaxed);
        let temporary = parent.join(format!(".{}.{}-{number}.tmp", name.to_string_lossy(), std::process::id()));
        // A leftover of a killed process that had the same id.
        remove(&temporary)?;
        fs::create_dir(&temporary).map_err(|error| DataError::io("create", &temporary, &error))?;
        Ok(Folder { target: target.to_owned(), temporary, published: false })
    }

    /// Where it is being written.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Where it will stand.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Creates a file in it, and the folders on the way.
    pub fn create_file(&self, name: impl AsRef<Path>) -> Result<File, DataError> {
        let path = self.temporary.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| DataError::io("create", parent, &error))?;
        }
        File::create(&path).map_err(|error| DataError::io("create", &path, &error))
    }

    /// Writes a whole file in it.
    pub fn write_file(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Result<(), DataError> {
        let mut file = self.create_file(&name)?;
        let path = self.temporary.join(name);
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| DataError::io("write", &path, &error))
    }

    /// Makes it appear at its place. An older one is moved aside first and removed when the new one stands.
    pub fn publish(mut self) -> Result<(), DataError> {
        check_replaceable(&self.target)?;
        let failed = |error: std::io::Error| DataError::io("write", &self.target, &error);
        let aside = self.temporary.with_extension("old");
        remove(&aside)?;
        let replaces = self.target.exists();
        if replaces {
            fs::rename(&self.target, &aside).map_err(failed)?;
        }
        if let Err(error) = fs::rename(&self.temporary, &self.target) {
            if replaces {
                // Put the older one back; should that fail too, it is still whole beside its place.
                let _ = fs::rename(&aside, &self.target);
            }
            return Err(failed(error));
        }
        self.published = true;
        remove(&aside)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

fn remove(path: &Path) -> Result<(), DataError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(DataError::io("remove", path, &error)),
        _ => Ok(()),
    }
}

fn check_replaceable(target: &Path) -> Result<(), DataError> {
    let Ok(metadata) = fs::symlink_metadata(target) else { return Ok(()) };
    if !metadata.is_dir() {
        return Err(not_replaceable(target, "it is not a folder"));
    }
    let mut entries = fs::read_dir(target).map_err(|error| DataError::io("read", target, &error))?;
    if entries.next().is_none() || target.join(REPORT_FILE).is_file() {
        return Ok(());
    }
    Err(not_replaceable(target, "it holds files that lossmask did not write"))
}

fn not_replaceable(target: &Path, why: &str) -> DataError {
    DataError::new("output-not-replaceable", format!("`{}` cannot be the output folder: {why}", target.display()))
        .hint("choose a folder that does not exist yet, or remove it")
        .in_file(target)
}
