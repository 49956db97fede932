//! A prepared folder behind `src/inspect`.

use std::path::Path;
use std::sync::Arc;

use lossmask_data::{Prepared, RowFilter};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use crate::error::{Issue, caught, data_error};

/// A folder that `lossmask preprocess` wrote.
#[napi]
pub struct PreparedFolder {
    pub(crate) prepared: Arc<Prepared>,
}

#[napi]
impl PreparedFolder {
    /// Opens the folder; `tokenizer` (JSON of a `TokenizerSpec`) where it is not the one the folder was made with.
    #[napi(constructor, catch_unwind)]
    pub fn new(dir: String, tokenizer: Option<String>) -> napi::Result<Self> {
        let tokenizer = tokenizer.map(|spec| serde_json::from_str(&spec)).transpose();
        let tokenizer = tokenizer.map_err(|error| Issue::new("invalid-spec", error.to_string()))?;
        let prepared = Prepared::open(Path::new(&dir), tokenizer).map_err(|error| data_error(&error))?;
        Ok(PreparedFolder { prepared: Arc::new(prepared) })
    }

    /// The run's report as JSON.
    #[napi(catch_unwind)]
    pub fn report(&self) -> napi::Result<String> {
        to_json(self.prepared.report())
    }

    /// Why rows come without token texts, as JSON of an issue, if they do.
    #[napi(catch_unwind)]
    pub fn tokenizer_problem(&self) -> napi::Result<Option<String>> {
        self.prepared.tokenizer_problem().map(to_json).transpose()
    }

    /// The rows of the given numbers: JSON of a list of `ShownRow`.
    #[napi(ts_return_type = "Promise<string>", catch_unwind)]
    pub fn rows(&self, split: String, numbers: Vec<u32>) -> AsyncTask<Rows> {
        AsyncTask::new(Rows { prepared: Arc::clone(&self.prepared), split, numbers })
    }

    /// The numbers of the rows that have a diagnosis of `code`, and with `failing` a warning, an error or a conflict.
    #[napi(ts_return_type = "Promise<Array<number>>", catch_unwind)]
    pub fn find(&self, split: String, filter: FindFilter) -> AsyncTask<Find> {
        let limit = filter.limit.map(|limit| limit as usize);
        let filter = RowFilter { code: filter.code, failing: filter.failing.unwrap_or(false), limit };
        AsyncTask::new(Find { prepared: Arc::clone(&self.prepared), split, filter })
    }
}

/// What [`PreparedFolder::find`] looks for.
#[napi(object)]
pub struct FindFilter {
    /// Rows with a diagnosis of this code.
    pub code: Option<String>,
    /// Rows with a warning, an error, or a conflict of routes.
    pub failing: Option<bool>,
    /// No more rows than this.
    pub limit: Option<u32>,
}

/// The work of [`PreparedFolder::rows`].
pub struct Rows {
    prepared: Arc<Prepared>,
    split: String,
    numbers: Vec<u32>,
}

impl Task for Rows {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        caught(|| {
            let numbers: Vec<u64> = self.numbers.iter().map(|&number| number.into()).collect();
            let rows = self.prepared.rows(&self.split, &numbers).map_err(|error| data_error(&error))?;
            to_json(&rows)
        })
    }

    fn resolve(&mut self, _: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}

/// The work of [`PreparedFolder::find`].
pub struct Find {
    prepared: Arc<Prepared>,
    split: String,
    filter: RowFilter,
}

impl Task for Find {
    type Output = Vec<i64>;
    type JsValue = Vec<i64>;

    fn compute(&mut self) -> napi::Result<Vec<i64>> {
        caught(|| {
            let found = self.prepared.find(&self.split, &self.filter).map_err(|error| data_error(&error))?;
            Ok(found.into_iter().map(|number| number as i64).collect())
        })
    }

    fn resolve(&mut self, _: Env, output: Vec<i64>) -> napi::Result<Vec<i64>> {
        Ok(output)
    }
}

pub(crate) fn to_json(value: &(impl serde::Serialize + ?Sized)) -> napi::Result<String> {
    serde_json::to_string(value).map_err(|error| Issue::new("internal-error", error.to_string()).into())
}
