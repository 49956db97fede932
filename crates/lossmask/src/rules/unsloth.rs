//! Unsloth's `train_on_responses_only` with its default `force_match`: markers are taken as they are given, without optional edges, and a
//! response runs to the next instruction marker.

use crate::compile::Plan;
use crate::error::{BuildError, BuildErrorKind};
use crate::options::{Boundary, End, EndKind, MaskerOptions, Turns};
use crate::scan::Found;
use crate::vector::Lanes;

/// The options of `train_on_responses_only`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields, default))]
pub struct ResponsesOnly {
    /// The ids of the instruction part.
    pub instruction: Vec<i32>,
    /// The ids of the response part.
    pub response: Vec<i32>,
    /// Train the row's last response only. Default `false`.
    pub last_response_only: bool,
    /// The label of a token that is not trained. Default `-100`.
    pub ignore_index: i32,
}

impl Default for ResponsesOnly {
    fn default() -> Self {
        ResponsesOnly { instruction: vec![], response: vec![], last_response_only: false, ignore_index: -100 }
    }
}

/// The plan of Unsloth's rules.
///
/// # Errors
/// See [`Masker::responses_only`](crate::Masker::responses_only).
pub(super) fn compile(options: &ResponsesOnly) -> Result<Plan, BuildError> {
    for (path, marker) in [("instruction", &options.instruction), ("response", &options.response)] {
        if marker.is_empty() {
            return Err(BuildError::new(path, None, BuildErrorKind::EmptyMarker));
        }
    }
    Plan::new(&MaskerOptions {
        boundaries: vec![Boundary {
            role: "assistant".to_owned(),
            starts: vec![options.response.clone()],
            ends: vec![End { ids: options.instruction.clone(), kind: EndKind::Before }],
            ..Boundary::default()
        }],
        ignore_index: options.ignore_index,
        turns: if options.last_response_only { Turns::Last } else { Turns::All },
        ..MaskerOptions::default()
    })
}

/// The turns of a row.
pub(super) fn turns<L: Lanes>(plan: &Plan, ids: &[L]) -> Vec<Found> {
    let instructions = &plan.ends.sets[0].automaton;
    let mut turns = vec![];
    let mut from = 0;
    while let Some(response) = plan.starts.automaton.find(ids, from) {
        if response.end == ids.len() {
            break;
        }
        let instruction = instructions.find(ids, response.end).filter(|found| found.start + 1 < ids.len());
        let content_end = instruction.map_or(ids.len(), |found| found.start);
        turns.push(Found {
            boundary: 0,
            start: response.start,
            content_start: response.end,
            content_end,
            marker_end: instruction.map_or(content_end, |found| found.end),
            end: instruction.map(|_| EndKind::Before),
        });
        match instruction {
            Some(found) => from = found.end + 1,
            None => break,
        }
    }
    turns
}
