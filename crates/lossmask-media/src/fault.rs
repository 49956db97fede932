//! Why the size of a file cannot be told.

use std::fmt;

/// A piece of media whose size cannot be told; part of a row's error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFault {
    /// `media-missing`, `media-outside-root`, `media-not-a-file`, `media-unreadable`, `media-format`, `media-broken`,
    /// `media-remote`, `media-base64`.
    pub code: &'static str,
    /// What is wrong, with the media's name.
    pub message: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

impl MediaFault {
    pub(crate) fn new(code: &'static str, message: String) -> Self {
        MediaFault { code, message, hint: None }
    }

    pub(crate) fn hint(self, hint: &'static str) -> Self {
        MediaFault { hint: Some(hint), ..self }
    }
}

impl fmt::Display for MediaFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MediaFault {}
