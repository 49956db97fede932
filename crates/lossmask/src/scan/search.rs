//! The way through a chunk that is full of tokens that look like markers: searched for what the scan waits for, again and again.

use crate::automaton::Match;
use crate::candidates::{Candidates, WORDS};
use crate::ids::Label;
use crate::options::{EndKind, Termination};
use crate::plan::{END_MAPS, EndSet, Opened, Plan};
use crate::scan::{Cursor, End, PATIENCE, Scan, Sink, end_at};
use crate::search::Kernels;

impl Scan<'_> {
    /// Searches for what the scan waits for, again and again.
    #[inline(never)]
    pub(super) fn searched<L: Label>(&mut self, ids: &[L], from: usize, to: usize, sink: &mut impl Sink) {
        let plan = self.plan;
        let kernels = L::kernels(&plan.kernels);
        let mut starts = Map::new();
        let mut ends: [Map; END_MAPS] = std::array::from_fn(|_| Map::new());
        let nothing = Opened::nothing(plan.nobody);
        let Cursor { mut at, mut open } = self.cursor;
        at = at.max(from);
        while at < to {
            if open.is_nothing() {
                starts.prepare(kernels, ids, from, to, &plan.start_candidates);
                let Some((turn, start, content_start)) = next_start(plan, ids, &mut starts, at) else { break };
                sink.open(turn, start, content_start);
                (open, at) = (*turn, content_start);
            } else if plan.termination == Termination::NextStart {
                starts.prepare(kernels, ids, from, to, &plan.start_candidates);
                let Some((_, start, _)) = next_start(plan, ids, &mut starts, at) else { break };
                sink.close(&open, start, start, None);
                (open, at) = (nothing, start);
            } else {
                let Some(set) = plan.boundaries[open.boundary as usize].ends else { break };
                let set = &plan.end_sets[set as usize];
                let map = &mut ends[set.map];
                map.prepare(kernels, ids, from, to, &plan.end_candidates[set.map]);
                let Some(marker) = next_end(set, ids, map, at) else { break };
                let kind = set.kinds[marker.pattern as usize];
                sink.close(&open, marker.start, marker.end, Some(End { kind, marker: marker.pattern }));
                (open, at) = (nothing, if kind == EndKind::Consumed { marker.end } else { marker.start });
            }
        }
        self.cursor = Cursor { at, open };
    }
}

/// Where in a chunk the markers of one kind may begin.
struct Map {
    bits: [u64; WORDS],
    /// The chunk's first token.
    from: usize,
    /// The end of the chunk, 0 as long as the bits are not those of the chunk at work.
    to: usize,
    patience: u32,
}

impl Map {
    fn new() -> Map {
        Map { bits: [0; WORDS], from: 0, to: 0, patience: 0 }
    }

    #[inline(always)]
    fn prepare<L: Label>(&mut self, kernels: &Kernels<L>, ids: &[L], from: usize, to: usize, candidates: &Candidates) {
        if self.to == 0 {
            candidates.find(kernels, ids, from, to - from, &mut self.bits);
            (self.from, self.to) = (from, to);
            self.patience = PATIENCE;
        }
    }

    /// The first candidate in `[at, to)`.
    #[inline(always)]
    fn next(&self, at: usize) -> Option<usize> {
        let at = at - self.from;
        let mut word = at / 64;
        let mut bits = self.bits.get(word)? & (!0 << (at % 64));
        while bits == 0 {
            word += 1;
            bits = *self.bits.get(word)?;
        }
        Some(self.from + 64 * word + bits.trailing_zeros() as usize)
    }

    /// Takes note of a candidate that was nothing; `true` when there were too many of them.
    #[inline(always)]
    fn disappointed(&mut self) -> bool {
        self.patience = self.patience.saturating_sub(1);
        self.patience == 0
    }
}

/// The first start in the map's chunk from `at` on: the turn it opens, where it stands, and where the content starts.
#[inline(always)]
fn next_start<'p, L: Label>(plan: &'p Plan, ids: &[L], map: &mut Map, at: usize) -> Option<(&'p Opened, usize, usize)> {
    let mut at = at;
    loop {
        let candidate = map.next(at)?;
        if let Some((turn, content_start)) = plan.header_at(ids, candidate) {
            return Some((turn, candidate, content_start));
        }
        at = candidate + 1;
        if map.disappointed() {
            return read_on_to_start(plan, ids, at, map.to);
        }
    }
}

#[cold]
#[inline(never)]
fn read_on_to_start<'p, L: Label>(
    plan: &'p Plan,
    ids: &[L],
    from: usize,
    to: usize,
) -> Option<(&'p Opened, usize, usize)> {
    let core = plan.starts.find_until(ids, from, to)?;
    let (turn, content_start) = plan.header(ids, core.pattern, core.end);
    Some((turn, core.start, content_start))
}

/// The first end of a set in the map's chunk from `at` on.
#[inline(always)]
fn next_end<L: Label>(set: &EndSet, ids: &[L], map: &mut Map, at: usize) -> Option<Match> {
    let mut at = at;
    loop {
        let candidate = map.next(at)?;
        if let Some((pattern, end)) = end_at(set, ids, candidate) {
            return Some(Match { pattern, start: candidate, end });
        }
        at = candidate + 1;
        if map.disappointed() {
            return set.automaton.find_until(ids, at, map.to);
        }
    }
}
