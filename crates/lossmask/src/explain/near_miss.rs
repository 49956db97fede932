//! Starts that are almost in a row: their first tokens without the rest.

use std::ops::Range;

use crate::compile::Plan;
use crate::scan::Found;
use crate::vector::Lanes;

/// The first tokens of a start marker without the rest: a marker that tokenizes differently in context, or a role that
/// is not declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// Index of the boundary whose start it is nearly, the first declared of those that share the beginning.
    pub boundary: usize,
    /// Its first token.
    pub start: usize,
    /// How many of the marker's tokens are there, at least 1.
    pub matched: usize,
    /// How many tokens the marker has.
    pub expected: usize,
}

/// The near misses of a row with these turns: every position outside their headers where a start's first tokens are but no whole start is.
pub(crate) fn near_misses<L: Lanes>(plan: &Plan, ids: &[L], turns: &[Found]) -> Vec<NearMiss> {
    let mut misses = Vec::new();
    let mut from = 0;
    for turn in turns {
        misses_between(plan, ids, from..turn.start, &mut misses);
        from = turn.content_start;
    }
    misses_between(plan, ids, from..ids.len(), &mut misses);
    misses
}

fn misses_between<L: Lanes>(plan: &Plan, ids: &[L], range: Range<usize>, misses: &mut Vec<NearMiss>) {
    let starts = &plan.starts.automaton;
    for at in range {
        let Some((core, matched)) = starts.prefix_at(ids, at) else { continue };
        if starts.match_at(ids, at).is_none() {
            misses.push(NearMiss {
                boundary: plan.starts.boundaries[core as usize][0] as usize,
                start: at,
                matched,
                expected: starts.pattern_len(core),
            });
        }
    }
}
