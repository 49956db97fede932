//! The page of `lossmask inspect --html`, made chunk by chunk.

use std::sync::{Arc, Mutex};

use lossmask_data::{Page, Prepared};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use crate::error::{Issue, caught, data_error};
use crate::prepared::PreparedFolder;

/// Collects rows of a prepared folder for one page.
#[napi]
pub struct InspectPage {
    prepared: Arc<Prepared>,
    page: Arc<Mutex<Page>>,
}

#[napi]
impl InspectPage {
    /// A page without rows.
    #[napi(constructor, catch_unwind)]
    pub fn new(folder: &PreparedFolder) -> Self {
        InspectPage { prepared: Arc::clone(&folder.prepared), page: Arc::default() }
    }

    /// Takes the next rows; their chunk is base64 of gzipped JSON.
    #[napi(ts_return_type = "Promise<string>", catch_unwind)]
    pub fn chunk(&self, split: String, numbers: Vec<u32>) -> AsyncTask<Chunk> {
        AsyncTask::new(Chunk { prepared: Arc::clone(&self.prepared), page: Arc::clone(&self.page), split, numbers })
    }

    /// The head of the page as JSON. `facts`: JSON of a list of `[name, value]`.
    #[napi(catch_unwind)]
    pub fn head(&self, title: String, facts: String, chunk_rows: u32) -> napi::Result<String> {
        let facts: Vec<(String, String)> =
            serde_json::from_str(&facts).map_err(|error| Issue::new("internal-error", error.to_string()))?;
        let page = self.page.lock().map_err(|_| Issue::new("internal-error", "a chunk of the page failed"))?;
        Ok(page.head(&title, &facts, self.prepared.report(), chunk_rows as usize).to_string())
    }
}

/// The work of [`InspectPage::chunk`].
pub struct Chunk {
    prepared: Arc<Prepared>,
    page: Arc<Mutex<Page>>,
    split: String,
    numbers: Vec<u32>,
}

impl Task for Chunk {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        caught(|| {
            let numbers: Vec<u64> = self.numbers.iter().map(|&number| number.into()).collect();
            let mut page = self.page.lock().map_err(|_| Issue::new("internal-error", "a chunk of the page failed"))?;
            page.chunk(&self.prepared, &self.split, &numbers).map_err(|error| data_error(&error))
        })
    }

    fn resolve(&mut self, _: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}
