//! Errors and panics on their way to JavaScript: napi errors whose reason is JSON, which `src/native.ts` reads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value};

/// One thing that is wrong, as data; `Issue` of `src/errors.ts`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Issue {
    /// Stable code in kebab case, documented in `docs/diagnostics.md`.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where in a value.
    pub path: Option<String>,
    /// The file it stands in.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u64>,
    /// Column in the line, from 1.
    pub column: Option<u64>,
    /// Index of the data row, from 0.
    pub row: Option<u64>,
}

impl Issue {
    /// An issue without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Issue {
        Issue { code, message: message.into(), ..Issue::default() }
    }

    /// The same with a hint.
    pub fn hint(self, hint: impl Into<String>) -> Issue {
        Issue { hint: Some(hint.into()), ..self }
    }

    /// The same with a path.
    pub fn path(self, path: impl Into<String>) -> Issue {
        Issue { path: Some(path.into()), ..self }
    }

    /// The issue as JSON, without the fields that are not known.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".to_owned(), self.code.into());
        object.insert("message".to_owned(), self.message.clone().into());
        let texts = [("hint", &self.hint), ("path", &self.path), ("file", &self.file)];
        let numbers = [("line", self.line), ("column", self.column), ("row", self.row)];
        object.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into()))));
        object.extend(numbers.into_iter().filter_map(|(name, number)| Some((name.to_owned(), number?.into()))));
        Value::Object(object)
    }
}

impl From<Issue> for napi::Error {
    fn from(issue: Issue) -> napi::Error {
        napi::Error::from_reason(issue.to_json().to_string())
    }
}

/// Runs `work`; a panic in it becomes the error `internal-error`. For work on the thread pool, where an unwinding panic
/// would abort the process; functions that JavaScript calls directly say `#[napi(catch_unwind)]`.
pub(crate) fn caught<T>(work: impl FnOnce() -> napi::Result<T>) -> napi::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let what = what.or_else(|| panic.downcast_ref::<String>().cloned());
        let message = what.unwrap_or_else(|| "a panic without a message".to_owned());
        Err(Issue::new("internal-error", format!("the native part of lossmask failed: {message}"))
            .hint("this is a bug in lossmask; please report it with the input that led to it")
            .into())
    })
}

/// A data error on its way to JavaScript; its own JSON has an issue's fields.
pub(crate) fn data_error(error: &lossmask_data::DataError) -> napi::Error {
    napi::Error::from_reason(serde_json::to_string(error).unwrap_or_else(|_| error.to_string()))
}
