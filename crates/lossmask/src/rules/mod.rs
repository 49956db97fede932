//! Other tools' rules by name: they differ in where a turn begins and ends, and in nothing else.

mod trl;
mod unsloth;

pub use trl::{CompletionOnly, TemplateWarning};
pub use unsloth::ResponsesOnly;

use crate::compile::Plan;
use crate::error::BuildError;
use crate::scan::Found;
use crate::vector::Lanes;
use trl::Templates;

/// Whose rules find the turns.
#[derive(Debug)]
pub(crate) enum Rules {
    /// Role boundaries: the scan finds the turns.
    Boundaries,
    /// TRL's completion-only collator.
    CompletionOnly(Box<Templates>),
    /// Unsloth's `train_on_responses_only`.
    ResponsesOnly,
}

impl Rules {
    /// Compiles TRL's collator.
    ///
    /// # Errors
    /// See [`Masker::completion_only`](crate::Masker::completion_only).
    pub fn completion_only(options: &CompletionOnly) -> Result<(Plan, Rules), BuildError> {
        let (plan, templates) = trl::compile(options)?;
        Ok((plan, Rules::CompletionOnly(Box::new(templates))))
    }

    /// Compiles Unsloth's rules.
    ///
    /// # Errors
    /// See [`Masker::responses_only`](crate::Masker::responses_only).
    pub fn responses_only(options: &ResponsesOnly) -> Result<(Plan, Rules), BuildError> {
        Ok((unsloth::compile(options)?, Rules::ResponsesOnly))
    }

    /// Whether the scan finds the turns.
    pub fn are_those_of_the_scan(&self) -> bool {
        match self {
            Rules::Boundaries => true,
            Rules::CompletionOnly(templates) => !templates.classic,
            Rules::ResponsesOnly => false,
        }
    }

    /// The turns of a row, where the scan does not find them.
    pub fn turns<L: Lanes>(&self, plan: &Plan, ids: &[L]) -> Option<Vec<Found>> {
        match self {
            _ if self.are_those_of_the_scan() => None,
            Rules::Boundaries => None,
            Rules::CompletionOnly(templates) => Some(trl::classic_turns(templates, ids)),
            Rules::ResponsesOnly => Some(unsloth::turns(plan, ids)),
        }
    }

    /// What the tool warns of in a row.
    pub fn warnings<L: Lanes>(&self, ids: &[L]) -> Vec<TemplateWarning> {
        match self {
            Rules::CompletionOnly(templates) => trl::warnings(templates, ids),
            Rules::Boundaries | Rules::ResponsesOnly => Vec::new(),
        }
    }
}
