//! From ids to turns: the state machine that looks for a start outside a turn and for its end inside.

use crate::automaton::Match;
use crate::ids::Label;
use crate::options::{EndKind, Termination};
use crate::plan::Plan;
use crate::semantics::{self, Semantics};

/// A turn as it stands in the row, before it is decided what of it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index into [`Plan::boundaries`].
    pub boundary: u32,
    pub start: usize,
    pub content_start: usize,
    pub content_end: usize,
    /// Behind the end marker, whoever it belongs to; `content_end` where there is none.
    pub marker_end: usize,
    /// The kind of the end marker, `None` where there is none.
    pub end: Option<EndKind>,
}

impl Found {
    /// Behind the turn's last token: the end marker is the turn's own unless its kind is `before`.
    pub fn end(&self) -> usize {
        if self.end == Some(EndKind::Before) { self.content_end } else { self.marker_end }
    }

    /// Where the scan goes on.
    fn resume(&self) -> usize {
        if self.end == Some(EndKind::Consumed) { self.marker_end } else { self.content_end }
    }
}

/// The turns of a row, from left to right.
pub(crate) struct Scan<'a, L> {
    plan: &'a Plan,
    ids: &'a [L],
    at: usize,
    /// A start that the search for the previous turn's end has found already (next-start termination).
    pending: Option<Match>,
    /// The turns under other rules than those of role boundaries.
    others: std::vec::IntoIter<Found>,
}

impl<'a, L: Label> Scan<'a, L> {
    pub fn new(plan: &'a Plan, ids: &'a [L]) -> Scan<'a, L> {
        let others = match plan.semantics {
            Semantics::Boundaries => Vec::new(),
            _ => semantics::turns(plan, ids),
        };
        Scan { plan, ids, at: 0, pending: None, others: others.into_iter() }
    }

    /// The boundary that a core opens, and where its content starts: of the boundaries that share the core the one with
    /// the longest tail wins, the first declared on a tie.
    fn header(&self, core: Match) -> (u32, usize) {
        let mut best = (0, 0);
        for &boundary in &self.plan.heads[core.pattern as usize] {
            let tails = self.plan.boundaries[boundary as usize].tails.as_ref();
            let end = tails.and_then(|tails| tails.match_at(self.ids, core.end)).map_or(core.end, |tail| tail.end);
            if end > best.1 {
                best = (boundary, end);
            }
        }
        best
    }
}

impl<L: Label> Iterator for Scan<'_, L> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.plan.semantics != Semantics::Boundaries {
            return self.others.next();
        }
        let core = self.pending.take().or_else(|| self.plan.starts.find(self.ids, self.at))?;
        let (boundary, content_start) = self.header(core);
        let mut found = Found {
            boundary,
            start: core.start,
            content_start,
            content_end: self.ids.len(),
            marker_end: self.ids.len(),
            end: None,
        };
        if self.plan.termination == Termination::NextStart {
            self.pending = self.plan.starts.find(self.ids, content_start);
            if let Some(next) = self.pending {
                found.content_end = next.start;
                found.marker_end = next.start;
            }
        } else if let Some(ends) = self.plan.boundaries[boundary as usize].ends {
            let ends = &self.plan.end_sets[ends as usize];
            if let Some(marker) = ends.automaton.find(self.ids, content_start) {
                found.content_end = marker.start;
                found.marker_end = marker.end;
                found.end = Some(ends.kinds[marker.pattern as usize]);
            }
        }
        self.at = found.resume();
        Some(found)
    }
}
