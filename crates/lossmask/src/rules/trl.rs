//! TRL's `DataCollatorForCompletionOnlyLM`: the class as it was up to v0.19, and the multi-role change proposed for it
//! (huggingface/trl#3224).

use crate::compile::Plan;
use crate::compile::automaton::{Automaton, Match};
use crate::error::{BuildError, BuildErrorKind};
use crate::options::{Boundary, MaskerOptions, Termination};
use crate::scan::Found;
use crate::vector::Lanes;

/// The options of the collator. Default: no instruction, no padding id, ignore index -100, the multi-role rules.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields, default))]
pub struct CompletionOnly {
    /// The ids of the response template, which opens what is trained.
    pub response: Vec<i32>,
    /// The ids of the instruction templates. The classic class takes one at most.
    pub instructions: Vec<Vec<i32>>,
    /// The padding id. It is never trained, and a template that holds it is never found.
    pub pad_token_id: Option<i32>,
    /// The label of a token that is not trained.
    pub ignore_index: i32,
    /// The rules of the class itself rather than those of the multi-role change.
    pub classic: bool,
}

impl Default for CompletionOnly {
    fn default() -> Self {
        CompletionOnly {
            response: vec![],
            instructions: vec![],
            pad_token_id: None,
            ignore_index: -100,
            classic: false,
        }
    }
}

/// What the collator warns of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateWarning {
    /// The response template is not in the row: nothing is trained.
    ResponseNotFound,
    /// The instruction template is not in the row: the classic class trains nothing then.
    InstructionNotFound,
}

impl TemplateWarning {
    /// The warning's stable name: `response-not-found`, `instruction-not-found`.
    pub fn name(self) -> &'static str {
        match self {
            TemplateWarning::ResponseNotFound => "response-not-found",
            TemplateWarning::InstructionNotFound => "instruction-not-found",
        }
    }
}

/// The plan of the collator, and what finds its turns.
///
/// # Errors
/// See [`Masker::completion_only`](crate::Masker::completion_only).
pub(super) fn compile(options: &CompletionOnly) -> Result<(Plan, Templates), BuildError> {
    validate(options)?;
    let pad = options.pad_token_id;
    let findable = |template: &Vec<i32>| !pad.is_some_and(|pad| template.contains(&pad));
    let templates =
        |templates: &[Vec<i32>]| -> Vec<Vec<i32>> { templates.iter().filter(|ids| findable(ids)).cloned().collect() };
    let responses = templates(std::slice::from_ref(&options.response));
    let instructions = templates(&options.instructions);
    let boundary = |role: &str, starts| Boundary { role: role.to_owned(), starts, ..Boundary::default() };
    let plan = Plan::new(&MaskerOptions {
        boundaries: vec![boundary("assistant", responses.clone()), boundary("user", instructions.clone())],
        ignore_token_ids: pad.into_iter().collect(),
        ignore_index: options.ignore_index,
        termination: Termination::NextStart,
        ..MaskerOptions::default()
    })?;
    let automaton = |templates: &[Vec<i32>]| Automaton::new(templates.iter().map(Vec::as_slice));
    let templates = Templates {
        classic: options.classic,
        response: automaton(&responses),
        instruction: (!options.instructions.is_empty()).then(|| automaton(&instructions)),
    };
    Ok((plan, templates))
}

fn validate(options: &CompletionOnly) -> Result<(), BuildError> {
    if options.response.is_empty() {
        return Err(BuildError::new("response", None, BuildErrorKind::EmptyMarker));
    }
    if let Some(at) = options.instructions.iter().position(Vec::is_empty) {
        return Err(BuildError::new(format!("instructions[{at}]"), None, BuildErrorKind::EmptyMarker));
    }
    if options.classic && options.instructions.len() > 1 {
        return Err(BuildError::new("instructions", None, BuildErrorKind::SeveralInstructions));
    }
    Ok(())
}

/// The templates, each with an automaton of its own.
#[derive(Debug)]
pub(crate) struct Templates {
    /// Whether the turns are those of the class itself.
    pub classic: bool,
    response: Automaton,
    /// `None`: no template was given.
    instruction: Option<Automaton>,
}

/// What the collator warns of in a row.
pub(super) fn warnings<L: Lanes>(templates: &Templates, ids: &[L]) -> Vec<TemplateWarning> {
    let mut warnings = vec![];
    let no_response = templates.response.find(ids, 0).is_none();
    if no_response {
        warnings.push(TemplateWarning::ResponseNotFound);
    }
    if let Some(instruction) = templates.instruction.as_ref().filter(|_| templates.classic) {
        // The class looks for the instruction in the labels, of which nothing is left without a response.
        if no_response || instruction.find(ids, 0).is_none() {
            warnings.push(TemplateWarning::InstructionNotFound);
        }
    }
    warnings
}

/// What the classic class leaves unmasked, as turns of the response's role.
pub(super) fn classic_turns<L: Lanes>(templates: &Templates, ids: &[L]) -> Vec<Found> {
    let responses: Vec<usize> = occurrences(&templates.response, ids).map(|found| found.end).collect();
    let (Some(&first), Some(&last)) = (responses.first(), responses.last()) else { return vec![] };
    let Some(instruction) = &templates.instruction else {
        return vec![turn(last, ids.len())];
    };
    let mut instructions: Vec<usize> = occurrences(instruction, ids).map(|found| found.start).collect();
    if instructions.is_empty() {
        return vec![];
    }
    if instructions[0] > first {
        instructions.insert(0, 0);
    }
    let mut turns = vec![];
    let mut masked = 0;
    for (index, (&start, &end)) in instructions.iter().zip(&responses).enumerate() {
        if index > 0 && masked < start {
            turns.push(turn(masked, start));
        }
        // An instruction after its response masks nothing.
        if index == 0 || start < end {
            masked = masked.max(end);
        }
    }
    let cut = instructions[instructions.len() - 1];
    let end = if responses.len() < instructions.len() { cut } else { ids.len() };
    turns.retain_mut(|turn| {
        turn.content_end = turn.content_end.min(end);
        turn.marker_end = turn.content_end;
        turn.content_start < turn.content_end
    });
    if masked < end {
        turns.push(turn(masked, end));
    }
    turns
}

fn turn(start: usize, end: usize) -> Found {
    Found { boundary: 0, start, content_start: start, content_end: end, marker_end: end, end: None }
}

/// Where an automaton finds something, overlapping occurrences included.
fn occurrences<L: Lanes>(automaton: &Automaton, ids: &[L]) -> impl Iterator<Item = Match> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = automaton.find(ids, from)?;
        from = found.start + 1;
        Some(found)
    })
}
