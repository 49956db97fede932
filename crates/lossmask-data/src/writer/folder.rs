//! The output folder: written under another name beside its place, and moved there at the end.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::sidecar::REPORT_FILE;
use crate::DataError;

/// Tells the runs of one process apart.
static RUN: AtomicU64 = AtomicU64::new(0);
/// Locked as long as the run lives: a folder whose lock nobody holds was left behind by a process that was killed.
const LOCK_FILE: &str = ".lock";

/// A folder being written. Dropped before it is published, it disappears.
pub(crate) struct Folder {
    target: PathBuf,
    temporary: PathBuf,
    /// Held until the folder is published or gone; absent where the file system knows no locks.
    lock: Option<File>,
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
        let prefix = format!(".{}.", name.to_string_lossy());
        sweep(parent, &prefix);
        let number = RUN.fetch_add(1, Ordering::Relaxed);
        let temporary = parent.join(format!("{prefix}{}-{number}.tmp", std::process::id()));
        // A leftover of a killed process that had the same id.
        remove(&temporary)?;
        fs::create_dir(&temporary).map_err(|error| DataError::io("create", &temporary, &error))?;
        let lock = File::create(temporary.join(LOCK_FILE)).ok().filter(|lock| lock.try_lock().is_ok());
        Ok(Folder { target: target.to_owned(), temporary, lock, published: false })
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
        // Removed while it is held: another run that looks here finds a locked folder, or one without a lock, and lets both be.
        let _ = fs::remove_file(self.temporary.join(LOCK_FILE));
        self.lock = None;
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

/// Removes what killed runs for the same target left behind, as far as that is possible.
fn sweep(parent: &Path, prefix: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".tmp")).is_some_and(is_run);
        if is_ours && File::open(entry.path().join(LOCK_FILE)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// `PID-NUMBER`
fn is_run(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(process, run)| is_number(process) && is_number(run))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_another_run_writes_stays() {
        let parent = tempfile::tempdir().unwrap();
        let left = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            (File::create(folder.join(LOCK_FILE)).unwrap(), folder)
        };
        let (killed, stale) = left(".out.4000000000-0.tmp");
        drop(killed);
        let (alive, running) = left(".out.4000000001-0.tmp");
        alive.try_lock().unwrap();
        let (_, other_target) = left(".out2.4000000002-0.tmp");
        let (_, somebody_elses) = left(".out.notes.tmp");

        let folder = Folder::create(&parent.path().join("out")).unwrap();
        assert!(!stale.exists());
        for kept in [&running, &other_target, &somebody_elses] {
            assert!(kept.exists(), "{}", kept.display());
        }
        let second = Folder::create(&parent.path().join("out")).unwrap();
        assert!(folder.path().exists(), "a run of the same process is let be");
        folder.write_file(REPORT_FILE, b"{}").unwrap();
        folder.publish().unwrap();
        assert!(!parent.path().join("out").join(LOCK_FILE).exists());
        drop(second);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 4);
    }
}
