//! What is trained of a row, where that is known only once all of its turns are.

use std::ops::Range;

use crate::compile::Plan;
use crate::options::{EndKind, Termination};
use crate::scan::Found;
use crate::trained::{EndTraining, TurnEnd, TurnRule};
use crate::vector::Lanes;

impl Plan {
    /// Whether it can be decided what is trained of a turn while it is scanned: no token of it belongs to another turn too, and nothing
    /// depends on what follows but which end is the last.
    pub fn decidable_as_it_scans(&self) -> bool {
        // A marker that opens the next turn as well, and may be trained as an end.
        let shared = |kind: &EndKind| {
            let training = |turn_trained| self.end_rule.training(TurnEnd { kind: *kind, turn_trained });
            *kind != EndKind::Consumed && [true, false].map(training) != [EndTraining::Never; 2]
        };
        !self.train_on_inputs
            && self.excluded.is_none()
            && self.termination == Termination::EndMarker
            && self.turn_rule == TurnRule::default()
            && !self.ends.sets.iter().flat_map(|set| &set.kinds).any(shared)
    }
}

/// Finds the ranges that are trained of a row with these turns, ignored ids aside: disjoint, in order, none empty.
pub(crate) fn trained_ranges<L: Lanes>(plan: &Plan, ids: &[L], turns: &[Found], ranges: &mut Vec<Range<usize>>) {
    ranges.clear();
    if plan.train_on_inputs {
        ranges.push(0..ids.len());
        return;
    }
    let rules = plan.row_rules(turns);
    for (index, turn) in turns.iter().enumerate() {
        plan.pieces(ids, turn, index, &rules, |piece| {
            if piece.trained && !piece.tokens.is_empty() {
                ranges.push(piece.tokens);
            }
        });
    }
    // A turn may begin in the end marker of the one before, of which a part may be excluded: then its pieces begin before
    // that one's last.
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let touches = next.start <= range.end;
        if touches {
            range.end = range.end.max(next.end);
        }
        touches
    });
}
