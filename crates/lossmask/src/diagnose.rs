//! What the ids of a row alone show to be odd about its turns.

use std::ops::Range;

use crate::diagnosis::{Diagnosis, Severity};
use crate::ids::Label;
use crate::options::EndKind;
use crate::plan::{EndSet, Plan};
use crate::scan;

/// An end marker that ends nothing.
struct StrayEnd {
    marker: Range<usize>,
    /// The first token behind the end of the turn before.
    text: usize,
    /// Where in between a start marker nearly stands.
    near_miss: Option<usize>,
}

impl Plan {
    /// See [`Masker::diagnose`](crate::Masker::diagnose).
    pub fn diagnose<L: Label>(&self, ids: &[L]) -> Vec<Diagnosis> {
        // Where only one role is declared, all that is not its own lies outside on purpose.
        if self.train_on_inputs || self.roles.len() < 2 {
            return Vec::new();
        }
        self.stray_ends(ids).into_iter().map(diagnosis).collect()
    }

    /// Where an end marker stands outside of every turn with text in front of it, or ends a turn, should open the next one
    /// as well, and opens none.
    fn stray_ends<L: Label>(&self, ids: &[L]) -> Vec<StrayEnd> {
        let turns = scan::turns(self, ids);
        let mut strays = Vec::new();
        for (index, turn) in turns.iter().enumerate() {
            let next = turns.get(index + 1);
            let gap = turn.end()..next.map_or(ids.len(), |next| next.start);
            if turn.end == Some(EndKind::Anchor) && next.is_some_and(|next| next.start > turn.content_end) {
                strays.push(self.stray_end(ids, gap.start, turn.content_end..turn.marker_end, gap.end));
            }
            self.strays_between(ids, gap, next.is_none(), &mut strays);
        }
        strays
    }

    fn strays_between<L: Label>(&self, ids: &[L], gap: Range<usize>, at_row_end: bool, strays: &mut Vec<StrayEnd>) {
        let mut text = gap.start;
        let mut at = gap.start;
        while at < gap.end {
            let Some(end) = self.own_end_at(ids, at, gap.end) else {
                at += 1;
                continue;
            };
            let mut run = end;
            while let Some(next) = self.own_end_at(ids, run, gap.end) {
                run = next;
            }
            // Several to the end of the row are padding whose id is that of the marker.
            let padding = at_row_end && run == ids.len() && run > end;
            if at > text && !padding {
                strays.push(self.stray_end(ids, text, at..end, at));
            }
            (text, at) = (run, run);
        }
    }

    fn stray_end<L: Label>(&self, ids: &[L], text: usize, marker: Range<usize>, until: usize) -> StrayEnd {
        let near_miss = (text..until).find(|&at| self.starts.prefix_at(ids, at).is_some());
        StrayEnd { marker, text, near_miss }
    }

    /// Where an end marker ends that belongs to its turn, stands at `at`, and ends at `limit` or before.
    fn own_end_at<L: Label>(&self, ids: &[L], at: usize, limit: usize) -> Option<usize> {
        let own = |set: &EndSet| {
            let (marker, end) = (at < limit).then(|| scan::end_at(set, ids, at))??;
            (set.kinds[marker as usize] != EndKind::Before && end <= limit).then_some(end)
        };
        self.end_sets.iter().filter_map(own).max()
    }
}

fn diagnosis(stray: StrayEnd) -> Diagnosis {
    let StrayEnd { marker, text, near_miss } = stray;
    let (why, hint) = match near_miss {
        Some(at) => (
            format!("the first tokens of a start marker stand at token {at} without the rest"),
            "declare the role that begins there",
        ),
        None => (
            format!("the text around it, from token {text} on, is in no turn"),
            "a marker typed in a message, or a message without a start marker: with the messages at hand the text routes tell",
        ),
    };
    Diagnosis {
        code: "stray-end-marker",
        severity: Severity::Warning,
        message: format!("the end marker at token {} ends no turn as it should: {why}", marker.start),
        span: Some(marker),
        hint: Some(hint.to_owned()),
    }
}
