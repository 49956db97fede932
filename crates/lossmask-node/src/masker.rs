//! The masker behind `src/masker.ts`: typed arrays of token ids in, labels out. A masker is an `External`, not a class: unwrapping
//! `this` would cost more than scanning a short row.

use lossmask::{BuildError, Diagnosis, Label, MaskValue, Masker, Rows, ShapeError, TemplateWarning, Turn};
use napi::bindgen_prelude::{AsyncTask, BigInt64Array, Either, External, Int32Array};
use napi::{Env, Task};
use napi_derive::napi;
use serde::de::DeserializeOwned;

use crate::error::{Issue, caught};
use crate::view::{Element, Kind, Pair, View};

/// Compiles `options`, the JSON of the core's `MaskerOptions`, `CompletionOnly` or `ResponsesOnly`, as `rules` says.
#[napi(catch_unwind)]
pub fn create_masker(
    #[napi(ts_arg_type = "'boundaries' | 'completion-only' | 'responses-only'")] rules: String,
    options: String,
) -> napi::Result<External<Masker>> {
    let masker = match rules.as_str() {
        "completion-only" => Masker::completion_only(&parse(&options)?),
        "responses-only" => Masker::responses_only(&parse(&options)?),
        _ => Masker::new(&parse(&options)?),
    };
    Ok(External::new(masker.map_err(build_issue)?))
}

/// Writes the labels of one row; `labels` may be `ids` itself. See [`row_writer`](crate::row_writer).
pub(crate) fn write_labels(masker: &Masker, ids: &View, labels: View) -> napi::Result<()> {
    match width(ids, &labels)? {
        Width::Word => write_row::<i32>(masker, ids, labels),
        Width::Long => write_row::<i64>(masker, ids, labels),
    }
}

/// Writes the labels of many rows: of `row_length`, or with `offsets`; `labels` may be `ids` itself.
#[napi(catch_unwind)]
pub fn labels_batch_into(
    masker: &External<Masker>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] ids: View,
    row_length: Option<f64>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array | undefined")] offsets: View,
    #[napi(ts_arg_type = "Uint8Array | Int32Array | Uint32Array | BigInt64Array | undefined")] attention_mask: Option<
        View,
    >,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] labels: View,
) -> napi::Result<()> {
    let layout = Layout::new(row_length, &offsets)?;
    if attention_mask.as_ref().is_some_and(|mask| mask.overlaps(&labels)) {
        let issue = Issue::new("overlapping-arrays", "attentionMask and labels overlap");
        return Err(issue.path("attentionMask").hint("give the labels memory of their own").into());
    }
    match width(&ids, &labels)? {
        Width::Word => write_rows::<i32>(masker, &ids, &layout, attention_mask.as_ref(), labels),
        Width::Long => write_rows::<i64>(masker, &ids, &layout, attention_mask.as_ref(), labels),
    }
}

/// The labels of many rows, made on the thread pool. The arrays are copied before this returns.
#[napi(catch_unwind, ts_return_type = "Promise<Int32Array | BigInt64Array>")]
pub fn labels_batch_async(
    masker: &External<Masker>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] ids: View,
    row_length: Option<f64>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array | undefined")] offsets: View,
    #[napi(ts_arg_type = "Uint8Array | Int32Array | Uint32Array | BigInt64Array | undefined")] attention_mask: Option<
        View,
    >,
) -> napi::Result<AsyncTask<BatchTask>> {
    let ids = match id_width(&ids)? {
        Width::Word => Ids::Word(ids.slice::<i32>("ids")?.to_vec()),
        Width::Long => Ids::Long(ids.slice::<i64>("ids")?.to_vec()),
    };
    let layout = Layout::new(row_length, &offsets)?;
    let mask = attention_mask.map(|mask| with_mask(&mask, OwnedMask)).transpose()?;
    Ok(AsyncTask::new(BatchTask { masker: Masker::clone(masker), ids, layout, mask }))
}

/// The turns of one row.
#[napi(catch_unwind)]
pub fn turns(
    masker: &External<Masker>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] ids: View,
) -> napi::Result<Vec<MaskedTurn>> {
    let found = match id_width(&ids)? {
        Width::Word => masker.turns(ids.slice::<i32>("ids")?),
        Width::Long => masker.turns(ids.slice::<i64>("ids")?),
    };
    Ok(found.iter().map(|turn| MaskedTurn::new(turn, masker)).collect())
}

/// What the ids of one row show to be odd.
#[napi(catch_unwind)]
pub fn diagnose(
    masker: &External<Masker>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] ids: View,
) -> napi::Result<Vec<RowFinding>> {
    let found = match id_width(&ids)? {
        Width::Word => masker.diagnose(ids.slice::<i32>("ids")?),
        Width::Long => masker.diagnose(ids.slice::<i64>("ids")?),
    };
    Ok(found.into_iter().map(RowFinding::from).collect())
}

/// Masks labels that exist already: those of tokens that are not trained become the ignore index.
#[napi(catch_unwind)]
pub fn mask_labels(
    masker: &External<Masker>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] ids: View,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] labels: View,
) -> napi::Result<()> {
    match width(&ids, &labels)? {
        Width::Word => mask_row::<i32>(masker, &ids, labels),
        Width::Long => mask_row::<i64>(masker, &ids, labels),
    }
}

/// What the tool warns of whose rules the masker follows.
#[napi(catch_unwind)]
pub fn template_warnings(
    masker: &External<Masker>,
    #[napi(ts_arg_type = "Int32Array | Uint32Array | BigInt64Array")] ids: View,
) -> napi::Result<Vec<&'static str>> {
    let warnings = match id_width(&ids)? {
        Width::Word => masker.template_warnings(ids.slice::<i32>("ids")?),
        Width::Long => masker.template_warnings(ids.slice::<i64>("ids")?),
    };
    Ok(warnings.into_iter().map(TemplateWarning::name).collect())
}

/// Token ids that stand in a plain list of numbers: whole numbers from -2^31 to 2^31 - 1.
#[napi(catch_unwind)]
pub fn token_ids(#[napi(ts_arg_type = "Float64Array")] numbers: View, path: String) -> napi::Result<Int32Array> {
    let numbers: &[f64] = if numbers.kind() == Kind::F64 { numbers.slice(&path)? } else { &[] };
    let ids = numbers.iter().enumerate().map(|(index, &number)| {
        // A float becomes the nearest i32, NaN 0: only a number that is one comes back equal.
        let id = number as i32;
        if f64::from(id) == number { Ok(id) } else { Err(not_an_id(number, &path, index).into()) }
    });
    Ok(Int32Array::new(ids.collect::<napi::Result<Vec<i32>>>()?))
}

/// One recognised role span of a row; positions are token indices.
#[napi(object)]
pub struct MaskedTurn {
    /// The role's name.
    pub role: String,
    /// First token of the start marker.
    pub start: u32,
    /// First token behind the header.
    pub content_start: u32,
    /// First token of the end marker, or the end of the row.
    pub content_end: u32,
    /// Behind the end marker where it belongs to the turn, else `contentEnd`.
    pub end: u32,
    /// Whether any part of the turn may be trained.
    pub trained: bool,
    /// Whether an end marker was found; always true for a role without one.
    pub terminated: bool,
}

impl MaskedTurn {
    fn new(turn: &Turn, masker: &Masker) -> MaskedTurn {
        // V8 arrays hold fewer than 2^32 elements.
        let index = |position: usize| position as u32;
        MaskedTurn {
            role: masker.roles()[turn.role as usize].to_string(),
            start: index(turn.start),
            content_start: index(turn.content_start),
            content_end: index(turn.content_end),
            end: index(turn.end),
            trained: turn.trained,
            terminated: turn.terminated,
        }
    }
}

/// A finding about one row; see `RowDiagnosis` in `src/pipeline/report.ts`.
#[napi(object)]
pub struct RowFinding {
    /// Stable code.
    pub code: String,
    /// `info`, `warning`, `error`.
    pub severity: String,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// First token it is about.
    pub start: Option<u32>,
    /// Behind the last one.
    pub end: Option<u32>,
}

impl From<Diagnosis> for RowFinding {
    fn from(diagnosis: Diagnosis) -> RowFinding {
        RowFinding {
            code: diagnosis.code.to_owned(),
            severity: diagnosis.severity.name().to_owned(),
            message: diagnosis.message,
            hint: diagnosis.hint,
            start: diagnosis.span.as_ref().map(|span| span.start as u32),
            end: diagnosis.span.as_ref().map(|span| span.end as u32),
        }
    }
}

/// Size of the elements of ids and labels: 32 or 64 bits.
enum Width {
    Word,
    Long,
}

fn id_width(ids: &View) -> napi::Result<Width> {
    match ids.kind() {
        Kind::I32 | Kind::U32 => Ok(Width::Word),
        Kind::I64 => Ok(Width::Long),
        Kind::U8 | Kind::F64 | Kind::Other => Err(Issue::new(
            "invalid-ids",
            "expected token ids as Int32Array, Uint32Array, BigInt64Array or a list of numbers",
        )
        .path("ids")
        .into()),
    }
}

fn width(ids: &View, labels: &View) -> napi::Result<Width> {
    let width = id_width(ids)?;
    let expected = match (&width, labels.kind()) {
        (Width::Word, Kind::I32 | Kind::U32) | (Width::Long, Kind::I64) => return Ok(width),
        (Width::Word, _) => "Int32Array or Uint32Array",
        (Width::Long, _) => "BigInt64Array",
    };
    Err(Issue::new("invalid-output", format!("expected the output as {expected}, as the ids are")).path("out").into())
}

fn write_row<T: Element + Label>(masker: &Masker, ids: &View, mut labels: View) -> napi::Result<()> {
    match ids.pair::<T>("ids", &mut labels, "out")? {
        Pair::Same(row) => masker.labels_in_place(row),
        Pair::Apart(ids, labels) => masker.labels_into(ids, labels).map_err(|error| shape_issue(&error))?,
    }
    Ok(())
}

fn mask_row<T: Element + Label>(masker: &Masker, ids: &View, mut labels: View) -> napi::Result<()> {
    match ids.pair::<T>("ids", &mut labels, "labels")? {
        Pair::Same(row) => masker.labels_in_place(row),
        Pair::Apart(ids, labels) => masker.mask_labels(ids, labels).map_err(|error| shape_issue(&error))?,
    }
    Ok(())
}

fn write_rows<T: Element + Label>(
    masker: &Masker,
    ids: &View,
    layout: &Layout,
    mask: Option<&View>,
    mut labels: View,
) -> napi::Result<()> {
    let pair = ids.pair::<T>("ids", &mut labels, "out")?;
    let batch = Batch { masker, pair, rows: layout.rows() };
    match mask {
        None => batch.write::<u8>(None),
        Some(mask) => with_mask(mask, batch)?,
    }
    .map_err(|error| shape_issue(&error).into())
}

/// Something to do with an attention mask of any type.
trait MaskUse {
    type Output;
    fn apply<M: MaskValue>(self, mask: &[M]) -> Self::Output;
}

fn with_mask<U: MaskUse>(mask: &View, what: U) -> napi::Result<U::Output> {
    const NAME: &str = "attentionMask";
    Ok(match mask.kind() {
        Kind::U8 => what.apply(mask.slice::<u8>(NAME)?),
        Kind::I32 => what.apply(mask.slice::<i32>(NAME)?),
        Kind::U32 => what.apply(mask.slice::<u32>(NAME)?),
        Kind::I64 => what.apply(mask.slice::<i64>(NAME)?),
        Kind::F64 | Kind::Other => {
            let message = "expected the attention mask as Uint8Array, Int32Array, Uint32Array, BigInt64Array or a list of numbers";
            return Err(Issue::new("invalid-attention-mask", message).path(NAME).into());
        }
    })
}

struct Batch<'a, T> {
    masker: &'a Masker,
    pair: Pair<'a, T>,
    rows: Rows<'a>,
}

impl<T: Label> Batch<'_, T> {
    fn write<M: MaskValue>(self, mask: Option<&[M]>) -> Result<(), ShapeError> {
        match self.pair {
            Pair::Same(ids) => self.masker.labels_batch_in_place(ids, self.rows, mask),
            Pair::Apart(ids, labels) => self.masker.labels_batch_into(ids, self.rows, mask, labels),
        }
    }
}

impl<T: Label> MaskUse for Batch<'_, T> {
    type Output = Result<(), ShapeError>;

    fn apply<M: MaskValue>(self, mask: &[M]) -> Self::Output {
        self.write(Some(mask))
    }
}

/// Copies a mask, a byte per token.
struct OwnedMask;

impl MaskUse for OwnedMask {
    type Output = Vec<u8>;

    fn apply<M: MaskValue>(self, mask: &[M]) -> Vec<u8> {
        mask.iter().map(|value| u8::from(value.is_token())).collect()
    }
}

/// How rows lie in an array; owned twin of [`Rows`].
enum Layout {
    Length(usize),
    Offsets(Vec<usize>),
}

impl Layout {
    fn new(row_length: Option<f64>, offsets: &View) -> napi::Result<Layout> {
        const NAME: &str = "offsets";
        Ok(match (row_length, offsets.kind()) {
            (Some(length), _) => Layout::Length(length as usize),
            (None, Kind::I32) => Layout::offsets(offsets.slice::<i32>(NAME)?)?,
            (None, Kind::U32) => Layout::offsets(offsets.slice::<u32>(NAME)?)?,
            (None, Kind::I64) => Layout::offsets(offsets.slice::<i64>(NAME)?)?,
            (None, Kind::U8 | Kind::F64 | Kind::Other) => {
                let message = "expected offsets as Int32Array, Uint32Array, BigInt64Array or a list of numbers";
                return Err(Issue::new("row-offsets", message).path(NAME).into());
            }
        })
    }

    fn offsets<T: Copy + TryInto<usize>>(offsets: &[T]) -> napi::Result<Layout> {
        let offsets = offsets.iter().enumerate().map(|(index, &offset)| {
            let negative = |_| Issue::new("row-offsets", format!("offset {index} is negative")).path("offsets");
            offset.try_into().map_err(|error| negative(error).into())
        });
        Ok(Layout::Offsets(offsets.collect::<napi::Result<_>>()?))
    }

    fn rows(&self) -> Rows<'_> {
        match self {
            Layout::Length(length) => Rows::Length(*length),
            Layout::Offsets(offsets) => Rows::Offsets(offsets),
        }
    }
}

/// Copied ids, which become the labels in place.
enum Ids {
    Word(Vec<i32>),
    Long(Vec<i64>),
}

/// One batch on the thread pool.
pub struct BatchTask {
    masker: Masker,
    ids: Ids,
    layout: Layout,
    mask: Option<Vec<u8>>,
}

impl BatchTask {
    fn run<T: Label>(&self, mut ids: Vec<T>) -> napi::Result<Vec<T>> {
        let done = self.masker.labels_batch_in_place(&mut ids, self.layout.rows(), self.mask.as_deref());
        done.map_err(|error| shape_issue(&error))?;
        Ok(ids)
    }
}

impl Task for BatchTask {
    type Output = Either<Vec<i32>, Vec<i64>>;
    type JsValue = Either<Int32Array, BigInt64Array>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        caught(|| {
            Ok(match std::mem::replace(&mut self.ids, Ids::Word(Vec::new())) {
                Ids::Word(ids) => Either::A(self.run(ids)?),
                Ids::Long(ids) => Either::B(self.run(ids)?),
            })
        })
    }

    fn resolve(&mut self, _env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(match output {
            Either::A(labels) => Either::A(Int32Array::new(labels)),
            Either::B(labels) => Either::B(BigInt64Array::new(labels)),
        })
    }
}

fn not_an_id(number: f64, path: &str, index: usize) -> Issue {
    Issue::new("invalid-token-id", format!("expected a whole number from -2147483648 to 2147483647, found {number}"))
        .path(format!("{path}[{index}]"))
}

fn parse<T: DeserializeOwned>(options: &str) -> napi::Result<T> {
    serde_json::from_str(options)
        .map_err(|error| Issue::new("invalid-option", error.to_string()).path("options").into())
}

fn build_issue(error: BuildError) -> Issue {
    let text = error.to_string();
    // The text begins with the path, which stands in a field of its own here.
    let message = text.strip_prefix(error.path()).unwrap_or(&text).trim_start_matches([':', ' ']);
    Issue::new(error.code(), message).path(format!("options.{}", error.path())).hint(error.hint())
}

fn shape_issue(error: &ShapeError) -> Issue {
    let path = match error {
        ShapeError::OutputLength { .. } => "out",
        ShapeError::MaskLength { .. } => "attentionMask",
        ShapeError::RowLength { .. } => "rowLength",
        ShapeError::Offsets { .. } => "offsets",
        _ => "ids",
    };
    Issue::new(error.code(), error.to_string()).path(path).hint(error.hint())
}
