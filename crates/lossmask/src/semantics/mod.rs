//! Other tools' rules by name, on the same scanner: they differ in where a turn begins and ends, and in nothing else.

mod trl;
mod unsloth;

pub use trl::{CompletionOnly, TemplateWarning};
pub(crate) use trl::{Templates, warnings};
pub use unsloth::ResponsesOnly;

use crate::ids::Label;
use crate::plan::Plan;
use crate::scan::Found;

/// Whose rules find the turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Semantics {
    /// Role boundaries.
    Boundaries,
    /// The collator class of TRL up to v0.19.
    CompletionOnlyClassic,
    /// Unsloth's `train_on_responses_only`.
    ResponsesOnly,
}

/// The turns of a row under rules that are not those of role boundaries.
pub(crate) fn turns<L: Label>(plan: &Plan, ids: &[L]) -> Vec<Found> {
    match plan.semantics {
        Semantics::Boundaries => unreachable!("role boundaries are scanned as they are read"),
        Semantics::CompletionOnlyClassic => trl::classic_turns(plan, ids),
        Semantics::ResponsesOnly => unsloth::turns(plan, ids),
    }
}

/// Where an automaton finds something, overlapping occurrences included.
fn occurrences<L: Label>(
    automaton: &crate::automaton::Automaton,
    ids: &[L],
) -> impl Iterator<Item = crate::automaton::Match> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = automaton.find(ids, from)?;
        from = found.start + 1;
        Some(found)
    })
}
