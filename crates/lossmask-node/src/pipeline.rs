//! A run of the pipeline behind `src/pipeline/run.ts`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use lossmask_data::{Control, PipelineSpec, Progress};
use napi::bindgen_prelude::AsyncTask;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, Status, Task};
use napi_derive::napi;

use crate::error::{Issue, caught};

/// Called with how far the run is, as JSON.
type OnProgress = ThreadsafeFunction<String, (), String, Status, false, true>;

/// A run that can be started once, watched, and stopped.
#[napi]
pub struct PipelineRun {
    /// Behind a lock, so that `start` borrows the run as `cancel` does: a run is cancelled while it is started.
    spec: Mutex<Option<PipelineSpec>>,
    cancel: Arc<AtomicBool>,
}

#[napi]
impl PipelineRun {
    /// Reads the spec (JSON of a `PipelineSpec`). Nothing is opened yet.
    #[napi(constructor, catch_unwind)]
    pub fn new(spec: String) -> napi::Result<Self> {
        let spec = serde_json::from_str(&spec).map_err(|error| Issue::new("invalid-spec", error.to_string()))?;
        Ok(PipelineRun { spec: Mutex::new(Some(spec)), cancel: Arc::default() })
    }

    /// Runs on the thread pool and answers with the report as JSON. `on_progress` gets the progress as JSON.
    #[napi(ts_return_type = "Promise<string>", catch_unwind)]
    pub fn start(&self, on_progress: Option<OnProgress>) -> napi::Result<AsyncTask<Run>> {
        let spec = self
            .spec
            .lock()
            .ok()
            .and_then(|mut spec| spec.take())
            .ok_or_else(|| Issue::new("run-already-started", "a run is started once"))?;
        Ok(AsyncTask::new(Run { spec, cancel: Arc::clone(&self.cancel), on_progress }))
    }

    /// Stops the run: it ends with the error `cancelled` and leaves nothing behind.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

/// The work of [`PipelineRun::start`].
pub struct Run {
    spec: PipelineSpec,
    cancel: Arc<AtomicBool>,
    on_progress: Option<OnProgress>,
}

impl Task for Run {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> napi::Result<String> {
        caught(|| {
            let progress = self.on_progress.take().map(|callback| {
                Box::new(move |progress: &Progress| {
                    if let Ok(json) = serde_json::to_string(progress) {
                        callback.call(json, ThreadsafeFunctionCallMode::NonBlocking);
                    }
                }) as lossmask_data::OnProgress
            });
            let control = Control { cancel: Arc::clone(&self.cancel), progress };
            let report = lossmask_data::run(&self.spec, control).map_err(|error| crate::error::data_error(&error))?;
            serde_json::to_string(&report).map_err(|error| Issue::new("internal-error", error.to_string()).into())
        })
    }

    fn resolve(&mut self, _: Env, output: String) -> napi::Result<String> {
        Ok(output)
    }
}
