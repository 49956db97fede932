//! The output folder: written under another name beside its place, and moved there at the end.
//!
//! A run for `out` writes `.out.PID-N.tmp` and holds a lock on `.out.PID-N.lock` as long as it lives. What is replaced goes to
//! `.out.PID-N.old` for the moment between two renames, where the system cannot exchange two folders in one step. A later run that
//! finds the lock free puts an `.old` folder back if its place is empty, and removes the rest.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::manifest::{MANIFEST_FILE, Manifest};
use crate::DataError;

/// Keeps the runs of one process apart.
static RUN: AtomicU64 = AtomicU64::new(0);
/// The folders that this process is writing, for [`abandon_all`].
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
/// Foreign files that an error names.
const NAMED_FILES: usize = 3;

/// A folder being written. Dropped before it is published, it disappears.
pub(crate) struct Folder {
    target: PathBuf,
    temporary: PathBuf,
    /// Held until the folder is published or gone; not locked where the file system knows no locks.
    _lock: Option<File>,
}

impl Folder {
    /// Begins a folder for `target`, where there must be a prepared folder with nothing else in it, an empty folder, or nothing.
    pub fn create(target: &Path) -> Result<Self, DataError> {
        let target = resolved(target)?;
        check_replaceable(&target)?;
        let name = target.file_name().ok_or_else(|| not_replaceable(&target, "it has no name of its own"))?;
        let parent = parent_of(&target);
        fs::create_dir_all(parent).map_err(|error| DataError::io("create", parent, &error))?;
        let prefix = format!(".{}.", name.to_string_lossy());
        sweep(parent, &prefix, &target);
        let number = RUN.fetch_add(1, Ordering::Relaxed);
        let temporary = parent.join(format!("{prefix}{}-{number}.tmp", std::process::id()));
        let lock = File::create(temporary.with_extension("lock")).ok();
        let lock = lock.filter(|lock| lock.try_lock().is_ok());
        // A leftover of a killed process that had the same id.
        remove(&temporary)?;
        fs::create_dir(&temporary).map_err(|error| DataError::io("create", &temporary, &error))?;
        live(|live| live.push(temporary.clone()));
        Ok(Folder { target, temporary, _lock: lock })
    }

    /// Where it is being written.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Where it will appear.
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

    /// Makes it appear at its place, in one step where the system can. Of an older folder only what its manifest lists is removed;
    /// a file that someone else put there meanwhile moves on into the new folder.
    pub fn publish(self) -> Result<(), DataError> {
        let failed = |error: io::Error| DataError::io("write", &self.target, &error);
        let manifest = Manifest::of_folder(&self.temporary).map_err(failed)?;
        let json = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| DataError::new("internal-error", error.to_string()))?;
        self.write_file(MANIFEST_FILE, &json)?;
        check_replaceable(&self.target)?;
        let replaced = Manifest::read(&self.target);
        let aside = put_in_place(&self.temporary, &self.target).map_err(failed)?;
        sync_folder(parent_of(&self.target));
        if let (Some(aside), Some(manifest)) = (aside, replaced) {
            manifest.remove_from(&aside).map_err(failed)?;
            if aside.exists() {
                move_into(&aside, &self.target).map_err(failed)?;
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // After `publish` nothing is left under this name.
        let _ = fs::remove_dir_all(&self.temporary);
        let _ = fs::remove_file(self.temporary.with_extension("lock"));
        live(|live| live.retain(|folder| *folder != self.temporary));
    }
}

/// Removes every folder that this process is still writing: for a process that ends without waiting for its runs.
pub fn abandon_all() {
    live(|live| {
        for folder in live.drain(..) {
            // A run that is still writing may add a file while its folder is being removed.
            for _ in 0..3 {
                if fs::remove_dir_all(&folder).is_ok() {
                    break;
                }
            }
            let _ = fs::remove_file(folder.with_extension("lock"));
        }
    });
}

fn live<T>(work: impl FnOnce(&mut Vec<PathBuf>) -> T) -> T {
    work(&mut LIVE.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Moves `new` to `target`. Where something was replaced: where it is now.
fn put_in_place(new: &Path, target: &Path) -> io::Result<Option<PathBuf>> {
    if !target.exists() {
        return fs::rename(new, target).map(|()| None);
    }
    if fs::read_dir(target)?.next().is_none() {
        fs::remove_dir(target)?;
        return fs::rename(new, target).map(|()| None);
    }
    if exchange(new, target).is_ok() {
        return Ok(Some(new.to_owned()));
    }
    let aside = new.with_extension("old");
    fs::rename(target, &aside)?;
    if let Err(error) = fs::rename(new, target) {
        // Put the older one back; should that fail too, the next run does it.
        let _ = fs::rename(&aside, target);
        return Err(error);
    }
    Ok(Some(aside))
}

#[cfg(target_os = "linux")]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A rename survives a loss of power once its folder is on disk. Systems that cannot sync a folder are left to do it themselves.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Moves what is left in `from` to the same names in `to`, keeping what is there; `from` disappears when all could be moved.
fn move_into(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if !place.exists() {
            fs::rename(entry.path(), place)?;
        } else if entry.file_type()?.is_dir() && place.is_dir() {
            move_into(&entry.path(), &place)?;
        }
    }
    match fs::remove_dir(from) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
        _ => Ok(()),
    }
}

/// Cleans up after killed runs for the same target, as far as that is possible.
fn sweep(parent: &Path, prefix: &str, target: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".lock")).is_some_and(is_run);
        if is_ours && File::open(entry.path()).is_ok_and(|lock| lock.try_lock().is_ok()) {
            clean_up(&entry.path(), target);
        }
    }
}

/// `lock` is that of a run that is no more.
fn clean_up(lock: &Path, target: &Path) {
    let (temporary, aside) = (lock.with_extension("tmp"), lock.with_extension("old"));
    if aside.exists() && !target.exists() {
        let _ = fs::rename(&aside, target);
    }
    let _ = fs::remove_dir_all(&temporary);
    if let Some(manifest) = Manifest::read(&aside) {
        let _ = manifest.remove_from(&aside);
    }
    if !temporary.exists() && !aside.exists() {
        let _ = fs::remove_file(lock);
    }
}

/// `PID-NUMBER`
fn is_run(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(process, run)| is_number(process) && is_number(run))
}

fn remove(path: &Path) -> Result<(), DataError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DataError::io("remove", path, &error)),
        _ => Ok(()),
    }
}

fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The folder that `target` names: a link to a folder is followed, so that the link stays what it is.
fn resolved(target: &Path) -> Result<PathBuf, DataError> {
    // Without a slash at the end, which would make a link look like its folder.
    let target: PathBuf = target.components().collect();
    if fs::symlink_metadata(&target).is_ok_and(|metadata| metadata.is_symlink()) {
        return fs::canonicalize(&target).map_err(|error| DataError::io("read", &target, &error));
    }
    Ok(target)
}

fn check_replaceable(target: &Path) -> Result<(), DataError> {
    let failed = |error: io::Error| DataError::io("read", target, &error);
    let Ok(metadata) = fs::symlink_metadata(target) else { return Ok(()) };
    if !metadata.is_dir() {
        return Err(not_replaceable(target, "it is not a folder"));
    }
    if fs::read_dir(target).map_err(failed)?.next().is_none() {
        return Ok(());
    }
    let Some(manifest) = Manifest::read(target) else {
        return Err(not_replaceable(target, "it holds files that lossmask did not write"));
    };
    let foreign = manifest.foreign(target).map_err(failed)?;
    let names: Vec<String> = foreign.iter().take(NAMED_FILES).map(|file| format!("`{}`", file.display())).collect();
    match foreign.len() {
        0 => Ok(()),
        more if more > NAMED_FILES => {
            let why = format!("lossmask did not write {} and {} more in it", names.join(", "), more - NAMED_FILES);
            Err(not_replaceable(target, &why))
        }
        _ => Err(not_replaceable(target, &format!("lossmask did not write {} in it", names.join(", ")))),
    }
}

fn not_replaceable(target: &Path, why: &str) -> DataError {
    DataError::new("output-not-replaceable", format!("`{}` cannot be the output folder: {why}", target.display()))
        .hint("choose a folder that does not exist yet, or move what is yours out of it")
        .in_file(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(target: &Path) {
        let folder = Folder::create(target).unwrap();
        folder.write_file("data/rows.arrow", b"rows").unwrap();
        folder.publish().unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_another_run_writes_stays() {
        let parent = tempfile::tempdir().unwrap();
        let left = |name: &str| {
            let folder = parent.path().join(name);
            fs::create_dir(&folder).unwrap();
            (File::create(folder.with_extension("lock")).unwrap(), folder)
        };
        let (killed, stale) = left(".out.4000000000-0.tmp");
        drop(killed);
        let (alive, running) = left(".out.4000000001-0.tmp");
        alive.try_lock().unwrap();
        let (_, other_target) = left(".out2.4000000002-0.tmp");
        let (_, somebody_elses) = left(".out.notes.tmp");

        let folder = Folder::create(&parent.path().join("out")).unwrap();
        assert!(!stale.exists() && !stale.with_extension("lock").exists());
        for kept in [&running, &other_target, &somebody_elses] {
            assert!(kept.exists(), "{}", kept.display());
        }
        let second = Folder::create(&parent.path().join("out")).unwrap();
        assert!(folder.path().exists(), "a run of the same process is let be");
        folder.write_file("rows", b"{}").unwrap();
        folder.publish().unwrap();
        drop(second);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 7, "three folders with their locks, and `out`");
    }

    #[test]
    fn only_what_the_manifest_lists_is_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        published(&target);
        published(&target);
        for foreign in ["notes.txt", "data/cache-1.arrow", "checkpoints/step-1/model.bin"] {
            let file = target.join(foreign);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, "mine").unwrap();
            let error = Folder::create(&target).err().unwrap();
            assert_eq!(error.code, "output-not-replaceable");
            assert!(error.message.contains(foreign), "{}", error.message);
            fs::remove_file(&file).unwrap();
        }
        let error = Folder::create(&target).err().unwrap();
        assert!(error.message.contains("checkpoints/step-1"), "an empty folder is somebody's too: {}", error.message);
        fs::remove_dir_all(target.join("checkpoints")).unwrap();
        published(&target);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_put_there_during_the_run_is_kept() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        published(&target);
        let folder = Folder::create(&target).unwrap();
        folder.write_file("data/rows.arrow", b"new").unwrap();
        fs::write(target.join("data/notes.txt"), "mine").unwrap();
        assert_eq!(folder.publish().unwrap_err().code, "output-not-replaceable");
        assert_eq!(fs::read(target.join("data/notes.txt")).unwrap(), b"mine");
        assert_eq!(fs::read(target.join("data/rows.arrow")).unwrap(), b"rows");
        // The same in the instant between the last look and the exchange.
        let aside = parent.path().join(".out.1-1.old");
        fs::create_dir_all(aside.join("data")).unwrap();
        fs::write(aside.join("data/late.txt"), "mine").unwrap();
        move_into(&aside, &target).unwrap();
        assert_eq!(fs::read(target.join("data/late.txt")).unwrap(), b"mine");
        assert!(!aside.exists());
    }

    #[test]
    fn a_kill_between_two_renames_loses_nothing() {
        let parent = tempfile::tempdir().unwrap();
        let target = parent.path().join("out");
        published(&target);
        // As where folders cannot be exchanged: the older one was moved aside, the new one did not get to its place.
        let aside = parent.path().join(".out.4000000000-0.old");
        fs::rename(&target, &aside).unwrap();
        fs::create_dir(aside.with_extension("tmp")).unwrap();
        File::create(aside.with_extension("lock")).unwrap();
        drop(Folder::create(&target).unwrap());
        assert_eq!(fs::read(target.join("data/rows.arrow")).unwrap(), b"rows");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_stays_a_link() {
        let parent = tempfile::tempdir().unwrap();
        let (place, link) = (parent.path().join("big-disk"), parent.path().join("out"));
        fs::create_dir(&place).unwrap();
        std::os::unix::fs::symlink(&place, &link).unwrap();
        published(&link);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(place.join("data/rows.arrow")).unwrap(), b"rows");
        published(&parent.path().join("out/"));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_process_that_ends_at_once_leaves_no_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::create(&parent.path().join("out")).unwrap();
        folder.write_file("rows", b"{}").unwrap();
        // Not `abandon_all`, which would take the folders of the tests beside this one.
        drop(folder);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
