//! What the prepared folder keeps of each row besides its ids; see the writer of the same name.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::reader::FileReader;

use super::{RowFilter, corrupt};
use crate::DataError;
use crate::report::{Place, ShownDiagnosis, ShownSpan, ShownTurn};
use crate::writer::{SIDECAR_BATCH_ROWS, sidecar_file};

/// One row of the sidecar.
pub(super) struct SidecarRow {
    pub status: String,
    pub sources: Vec<Place>,
    pub turns: Vec<ShownTurn>,
    pub spans: Vec<ShownSpan>,
    pub diagnostics: Vec<ShownDiagnosis>,
}

/// Reads rows by number, one batch at a time.
pub(super) struct SidecarReader {
    path: PathBuf,
    reader: FileReader<BufReader<File>>,
    batch: Option<(u64, RecordBatch)>,
}

impl SidecarReader {
    pub fn open(dir: &Path, split: &str) -> Result<Self, DataError> {
        let path = dir.join(sidecar_file(split));
        let file = File::open(&path).map_err(|error| DataError::io("open", &path, &error))?;
        let reader =
            FileReader::try_new(BufReader::new(file), None).map_err(|error| corrupt(&path, &error.to_string()))?;
        Ok(SidecarReader { path, reader, batch: None })
    }

    pub fn row(&mut self, number: u64) -> Result<SidecarRow, DataError> {
        let (batch, index) = self.seek(number)?;
        let row = Cells { batch: &batch, index }.row();
        row.ok_or_else(|| corrupt(&self.path, &format!("row {number} is missing or of another shape")))
    }

    pub fn passes(&mut self, number: u64, filter: &RowFilter) -> Result<bool, DataError> {
        let (batch, index) = self.seek(number)?;
        let cells = Cells { batch: &batch, index };
        let (Some(status), Some(diagnostics)) = (cells.text("status"), cells.diagnostics()) else {
            return Err(corrupt(&self.path, &format!("row {number} is missing or of another shape")));
        };
        let has_code = |code: &String| diagnostics.iter().any(|diagnosis| &diagnosis.code == code);
        let fails = || status == "conflict" || diagnostics.iter().any(|diagnosis| diagnosis.severity != "info");
        Ok(filter.code.as_ref().is_none_or(has_code) && (!filter.failing || fails()))
    }

    fn seek(&mut self, number: u64) -> Result<(RecordBatch, usize), DataError> {
        let (wanted, index) = (number / SIDECAR_BATCH_ROWS as u64, (number % SIDECAR_BATCH_ROWS as u64) as usize);
        if let Some((_, batch)) = self.batch.as_ref().filter(|(held, _)| *held == wanted) {
            return Ok((batch.clone(), index));
        }
        let path = &self.path;
        let broken = |error: arrow_schema::ArrowError| corrupt(path, &error.to_string());
        self.reader.set_index(wanted as usize).map_err(broken)?;
        let batch = self
            .reader
            .next()
            .ok_or_else(|| corrupt(path, "it holds fewer rows than the report says"))?
            .map_err(broken)?;
        self.batch = Some((wanted, batch.clone()));
        Ok((batch, index))
    }
}

/// One row's cells by column name.
struct Cells<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl Cells<'_> {
    fn row(&self) -> Option<SidecarRow> {
        Some(SidecarRow {
            status: self.text("status")?.to_owned(),
            sources: self.sources()?,
            turns: self.turns()?,
            spans: self.spans()?,
            diagnostics: self.diagnostics()?,
        })
    }

    fn text(&self, name: &str) -> Option<&str> {
        let column = self.batch.column_by_name(name)?.as_string_opt::<i32>()?;
        (self.index < column.len()).then(|| column.value(self.index))
    }

    fn list(&self, name: &str) -> Option<ArrayRef> {
        let column = self.batch.column_by_name(name)?.as_list_opt::<i32>()?;
        (self.index < column.len()).then(|| column.value(self.index))
    }

    fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> Option<Vec<Option<T::Native>>> {
        Some(self.list(name)?.as_primitive_opt::<T>()?.iter().collect())
    }

    fn positions(&self, name: &str) -> Option<Vec<u32>> {
        Some(self.list(name)?.as_primitive_opt::<UInt32Type>()?.values().to_vec())
    }

    fn texts(&self, name: &str) -> Option<Vec<String>> {
        let items = self.list(name)?;
        Some(items.as_string_opt::<i32>()?.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
    }

    fn flags(&self, name: &str) -> Option<Vec<bool>> {
        Some(self.list(name)?.as_boolean_opt()?.iter().map(|flag| flag.unwrap_or(false)).collect())
    }

    fn sources(&self) -> Option<Vec<Place>> {
        let (lines, rows) = (self.numbers::<UInt64Type>("source_line")?, self.numbers::<UInt64Type>("source_row")?);
        let files = self.texts("source_file")?.into_iter().enumerate();
        files
            .map(|(at, file)| Some(Place { file: file.into(), line: *lines.get(at)?, row: (*rows.get(at)?)? }))
            .collect()
    }

    fn turns(&self) -> Option<Vec<ShownTurn>> {
        let (starts, ends) = (self.positions("turn_start")?, self.positions("turn_end")?);
        let (content_starts, content_ends) =
            (self.positions("turn_content_start")?, self.positions("turn_content_end")?);
        let (trained, terminated) = (self.flags("turn_trained")?, self.flags("turn_terminated")?);
        let roles = self.texts("turn_role")?.into_iter().enumerate();
        let turns = roles.map(|(at, role)| {
            Some(ShownTurn {
                role,
                start: *starts.get(at)?,
                content_start: *content_starts.get(at)?,
                content_end: *content_ends.get(at)?,
                end: *ends.get(at)?,
                trained: *trained.get(at)?,
                terminated: *terminated.get(at)?,
            })
        });
        turns.collect()
    }

    fn spans(&self) -> Option<Vec<ShownSpan>> {
        let (ends, turns) = (self.positions("span_end")?, self.numbers::<UInt32Type>("span_turn")?);
        let (kinds, reasons) = (self.texts("span_kind")?, self.texts("span_reason")?);
        let (trained, weights) = (self.flags("span_trained")?, self.numbers::<Float32Type>("span_weight")?);
        let mut start = 0;
        let spans = ends.into_iter().enumerate().map(|(at, end)| {
            let span = ShownSpan {
                start,
                end,
                turn: *turns.get(at)?,
                kind: kinds.get(at)?.clone(),
                trained: *trained.get(at)?,
                reason: reasons.get(at)?.clone(),
                weight: (*weights.get(at)?)?,
            };
            start = end;
            Some(span)
        });
        spans.collect()
    }

    fn diagnostics(&self) -> Option<Vec<ShownDiagnosis>> {
        let column = self.batch.column_by_name("diagnostics")?.as_string_opt::<i32>()?;
        if self.index >= column.len() || column.is_null(self.index) {
            return (self.index < column.len()).then(Vec::new);
        }
        serde_json::from_str(column.value(self.index)).ok()
    }
}
