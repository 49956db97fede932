//! The collator behind `src/media/collate.ts`: rows as typed arrays in, one rectangle out.

use lossmask::{CollateError, CollateOptions, CollateRow, Side};
use napi::bindgen_prelude::Int32Array;
use napi_derive::napi;

use crate::error::Issue;

/// One row.
#[napi(object)]
pub struct RowToCollate {
    pub input_ids: Int32Array,
    pub labels: Int32Array,
    pub attention_mask: Option<Int32Array>,
    pub position_ids: Option<Int32Array>,
}

/// How rows are padded; lengths as JavaScript numbers.
#[napi(object)]
pub struct CollateSettings {
    pub pad_token_id: i32,
    pub ignore_index: i32,
    pub pad_to: Option<u32>,
    pub pad_to_multiple_of: Option<u32>,
    pub left: bool,
}

/// A batch, row after row in each array.
#[napi(object)]
pub struct CollatedRows {
    pub row_length: u32,
    pub input_ids: Int32Array,
    pub labels: Int32Array,
    pub attention_mask: Int32Array,
    pub position_ids: Int32Array,
}

/// Pads rows to one length.
#[napi(catch_unwind)]
pub fn collate_rows(rows: Vec<RowToCollate>, settings: CollateSettings) -> napi::Result<CollatedRows> {
    let views: Vec<CollateRow<'_>> = rows
        .iter()
        .map(|row| CollateRow {
            input_ids: &row.input_ids,
            labels: &row.labels,
            attention_mask: row.attention_mask.as_deref(),
            position_ids: row.position_ids.as_deref(),
        })
        .collect();
    let options = CollateOptions {
        pad_id: settings.pad_token_id,
        ignore_index: settings.ignore_index,
        pad_to: settings.pad_to.map(|length| length as usize),
        pad_to_multiple_of: settings.pad_to_multiple_of.map(|multiple| multiple as usize),
        side: if settings.left { Side::Left } else { Side::Right },
    };
    let batch = lossmask::collate(&views, &options).map_err(issue)?;
    Ok(CollatedRows {
        row_length: u32::try_from(batch.row_length).unwrap_or(u32::MAX),
        input_ids: batch.input_ids.into(),
        labels: batch.labels.into(),
        attention_mask: batch.attention_mask.into(),
        position_ids: batch.position_ids.into(),
    })
}

fn issue(error: CollateError) -> Issue {
    let message = error.to_string();
    match error {
        CollateError::TooLong { row, .. } => Issue::new("row-too-long", message)
            .path(format!("rows[{row}]"))
            .hint("raise padTo, or set sequence_len when the rows are made"),
        CollateError::Length { row, field, .. } => {
            Issue::new("length-mismatch", message).path(format!("rows[{row}].{field}"))
        }
        CollateError::Options(_) => Issue::new("invalid-collate-options", message),
    }
}
