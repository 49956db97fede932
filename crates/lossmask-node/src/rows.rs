//! Rows one by one or as lines of a stream, behind `src/pipeline/rows.ts`.

use std::sync::Arc;

use lossmask_data::{DatasetEncoder, LinesOut, PipelineSpec, ShownRow};
use napi::bindgen_prelude::{AsyncTask, Buffer, Float32Array, Int32Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde_json::{Value, json};

use crate::error::{Issue, caught, data_error};

type Stream = Arc<lossmask_data::RowStream<DatasetEncoder>>;

/// Encodes rows under the rules of a spec's first dataset. Made by `openRows`.
#[napi]
pub struct Rows {
    stream: Stream,
}

/// Loads the tokenizer and compiles the template and the boundaries of a spec (JSON of a `PipelineSpec`).
#[napi(ts_return_type = "Promise<Rows>", catch_unwind)]
pub fn open_rows(spec: String) -> AsyncTask<Open> {
    AsyncTask::new(Open { spec })
}

#[napi]
impl Rows {
    /// Encodes rows, each the JSON of an object. A bad row is an entry with `error`.
    #[napi(ts_return_type = "Promise<EncodedRow[]>", catch_unwind)]
    pub fn encode(&self, rows: Vec<String>) -> AsyncTask<EncodeRows> {
        AsyncTask::new(EncodeRows { stream: Arc::clone(&self.stream), rows })
    }

    /// Whole lines of JSON in, JSON lines out.
    #[napi(ts_return_type = "Promise<EncodedLines>", catch_unwind)]
    pub fn lines(&self, bytes: Buffer, name: String, first_line: f64) -> AsyncTask<EncodeLines> {
        let bytes = bytes.to_vec();
        AsyncTask::new(EncodeLines { stream: Arc::clone(&self.stream), bytes, name, first_line: first_line as u64 })
    }
}

/// One encoded row, or why there is none.
#[napi(object)]
pub struct EncodedRow {
    /// Token ids.
    pub input_ids: Int32Array,
    /// Labels.
    pub labels: Int32Array,
    /// Weight of each token; absent where every trained token weighs 1.
    pub weights: Option<Float32Array>,
    /// JSON of the rest of a `ShownRow`.
    pub about: String,
    /// JSON of an issue.
    pub error: Option<String>,
}

/// What became of some lines.
#[napi(object)]
pub struct EncodedLines {
    /// JSON lines of rows.
    pub lines: Buffer,
    /// Lines read.
    pub line_count: f64,
    /// JSON of the issues of bad rows.
    pub rejected: String,
    /// JSON of the report.
    pub report: String,
}

/// The work of [`open_rows`].
pub struct Open {
    spec: String,
}

impl Task for Open {
    type Output = Stream;
    type JsValue = Rows;

    fn compute(&mut self) -> napi::Result<Stream> {
        caught(|| {
            let spec: PipelineSpec =
                serde_json::from_str(&self.spec).map_err(|error| Issue::new("invalid-spec", error.to_string()))?;
            let mut encoders = DatasetEncoder::all(&spec).map_err(|error| data_error(&error))?;
            if encoders.is_empty() {
                return Err(Issue::new("invalid-spec", "the spec has no dataset").into());
            }
            Ok(Arc::new(lossmask_data::RowStream::new(&spec, encoders.swap_remove(0))))
        })
    }

    fn resolve(&mut self, _: Env, stream: Stream) -> napi::Result<Rows> {
        Ok(Rows { stream })
    }
}

/// The work of [`Rows::encode`].
pub struct EncodeRows {
    stream: Stream,
    rows: Vec<String>,
}

impl Task for EncodeRows {
    type Output = Vec<Result<ShownRow, Value>>;
    type JsValue = Vec<EncodedRow>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        caught(|| {
            let encode = |text: &String| {
                self.stream.row(text).map_err(|error| serde_json::to_value(&error).unwrap_or(Value::Null))
            };
            Ok(self.rows.iter().map(encode).collect())
        })
    }

    fn resolve(&mut self, _: Env, rows: Self::Output) -> napi::Result<Vec<EncodedRow>> {
        rows.into_iter().map(encoded_row).collect()
    }
}

fn encoded_row(row: Result<ShownRow, Value>) -> napi::Result<EncodedRow> {
    let mut row = match row {
        Ok(row) => row,
        Err(issue) => {
            let (input_ids, labels) = (Int32Array::new(Vec::new()), Int32Array::new(Vec::new()));
            let error = Some(issue.to_string());
            return Ok(EncodedRow { input_ids, labels, weights: None, about: String::new(), error });
        }
    };
    let input_ids = Int32Array::new(std::mem::take(&mut row.input_ids));
    let labels = Int32Array::new(std::mem::take(&mut row.labels));
    let weights = row.weights.take().map(Float32Array::new);
    let about = serde_json::to_string(&row).map_err(|error| Issue::new("internal-error", error.to_string()))?;
    Ok(EncodedRow { input_ids, labels, weights, about, error: None })
}

/// The work of [`Rows::lines`].
pub struct EncodeLines {
    stream: Stream,
    bytes: Vec<u8>,
    name: String,
    first_line: u64,
}

impl Task for EncodeLines {
    type Output = LinesOut;
    type JsValue = EncodedLines;

    fn compute(&mut self) -> napi::Result<LinesOut> {
        let bytes = std::mem::take(&mut self.bytes);
        caught(|| self.stream.lines(bytes, &self.name, self.first_line).map_err(|error| data_error(&error)))
    }

    fn resolve(&mut self, _: Env, out: LinesOut) -> napi::Result<EncodedLines> {
        Ok(EncodedLines {
            lines: out.lines.into(),
            line_count: out.line_count as f64,
            rejected: json!(out.rejected).to_string(),
            report: json!(out.report).to_string(),
        })
    }
}
