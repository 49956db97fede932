//! Findings as data: what is odd about a row or a run, under a stable code.

use std::ops::Range;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// The labels are right, but probably not what was wanted.
    Warning,
    /// The row would train wrongly.
    Error,
}

impl Severity {
    /// Its name in reports: `info`, `warning`, `error`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One finding about one row. The place of the row (file, line) is known to the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Stable code in kebab case, documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The tokens it is about, if any.
    pub span: Option<Range<usize>>,
    /// What was found, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
