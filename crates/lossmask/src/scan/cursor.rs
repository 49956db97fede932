//! Where a scan stands, and what a token that a marker may begin with does to that.

use crate::ids::Label;
use crate::options::EndKind;
use crate::plan::{Cores, EndSet, Opened, Opens, Plan, Specials, pair};
use crate::scan::{End, Sink};
use crate::search::IdSet;

/// Where a scan stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The turn that is open.
    pub(super) open: Opened,
    /// The first token that is not decided on.
    pub(super) at: usize,
}

impl Cursor {
    #[inline(always)]
    pub(super) fn outside(plan: &Plan, at: usize) -> Cursor {
        Cursor { open: Opened::nothing(plan.nobody), at }
    }

    #[inline(always)]
    pub fn is_outside(&self) -> bool {
        self.open.is_nothing()
    }

    /// The ids that mean anything here.
    #[inline(always)]
    pub fn looks_for<'s>(&self, specials: &'s Specials) -> &'s IdSet {
        if self.is_outside() { &specials.outside } else { &specials.inside[self.open.boundary as usize] }
    }

    /// Goes on to a token that a marker may begin with; between the last one and this there is none. Says whether it was one.
    #[inline(always)]
    pub fn step<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        if candidate < self.at {
            true
        } else if self.is_outside() {
            self.start(plan, ids, candidate, sink)
        } else {
            self.end(plan, ids, candidate, sink) || self.other_end(plan, ids, candidate, sink)
        }
    }

    /// Ends the turn that is open, where the token is all that it takes.
    #[inline(always)]
    pub(super) fn end<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        if ids[candidate] != L::from_i32(self.open.end) {
            return false;
        }
        let end = Some(End { kind: EndKind::Consumed, marker: 0 });
        sink.close(&self.open, candidate, candidate + 1, end);
        *self = Cursor::outside(plan, candidate + 1);
        true
    }

    /// Ends the turn that is open with any other marker, which the next turn may begin in.
    #[inline(always)]
    fn other_end<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        // By value: what is pointed to cannot stay in registers.
        let Some((marker, end)) = plan.other_end(self.open.boundary, ids, candidate) else { return false };
        sink.close(&self.open, candidate, end, Some(marker));
        if marker.kind == EndKind::Consumed {
            *self = Cursor::outside(plan, end);
        } else {
            *self = Cursor::outside(plan, candidate);
            self.start(plan, ids, candidate, sink);
        }
        true
    }

    /// Opens the turn that starts at a token, if one does.
    #[inline(always)]
    pub(super) fn start<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        let Some((open, content_start)) = plan.header_at(ids, candidate) else { return false };
        sink.open(open, candidate, content_start);
        *self = Cursor { open: *open, at: content_start };
        true
    }
}

impl Plan {
    /// The end marker of a boundary that stands at a token, and where it ends.
    #[inline(never)]
    fn other_end<L: Label>(&self, boundary: u32, ids: &[L], at: usize) -> Option<(End, usize)> {
        let set = &self.end_sets[self.boundaries[boundary as usize].ends? as usize];
        let (marker, end) = end_at(set, ids, at)?;
        Some((End { kind: set.kinds[marker as usize], marker }, end))
    }

    /// The turn that a start at `at` opens, and where its content starts.
    #[inline(always)]
    pub(super) fn header_at<L: Label>(&self, ids: &[L], at: usize) -> Option<(&Opened, usize)> {
        let Some(cores) = &self.cores else {
            return self.asked_header_at(ids, at);
        };
        let [first, second] = cores.window(ids, at);
        for core in &cores.records {
            if core.first.is(first)
                && core.second.is(second)
                && (core.rest.is_empty() || stands_at(ids, at + 4, &core.rest))
            {
                let end = at + core.length;
                return Some(match &core.opens {
                    Opens::Bare(turn) => (turn, end),
                    Opens::Tailed(turn, tail) if ids.get(end) == Some(&L::from_i32(*tail)) => (turn, end + 1),
                    Opens::Tailed(turn, _) => (turn, self.tail(ids, turn.boundary, end)),
                    Opens::Asked(pattern) => self.header(ids, *pattern, end),
                });
            }
        }
        None
    }

    #[inline(never)]
    fn asked_header_at<L: Label>(&self, ids: &[L], at: usize) -> Option<(&Opened, usize)> {
        self.starts.match_at(ids, at).map(|core| self.header(ids, core.pattern, core.end))
    }

    /// Behind the longest tail of a boundary that stands at `at`; `at` where none does.
    #[inline(never)]
    fn tail<L: Label>(&self, ids: &[L], boundary: u32, at: usize) -> usize {
        let tails = self.boundaries[boundary as usize].tails.as_ref();
        tails.and_then(|tails| tails.match_at(ids, at)).map_or(at, |tail| tail.end)
    }

    /// The turn that a core opens, and where its content starts: of the boundaries that share the core the one with the longest
    /// tail wins, the first declared on a tie.
    #[inline(never)]
    pub(super) fn header<L: Label>(&self, ids: &[L], core: u32, core_end: usize) -> (&Opened, usize) {
        let mut best = (0, 0);
        for &boundary in &self.heads[core as usize] {
            let end = self.tail(ids, boundary, core_end);
            if end > best.1 {
                best = (boundary, end);
            }
        }
        (&self.opened[best.0 as usize], best.1)
    }
}

impl Cores {
    /// The four tokens at `at`, as two pairs.
    #[inline(always)]
    fn window<L: Label>(&self, ids: &[L], at: usize) -> [u64; 2] {
        let id = |id: L| id.to_i32().unwrap_or(self.nobody);
        match ids.get(at..at + 4) {
            Some(&[a, b, c, d]) => [pair(id(a), id(b)), pair(id(c), id(d))],
            _ => self.last_window(ids, at),
        }
    }

    /// The same where the row ends.
    #[cold]
    fn last_window<L: Label>(&self, ids: &[L], at: usize) -> [u64; 2] {
        let there = |index: usize| ids.get(at + index).and_then(|id| id.to_i32()).unwrap_or(self.nobody);
        [pair(there(0), there(1)), pair(there(2), there(3))]
    }
}

#[inline(never)]
fn stands_at<L: Label>(ids: &[L], at: usize, marker: &[i32]) -> bool {
    let there = ids.get(at..at + marker.len());
    there.is_some_and(|there| marker.iter().zip(there).all(|(&id, &there)| L::from_i32(id) == there))
}

/// The end marker of a set that stands at a candidate, and where it ends.
#[inline(always)]
pub(crate) fn end_at<L: Label>(set: &EndSet, ids: &[L], at: usize) -> Option<(u32, usize)> {
    match set.only {
        Some(id) => (ids[at] == L::from_i32(id)).then_some((0, at + 1)),
        None => set.automaton.match_at(ids, at).map(|found| (found.pattern, found.end)),
    }
}
