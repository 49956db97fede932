//! A row on its way from the encoder to the writer.

use std::hash::{DefaultHasher, Hash, Hasher};

use lossmask::{Diagnosis, Record};
use lossmask_chat::{EncodedRow, RowMedia, Status};

use crate::report::{ShownDiagnosis, ShownRow, ShownSpan, ShownTurn};
use crate::{DataError, Place};

/// The label of a token that is not trained, in everything that is written.
pub(crate) const IGNORE_INDEX: i32 = -100;

/// A row whose length and labels are settled; or several, once they are packed.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub ids: Vec<i32>,
    pub record: Record,
    pub status: Status,
    pub diagnostics: Vec<Diagnosis>,
    /// Its media, in the order of their tokens.
    pub media: Vec<RowMedia>,
    /// Where it comes from: one place for each packed row.
    pub sources: Vec<Place>,
    /// Tokens of each packed row.
    pub lengths: Vec<usize>,
    /// Whether it was cut to fit.
    pub truncated: bool,
}

impl Row {
    pub fn new(row: EncodedRow, place: Place) -> Result<Self, DataError> {
        if row.ids.len() != row.record.token_count() {
            let message = format!("{} ids, but spans over {} tokens", row.ids.len(), row.record.token_count());
            return Err(DataError::new("internal-error", message).at(&place));
        }
        let lengths = vec![row.ids.len()];
        let EncodedRow { ids, record, status, diagnostics, media } = row;
        Ok(Row { ids, record, status, diagnostics, media, sources: vec![place], lengths, truncated: false })
    }

    pub fn labels(&self) -> Vec<i32> {
        let mut labels = vec![0; self.ids.len()];
        self.record.write_labels(&self.ids, IGNORE_INDEX, &mut labels);
        labels
    }

    pub fn weights(&self) -> Vec<f32> {
        self.record
            .spans
            .iter()
            .flat_map(|span| span.tokens.clone().map(|_| if span.trained { span.weight } else { 0.0 }))
            .collect()
    }

    /// Whether some trained token weighs neither 0 nor 1.
    pub fn is_weighted(&self) -> bool {
        self.record.spans.iter().any(|span| span.trained && span.weight != 1.0)
    }

    /// Equal for rows of equal ids and labels; the same in every run and on every machine.
    pub fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.ids.hash(&mut hasher);
        for span in self.record.spans.iter().filter(|span| span.trained) {
            (span.tokens.start, span.tokens.end).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The row in full, for people to look at.
    pub fn show(&self, split: &str, index: u64, token_texts: Vec<String>) -> ShownRow {
        ShownRow {
            split: split.to_owned(),
            index,
            sources: self.sources.clone(),
            status: status_name(self.status).to_owned(),
            input_ids: self.ids.clone(),
            labels: self.labels(),
            weights: self.is_weighted().then(|| self.weights()),
            tokens: token_texts,
            turns: self.shown_turns(),
            spans: self.shown_spans(),
            diagnostics: self.diagnostics.iter().map(show_diagnosis).collect(),
        }
    }

    pub fn shown_turns(&self) -> Vec<ShownTurn> {
        let role = |index: u32| self.record.roles.get(index as usize).map_or_else(String::new, |role| role.to_string());
        let turns = self.record.turns.iter().map(|turn| ShownTurn {
            role: role(turn.role),
            start: turn.start as u32,
            content_start: turn.content_start as u32,
            content_end: turn.content_end as u32,
            end: turn.end as u32,
            trained: turn.trained,
            terminated: turn.terminated,
        });
        turns.collect()
    }

    fn shown_spans(&self) -> Vec<ShownSpan> {
        let spans = self.record.spans.iter().map(|span| ShownSpan {
            start: span.tokens.start as u32,
            end: span.tokens.end as u32,
            turn: span.turn,
            kind: span.kind.name().to_owned(),
            trained: span.trained,
            reason: span.reason.name().to_owned(),
            weight: span.weight,
        });
        spans.collect()
    }
}

pub(crate) fn show_diagnosis(diagnosis: &Diagnosis) -> ShownDiagnosis {
    ShownDiagnosis {
        code: diagnosis.code.to_owned(),
        severity: diagnosis.severity.name().to_owned(),
        message: diagnosis.message.clone(),
        hint: diagnosis.hint.clone(),
        start: diagnosis.span.as_ref().map(|span| span.start as u32),
        end: diagnosis.span.as_ref().map(|span| span.end as u32),
    }
}

pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Certain => "certain",
        Status::Single => "single",
        Status::Conflict => "conflict",
    }
}
