//! `rejected.jsonl`: the bad rows of a run with `on_error: skip`, each with its reason.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::DataError;

/// The file's name in the prepared folder.
pub(crate) const REJECTED_FILE: &str = "rejected.jsonl";

/// Written from the first rejected row on; no row, no file.
pub(crate) struct Rejected {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Rejected {
    pub fn new(folder: &Path) -> Self {
        Rejected { path: folder.join(REJECTED_FILE), file: None }
    }

    /// Writes the error, and the row as it stands in its file (`raw`; absent where it was too large to be kept).
    pub fn write(&mut self, error: &DataError, raw: Option<&str>) -> Result<(), DataError> {
        let failed = |error: std::io::Error| DataError::io("write", &self.path, &error);
        let mut line =
            serde_json::to_value(error).map_err(|error| DataError::new("internal-error", error.to_string()))?;
        if let (Some(map), Some(raw)) = (line.as_object_mut(), raw) {
            map.insert("raw".to_owned(), raw.into());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create(&self.path).map_err(failed)?)),
        };
        writeln!(file, "{line}").map_err(failed)
    }

    pub fn finish(self) -> Result<(), DataError> {
        let failed = |error: std::io::Error| DataError::io("write", &self.path, &error);
        let Some(file) = self.file else { return Ok(()) };
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }
}
