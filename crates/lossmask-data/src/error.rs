//! Errors as data: a stable code, a place, and what to do.

use std::fmt;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use lossmask_chat::{RowError, SpecError};
use serde::Serialize;

use crate::Place;

/// Why a run stopped, or a row was rejected. Serializes as the JSON that crosses into JavaScript.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DataError(Box<ErrorData>);

/// What a [`DataError`] holds, boxed so that results stay small.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
    /// Stable code in kebab case, documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Where in the row: `messages[2].role`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Line of a text file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column in bytes, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// Row of the file, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
}

impl DataError {
    /// An error without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let data = ErrorData { code, message, hint: None, path: None, file: None, line: None, column: None, row: None };
        DataError(Box::new(data))
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same about a file as a whole.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }

    /// The same about a row.
    #[must_use]
    pub fn at(mut self, place: &Place) -> Self {
        self.file = Some(place.file.clone());
        self.line = place.line;
        self.row = Some(place.row);
        self
    }

    /// The same with the row it is seen at first, if one is known.
    #[must_use]
    pub(crate) fn at_first(self, place: Option<&Place>) -> Self {
        match place {
            Some(place) => self.at(place),
            None => self,
        }
    }

    /// What the operating system said about a file.
    pub(crate) fn io(what: &str, file: &Path, error: &io::Error) -> Self {
        let (code, hint) = match error.kind() {
            io::ErrorKind::NotFound => {
                ("file-not-found", Some("check the path; relative paths start at the working directory"))
            }
            io::ErrorKind::PermissionDenied => ("file-unreadable", Some("check the permissions")),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                ("disk-full", Some("free some space, or choose another output folder"))
            }
            io::ErrorKind::FileTooLarge => ("disk-full", Some("the file system takes no larger files")),
            _ => ("io-error", None),
        };
        let mut out = DataError::new(code, format!("cannot {what} `{}`: {error}", file.display())).in_file(file);
        out.hint = hint.map(str::to_owned);
        out
    }
}

impl Deref for DataError {
    type Target = ErrorData;

    fn deref(&self) -> &ErrorData {
        &self.0
    }
}

impl DerefMut for DataError {
    fn deref_mut(&mut self) -> &mut ErrorData {
        &mut self.0
    }
}

impl From<RowError> for DataError {
    fn from(error: RowError) -> Self {
        let mut out = DataError::new(error.code, error.message);
        out.path = error.path;
        out.hint = error.hint;
        out
    }
}

impl From<SpecError> for DataError {
    fn from(error: SpecError) -> Self {
        let mut out = DataError::new(error.code, error.message);
        out.hint = error.hint;
        out
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}:", file.display())?;
            match (self.line, self.row) {
                (Some(line), _) => write!(f, "{line}:")?,
                (None, Some(row)) => write!(f, "row {row}:")?,
                (None, None) => {}
            }
            if let Some(column) = self.column {
                write!(f, "{column}:")?;
            }
            f.write_str(" ")?;
        }
        if let Some(path) = &self.path {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for DataError {}
