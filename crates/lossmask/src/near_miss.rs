//! Starts that almost stand in a row: their first tokens without the rest.

use crate::ids::Label;
use crate::plan::Plan;
use crate::scan;

/// The first tokens of a start marker without the rest: a marker that tokenizes differently in context, or a role that
/// nobody declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// Index of the boundary whose start it is nearly, the first declared of those that share the beginning.
    pub boundary: usize,
    /// Where it stands.
    pub start: usize,
    /// How many of the marker's tokens stand there, at least 1.
    pub matched: usize,
    /// How many tokens the marker has.
    pub expected: usize,
}

impl Plan {
    /// The near misses of a row: every position outside a recognised header where a start's first tokens stand but no
    /// whole start does.
    pub fn near_misses<L: Label>(&self, ids: &[L]) -> Vec<NearMiss> {
        let mut misses = Vec::new();
        let mut from = 0;
        for turn in scan::turns(self, ids) {
            self.misses_between(ids, from, turn.start, &mut misses);
            from = turn.content_start;
        }
        self.misses_between(ids, from, ids.len(), &mut misses);
        misses
    }

    fn misses_between<L: Label>(&self, ids: &[L], from: usize, to: usize, misses: &mut Vec<NearMiss>) {
        for at in from..to {
            let Some((core, matched)) = self.starts.prefix_at(ids, at) else { continue };
            if self.starts.match_at(ids, at).is_none() {
                misses.push(NearMiss {
                    boundary: self.heads[core as usize][0] as usize,
                    start: at,
                    matched,
                    expected: self.starts.pattern_len(core),
                });
            }
        }
    }
}
