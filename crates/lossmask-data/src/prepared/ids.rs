//! Ids and labels out of a prepared folder's files.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int32Type, Int64Type};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use super::{corrupt, missing_column};
use crate::{DataError, OutputFormat};

/// What the training loop gets of a row.
#[derive(Debug, Deserialize)]
pub(super) struct IdRow {
    pub input_ids: Vec<i32>,
    pub labels: Vec<i32>,
    pub weights: Option<Vec<f32>>,
}

/// Appends the rows of the given ascending numbers in one file.
pub(super) fn read(file: &Path, format: OutputFormat, numbers: &[u64], rows: &mut Vec<IdRow>) -> Result<(), DataError> {
    let opened = File::open(file).map_err(|error| DataError::io("open", file, &error))?;
    let expected = rows.len() + numbers.len();
    let broken = |error: &dyn std::error::Error| corrupt(file, &error.to_string());
    match format {
        OutputFormat::Arrow => {
            let reader = StreamReader::try_new(BufReader::with_capacity(1 << 20, opened), None)
                .map_err(|error| broken(&error))?;
            pick(reader.map(|batch| batch.map_err(|error| broken(&error))), numbers, rows, || {
                missing_column(file, format)
            })?;
        }
        OutputFormat::Parquet => {
            let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| broken(&error))?;
            let reader = builder.build().map_err(|error| broken(&error))?;
            pick(reader.map(|batch| batch.map_err(|error| broken(&error))), numbers, rows, || {
                missing_column(file, format)
            })?;
        }
        OutputFormat::Jsonl => read_lines(file, opened, numbers, rows)?,
    }
    if rows.len() == expected { Ok(()) } else { Err(corrupt(file, "it holds fewer rows than the report says")) }
}

fn pick(
    batches: impl Iterator<Item = Result<RecordBatch, DataError>>,
    mut numbers: &[u64],
    rows: &mut Vec<IdRow>,
    wrong: impl Fn() -> DataError,
) -> Result<(), DataError> {
    let mut first = 0;
    for batch in batches {
        let batch = batch?;
        let end = first + batch.num_rows() as u64;
        let here = numbers.partition_point(|&number| number < end);
        for number in &numbers[..here] {
            rows.push(id_row(&batch, (number - first) as usize).ok_or_else(&wrong)?);
        }
        numbers = &numbers[here..];
        first = end;
        if numbers.is_empty() {
            break;
        }
    }
    Ok(())
}

fn id_row(batch: &RecordBatch, index: usize) -> Option<IdRow> {
    let items =
        |name: &str| -> Option<ArrayRef> { Some(batch.column_by_name(name)?.as_list_opt::<i32>()?.value(index)) };
    let weights = match items("weights") {
        Some(weights) => Some(weights.as_primitive_opt::<Float32Type>()?.values().to_vec()),
        None => None,
    };
    Some(IdRow {
        input_ids: items("input_ids")?.as_primitive_opt::<Int32Type>()?.values().to_vec(),
        labels: items("labels")?.as_primitive_opt::<Int64Type>()?.values().iter().map(|&label| label as i32).collect(),
        weights,
    })
}

fn read_lines(file: &Path, opened: File, mut numbers: &[u64], rows: &mut Vec<IdRow>) -> Result<(), DataError> {
    for (number, line) in BufReader::new(opened).split(b'\n').enumerate() {
        let line = line.map_err(|error| DataError::io("read", file, &error))?;
        while numbers.first() == Some(&(number as u64)) {
            rows.push(serde_json::from_slice(&line).map_err(|error| corrupt(file, &error.to_string()))?);
            numbers = &numbers[1..];
        }
        if numbers.is_empty() {
            break;
        }
    }
    Ok(())
}
