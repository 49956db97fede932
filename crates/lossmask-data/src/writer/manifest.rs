//! The list of what lossmask wrote into a prepared folder. Only what is listed is ever replaced or removed.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the list is kept, itself included in it.
pub(super) const MANIFEST_FILE: &str = "lossmask/manifest.json";
/// Raised when an older lossmask could no longer read the list.
const VERSION: u32 = 1;

/// The files of a prepared folder, relative to it, with `/` between names.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Manifest {
    version: u32,
    files: BTreeSet<String>,
}

impl Manifest {
    /// Lists every file below `folder`, and [`MANIFEST_FILE`] itself.
    pub fn of_folder(folder: &Path) -> io::Result<Manifest> {
        let mut files: BTreeSet<String> = files_below(folder)?.iter().map(|file| portable(file)).collect();
        files.insert(MANIFEST_FILE.to_owned());
        Ok(Manifest { version: VERSION, files })
    }

    /// The list that `folder` carries; `None` where there is none that this version understands.
    pub fn read(folder: &Path) -> Option<Manifest> {
        let bytes = fs::read(folder.join(MANIFEST_FILE)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|manifest: &Manifest| manifest.version == VERSION)
    }

    /// What `folder` holds besides the listed files: somebody else's, folders without files included.
    pub fn foreign(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut foreign = files_below(folder)?;
        foreign.retain(|file| !self.files.contains(&portable(file)));
        Ok(foreign)
    }

    /// Removes the listed files of `folder`, then the folders that this leaves empty.
    pub fn remove_from(&self, folder: &Path) -> io::Result<()> {
        for file in &self.files {
            match fs::remove_file(folder.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        remove_empty(folder)
    }
}

/// Every file below `folder` (a link counts as one and is not followed), and every empty folder, relative to it.
fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(dir) = open.pop() {
        let before = found.len() + open.len();
        for entry in fs::read_dir(folder.join(&dir))? {
            let entry = entry?;
            let path = dir.join(entry.file_name());
            if entry.file_type()?.is_dir() { open.push(path) } else { found.push(path) }
        }
        if found.len() + open.len() == before && dir != Path::new("") {
            found.push(dir);
        }
    }
    found.sort();
    Ok(found)
}

fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty(&entry.path())?;
        }
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
        _ => Ok(()),
    }
}

fn portable(path: &Path) -> String {
    path.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join("/")
}
