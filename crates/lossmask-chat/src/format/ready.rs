//! Rows that are tokens already. Nothing of them is changed; what does not hold is refused.

use lossmask::TokenKind;
use serde_json::{Map, Value};

use super::rows::{Builder, Settings};
use crate::message::wrong_type;
use crate::row::RowError;

const IGNORE_INDEX: i64 = -100;
/// Columns of zeros and ones, of which each has to allow a token to be trained.
const MASKS: [&str; 3] = ["loss_mask", "completion_mask", "assistant_masks"];

/// The row's tokens. Without labels and masks all are trained.
pub(super) fn encode(row: &Map<String, Value>, vocabulary: usize, settings: &Settings) -> Result<Builder, RowError> {
    let ids = numbers(row, "input_ids")?.ok_or_else(|| refuse("input_ids", "the row has no `input_ids`".to_owned()))?;
    if let Some(at) = ids.iter().position(|&id| id < 0 || id as usize >= vocabulary) {
        let message = format!("{} is no id of this tokenizer, which has {vocabulary}", ids[at]);
        return Err(refuse(&format!("input_ids[{at}]"), message));
    }
    let mut trained = vec![true; ids.len()];
    if let Some(labels) = column(row, "labels", ids.len())? {
        for (at, (label, id)) in labels.iter().zip(&ids).enumerate() {
            if label != id && *label != IGNORE_INDEX {
                let message = format!("the label {label} is neither -100 nor the token's id, {id}");
                return Err(refuse(&format!("labels[{at}]"), message));
            }
            trained[at] = *label != IGNORE_INDEX;
        }
    }
    for mask in MASKS {
        let Some(values) = column(row, mask, ids.len())? else { continue };
        trained.iter_mut().zip(values).for_each(|(trained, value)| *trained &= value != 0);
    }
    let attended = column(row, "attention_mask", ids.len())?;
    let shown = attended.as_deref().map_or(Ok(0..ids.len()), attended_range)?;
    let mut out = Builder::default();
    let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    for run in runs(&trained[shown.clone()]) {
        let run = shown.start + run.start..shown.start + run.end;
        out.push(&ids[run.clone()], TokenKind::Content, trained[run.start], settings);
    }
    Ok(out)
}

/// Where the row lies between its padding.
fn attended_range(mask: &[i64]) -> Result<std::ops::Range<usize>, RowError> {
    let start = mask.iter().position(|&value| value != 0).unwrap_or(mask.len());
    let end = mask.iter().rposition(|&value| value != 0).map_or(start, |last| last + 1);
    match mask[start..end].iter().position(|&value| value == 0) {
        None => Ok(start..end),
        Some(at) => Err(refuse(
            &format!("attention_mask[{}]", start + at),
            "a token between others is masked from attention, which no sequence of a language model is".to_owned(),
        )),
    }
}

/// Stretches of equal values.
fn runs(values: &[bool]) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    values.chunk_by(|one, other| one == other).map(move |run| {
        start += run.len();
        start - run.len()..start
    })
}

fn column(row: &Map<String, Value>, key: &str, len: usize) -> Result<Option<Vec<i64>>, RowError> {
    match numbers(row, key)? {
        Some(values) if values.len() != len => {
            Err(refuse(key, format!("`{key}` has {} values, and there are {len} ids", values.len())))
        }
        other => Ok(other),
    }
}

fn numbers(row: &Map<String, Value>, key: &str) -> Result<Option<Vec<i64>>, RowError> {
    let wrong = |path: String, expected: &str, value: &Value| {
        wrong_type("wrong-type", Some(path), "the value", expected, value)
    };
    match row.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(items)) => {
            let number = |(at, item): (usize, &Value)| match item {
                Value::Bool(value) => Ok(i64::from(*value)),
                item => item.as_i64().ok_or_else(|| wrong(format!("{key}[{at}]"), "a whole number", item)),
            };
            items.iter().enumerate().map(number).collect::<Result<_, _>>().map(Some)
        }
        Some(other) => Err(wrong(key.to_owned(), "a list of numbers", other)),
    }
}

fn refuse(path: &str, message: String) -> RowError {
    RowError {
        code: "tokens-invalid",
        path: Some(path.to_owned()),
        message,
        hint: Some("the row was tokenized by another tokenizer, or a column is not of this row".to_owned()),
    }
}
