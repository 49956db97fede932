//! What becomes of an encoded row: it is kept, cut to fit, dropped, or refused.

use lossmask::{Diagnosis, Reason, Record, Severity, TokenKind, Unterminated};

use crate::report::TruncationFigures;
use crate::row::Row;
use crate::{DataError, ExcessLength, PipelineSpec, UntrainedRows};

/// A settled row.
pub(crate) enum Settled {
    Keep(Row),
    /// Not written, for the reason named.
    Drop(&'static str, Row),
}

/// The rules of a run about lengths and trained tokens.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    max: Option<usize>,
    excess: ExcessLength,
    min: usize,
    untrained: UntrainedRows,
    weights_written: bool,
}

impl Rules {
    pub fn new(spec: &PipelineSpec) -> Self {
        Rules {
            max: spec.sequence_len,
            excess: spec.excess_length_strategy,
            min: spec.min_sample_len,
            untrained: spec.untrained_rows,
            weights_written: spec.columns().weights,
        }
    }

    /// Applies the rules in axolotl's order: length first, then trained tokens.
    pub fn settle(
        &self,
        mut row: Row,
        encoder: &EncoderFacts,
        lost: &mut TruncationFigures,
    ) -> Result<Settled, DataError> {
        let length = row.ids.len();
        if let Some(max) = self.max.filter(|&max| length > max) {
            match self.excess {
                ExcessLength::Drop => return Ok(Settled::Drop("too-long", row)),
                ExcessLength::Raise => return Err(too_long(length, max).at(&row.sources[0])),
                ExcessLength::Truncate => truncate(&mut row, max, encoder.unterminated, lost),
            }
        }
        if row.ids.len() < self.min {
            return Ok(Settled::Drop("too-short", row));
        }
        let trained = row.record.trained_count();
        if trained == 0 {
            row.diagnostics.push(no_trained_token(&row));
            if self.untrained == UntrainedRows::Drop {
                return Ok(Settled::Drop("no-trained-token", row));
            }
        } else if trained == row.ids.len() && !encoder.train_on_inputs {
            row.diagnostics.push(everything_trained());
        }
        if !self.weights_written && row.is_weighted() {
            row.diagnostics.push(weights_not_written());
        }
        Ok(Settled::Keep(row))
    }
}

/// What the rules need to know of the encoder that made a row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EncoderFacts {
    pub unterminated: Unterminated,
    pub train_on_inputs: bool,
}

fn too_long(length: usize, max: usize) -> DataError {
    DataError::new("row-too-long", format!("the row has {length} tokens, `sequence_len` is {max}"))
        .hint("raise `sequence_len`, or set `excess_length_strategy` to `drop` or `truncate`")
}

/// Cuts ids and record together, never inside a media item, and says what was lost.
fn truncate(row: &mut Row, max: usize, unterminated: Unterminated, lost: &mut TruncationFigures) {
    let at = cut_point(&row.record, max);
    let (tokens, trained) = (row.ids.len(), row.record.trained_count());
    row.ids.truncate(at);
    let turns = cut(&mut row.record, at, unterminated);
    row.lengths = vec![at];
    row.truncated = true;
    let trained_lost = trained - row.record.trained_count();
    lost.rows += 1;
    lost.turns += turns;
    lost.tokens += (tokens - at) as u64;
    lost.trained_tokens += trained_lost as u64;
    let media = row.media.len();
    row.media.retain(|item| item.tokens.end <= at);
    let media_lost = match media - row.media.len() {
        0 => String::new(),
        count => format!(" and {count} media items"),
    };
    row.diagnostics.retain_mut(|diagnosis| match &mut diagnosis.span {
        Some(span) => {
            span.end = span.end.min(at);
            span.start < span.end
        }
        None => true,
    });
    row.diagnostics.push(Diagnosis {
        code: "row-truncated",
        severity: if trained_lost > 0 { Severity::Warning } else { Severity::Info },
        span: None,
        message: format!("cut from {tokens} to {at} tokens; {trained_lost} trained tokens{media_lost} are lost"),
        hint: Some("raise `sequence_len`, or set `excess_length_strategy: drop`".to_owned()),
    });
}

/// `max`, or the beginning of the media item that lies across it.
fn cut_point(record: &Record, max: usize) -> usize {
    let mut start = max;
    for span in record.spans.iter().rev().skip_while(|span| span.tokens.start >= max) {
        if span.kind != TokenKind::Media || span.tokens.end < start {
            break;
        }
        start = span.tokens.start;
    }
    let ends_there = record.spans.iter().any(|span| span.tokens.start == max && span.kind != TokenKind::Media);
    if ends_there { max } else { start }
}

/// Cuts the record to `at` tokens; how many turns were cut or lost.
fn cut(record: &mut Record, at: usize, unterminated: Unterminated) -> u64 {
    let before = record.turns.len();
    record.turns.retain(|turn| turn.start < at);
    let mut touched = (before - record.turns.len()) as u64;
    record.spans.retain_mut(|span| {
        span.tokens.end = span.tokens.end.min(at);
        span.tokens.start < span.tokens.end
    });
    let Some(turn) = record.turns.last_mut().filter(|turn| turn.end > at) else { return touched };
    touched += 1;
    turn.end = at;
    turn.content_start = turn.content_start.min(at);
    turn.content_end = turn.content_end.min(at);
    turn.terminated = false;
    if unterminated == Unterminated::Mask {
        turn.trained = false;
        let index = Some(record.turns.len() as u32 - 1);
        for span in record.spans.iter_mut().filter(|span| span.turn == index && span.trained) {
            span.trained = false;
            span.weight = 0.0;
            span.reason = Reason::Unterminated;
        }
    }
    touched
}

fn no_trained_token(row: &Row) -> Diagnosis {
    let (cause, hint) = untrained_cause(row);
    let near = row.diagnostics.iter().find(|diagnosis| diagnosis.code == "near-miss");
    let near = near.map_or_else(String::new, |near| format!("; {}", near.message));
    Diagnosis {
        code: "no-trained-token",
        severity: Severity::Error,
        span: None,
        message: format!("no token of the row is trained: {cause}{near}"),
        hint: Some(hint.to_owned()),
    }
}

fn untrained_cause(row: &Row) -> (&'static str, &'static str) {
    let has = |reason: Reason| row.record.spans.iter().any(|span| span.reason == reason);
    if row.truncated {
        ("what was trained is cut off", "raise `sequence_len`")
    } else if row.record.turns.is_empty() && has(Reason::SegmentOff) {
        ("every segment has `label: false`", "set `label: true` on the segments to train on")
    } else if row.record.turns.is_empty() {
        (
            "no turn was recognised",
            "the boundaries do not fit the template or the tokenizer; compare them with `lossmask inspect`",
        )
    } else if !row.record.turns.iter().any(|turn| turn.trained) {
        if has(Reason::FlaggedOff) {
            ("the data's flags switch every turn off", "check the training flags of the messages")
        } else {
            ("it has no turn of a trained role", "check `roles_to_train` and the data's roles")
        }
    } else {
        ("the trained turns are empty or left out", "check the messages' content, `exclude` and `reasoning`")
    }
}

fn weights_not_written() -> Diagnosis {
    Diagnosis {
        code: "weights-not-written",
        severity: Severity::Warning,
        span: None,
        message: "the data weighs tokens differently, and no column of weights is written: all count alike".to_owned(),
        hint: Some("set `lossmask.weights`, so that the column `weights` is written".to_owned()),
    }
}

fn everything_trained() -> Diagnosis {
    Diagnosis {
        code: "everything-trained",
        severity: Severity::Warning,
        span: None,
        message: "every token of the row is trained".to_owned(),
        hint: Some("if that is meant, set `train_on_inputs: true`".to_owned()),
    }
}
