//! The way through a chunk that is full of tokens that look like markers: a search for what the scan waits for, again and again.

use crate::compile::automaton::Match;
use crate::compile::candidates::{Candidates, WORDS};
use crate::compile::{END_MAPS, EndSet, Opened, Plan};
use crate::options::{EndKind, Termination};
use crate::scan::{Cursor, End, MISSES_BEFORE_READING, Scan, Sink};
use crate::vector::{Available, Lanes};

impl Scan<'_> {
    /// Searches for what the scan waits for, again and again.
    #[inline(never)]
    pub(super) fn searched<L: Lanes>(
        &mut self,
        engine: Available,
        ids: &[L],
        from: usize,
        to: usize,
        sink: &mut impl Sink,
    ) {
        let plan = self.plan;
        let mut starts = Map::new();
        let mut ends: [Map; END_MAPS] = std::array::from_fn(|_| Map::new());
        let nothing = Opened::nothing(plan.unused_id);
        let Cursor { mut at, mut open } = self.cursor;
        at = at.max(from);
        while at < to {
            if open.is_nothing() {
                starts.prepare(engine, ids, from, to, &plan.starts.candidates);
                let Some((turn, start, content_start)) = next_start(plan, ids, &mut starts, at) else { break };
                sink.open(turn, start, content_start);
                (open, at) = (*turn, content_start);
            } else if plan.termination == Termination::NextStart {
                starts.prepare(engine, ids, from, to, &plan.starts.candidates);
                let Some((_, start, _)) = next_start(plan, ids, &mut starts, at) else { break };
                sink.close(&open, start, start, None);
                (open, at) = (nothing, start);
            } else {
                let Some(set) = plan.ends.of(open.boundary) else { break };
                let map = &mut ends[set.map];
                map.prepare(engine, ids, from, to, &plan.ends.candidates[set.map]);
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
    misses_left: u32,
}

impl Map {
    #[inline(always)]
    fn new() -> Map {
        Map { bits: [0; WORDS], from: 0, to: 0, misses_left: 0 }
    }

    #[inline(always)]
    fn prepare<L: Lanes>(&mut self, engine: Available, ids: &[L], from: usize, to: usize, candidates: &Candidates) {
        if self.to == 0 {
            candidates.find(engine, ids, from, to - from, &mut self.bits);
            (self.from, self.to) = (from, to);
            self.misses_left = MISSES_BEFORE_READING;
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
    fn missed(&mut self) -> bool {
        self.misses_left = self.misses_left.saturating_sub(1);
        self.misses_left == 0
    }
}

/// The first start in the map's chunk from `at` on: the turn it opens, where it starts, and where its content does.
#[inline(always)]
fn next_start<'p, L: Lanes>(plan: &'p Plan, ids: &[L], map: &mut Map, at: usize) -> Option<(&'p Opened, usize, usize)> {
    let mut at = at;
    loop {
        let candidate = map.next(at)?;
        if let Some((turn, content_start)) = plan.starts.header_at(ids, candidate) {
            return Some((turn, candidate, content_start));
        }
        at = candidate + 1;
        if map.missed() {
            return read_on_to_start(plan, ids, at, map.to);
        }
    }
}

#[cold]
#[inline(never)]
fn read_on_to_start<'p, L: Lanes>(
    plan: &'p Plan,
    ids: &[L],
    from: usize,
    to: usize,
) -> Option<(&'p Opened, usize, usize)> {
    let core = plan.starts.automaton.find_until(ids, from, to)?;
    let (turn, content_start) = plan.starts.header(ids, core.pattern, core.end);
    Some((turn, core.start, content_start))
}

/// The first end of a set in the map's chunk from `at` on.
#[inline(always)]
fn next_end<L: Lanes>(set: &EndSet, ids: &[L], map: &mut Map, at: usize) -> Option<Match> {
    let mut at = at;
    loop {
        let candidate = map.next(at)?;
        if let Some((pattern, end)) = set.marker_at(ids, candidate) {
            return Some(Match { pattern, start: candidate, end });
        }
        at = candidate + 1;
        if map.missed() {
            return set.automaton.find_until(ids, at, map.to);
        }
    }
}
