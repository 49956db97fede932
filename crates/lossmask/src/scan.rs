//! From ids to turns: the state machine that looks for a start outside a turn and for its end inside.
//!
//! It goes through a row chunk by chunk and in a chunk from candidate to candidate; the automata judge each of them.

use std::mem::MaybeUninit;

use crate::automaton::Match;
use crate::candidates::{CHUNK, Candidates, WORDS, classify};
use crate::ids::Label;
use crate::options::{EndKind, Termination};
use crate::plan::{END_MAPS, EndSet, Plan, Specials, key};
use crate::search::{Ahead, IdSet, Kernels, LIST};
use crate::semantics::{self, Semantics};

/// Candidates in a chunk that may turn out to be nothing before the automaton reads on token by token, which costs the
/// same whatever stands there.
const PATIENCE: u32 = CHUNK as u32 / 16;

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
}

/// What follows a scan.
pub(crate) trait Sink {
    /// Whether it wants to know of ignored ids; then it may be told, see [`Scan::chunk`].
    const WANTS_IGNORED: bool;
    /// A token of an ignored id.
    fn ignored(&mut self, at: usize);
    /// A turn begins.
    fn open(&mut self, boundary: u32, start: usize, content_start: usize);
    /// The turn that was opened last ends; without an end marker `marker_end` is `content_end`.
    fn close(&mut self, boundary: u32, content_end: usize, marker_end: usize, end: Option<End>);
}

/// Which end marker ended a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub kind: EndKind,
    /// Index into the boundary's end set.
    pub marker: u32,
}

/// Hands out the turns of a row, from left to right.
pub(crate) fn for_each_turn<L: Label>(plan: &Plan, ids: &[L], turn: impl FnMut(Found)) {
    if plan.semantics != Semantics::Boundaries {
        return semantics::turns(plan, ids).into_iter().for_each(turn);
    }
    let mut sink = Turns { open: (0, 0), turn };
    let mut scan = Scan::new(plan);
    for from in (0..ids.len()).step_by(CHUNK) {
        scan.chunk(ids, from, (from + CHUNK).min(ids.len()), &mut sink);
    }
    scan.finish(ids.len(), &mut sink);
}

/// The turns of a row.
pub(crate) fn turns<L: Label>(plan: &Plan, ids: &[L]) -> Vec<Found> {
    let mut turns = Vec::new();
    for_each_turn(plan, ids, |turn| turns.push(turn));
    turns
}

struct Turns<F> {
    open: (usize, usize),
    turn: F,
}

impl<F: FnMut(Found)> Sink for Turns<F> {
    const WANTS_IGNORED: bool = false;

    fn ignored(&mut self, _: usize) {}

    fn open(&mut self, _: u32, start: usize, content_start: usize) {
        self.open = (start, content_start);
    }

    fn close(&mut self, boundary: u32, content_end: usize, marker_end: usize, end: Option<End>) {
        let (start, content_start) = self.open;
        let end = end.map(|end| end.kind);
        (self.turn)(Found { boundary, start, content_start, content_end, marker_end, end });
    }
}

/// A scan between two chunks of a row.
pub(crate) struct Scan<'p> {
    plan: &'p Plan,
    pub cursor: Cursor,
    /// How many candidates the last chunk had, if they were listed.
    pub listed: Option<usize>,
    /// Where in the chunk any marker may begin.
    ahead: [u64; WORDS],
    /// Words of `ahead` that are the chunk's already.
    ready: usize,
}

const OUTSIDE: u32 = u32::MAX;

/// Where a scan stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The boundary of the turn that is open, [`OUTSIDE`] if none is.
    inside: u32,
    /// The first token that is not decided on.
    at: usize,
}

impl Cursor {
    /// Goes on to a token that a marker may begin with; between the last one and this there is none. Says whether it was
    /// nothing.
    #[inline(always)]
    pub fn candidate<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        if candidate < self.at {
            return false;
        }
        let mut nothing = true;
        if self.inside != OUTSIDE {
            let Some(set) = plan.boundaries[self.inside as usize].ends else { return true };
            let set = &plan.end_sets[set as usize];
            let Some((marker, end)) = end_at(set, ids, candidate) else { return true };
            let kind = set.kinds[marker as usize];
            sink.close(self.inside, candidate, end, Some(End { kind, marker }));
            self.inside = OUTSIDE;
            if kind == EndKind::Consumed {
                self.at = end;
                return false;
            }
            self.at = candidate;
            nothing = false;
        }
        if let Some((boundary, content_start)) = plan.header_at(ids, candidate) {
            sink.open(boundary, candidate, content_start);
            self.inside = boundary;
            self.at = content_start;
            nothing = false;
        }
        nothing
    }
}

impl<'p> Scan<'p> {
    pub fn new(plan: &'p Plan) -> Scan<'p> {
        Scan { plan, cursor: Cursor { inside: OUTSIDE, at: 0 }, listed: None, ahead: [0; WORDS], ready: 0 }
    }

    /// What may be classified of the chunk `[from, to)` before it is gone through; `ids` is the row.
    pub fn ahead<L, S: Sink>(&mut self, ids: *const L, from: usize, to: usize) -> Ahead<'p, L> {
        match self.looked_for::<S>() {
            Some(set) if from < to => {
                self.ready = (to - from) / 64;
                Ahead { ids: ids.wrapping_add(from), words: self.ready, set, out: self.ahead.as_mut_ptr() }
            }
            _ => Ahead::nothing(&self.plan.ignored),
        }
    }

    /// What may be classified was not.
    pub fn forget_ahead(&mut self) {
        self.ready = 0;
    }

    /// The ids whose places are listed, if there are few enough to be tested for at once.
    fn looked_for<S: Sink>(&self) -> Option<&'p IdSet> {
        match &self.plan.specials {
            _ if self.plan.termination != Termination::EndMarker => None,
            Some(specials) if S::WANTS_IGNORED => Some(&specials.set),
            _ => self.plan.firsts.as_ref(),
        }
    }

    /// Goes through `[from, to)`, which follows what was gone through before. Reads no token before `from`. Says whether
    /// the sink was told of all ignored ids.
    #[inline]
    pub fn chunk<L: Label, S: Sink>(&mut self, ids: &[L], from: usize, to: usize, sink: &mut S) -> bool {
        let Some(set) = self.looked_for::<S>() else {
            self.searched(ids, from, to, sink);
            return false;
        };
        let mut places = [const { MaybeUninit::<u16>::uninit() }; LIST + 64];
        self.listed = None;
        let Some(places) = self.list(ids, from, to, set, &mut places) else {
            self.searched(ids, from, to, sink);
            return false;
        };
        self.listed = Some(places.len());
        let specials = self.plan.specials.as_ref().filter(|_| S::WANTS_IGNORED);
        if !self.walk(ids, from, places, specials, sink) {
            self.searched(ids, from, to, sink);
            return false;
        }
        specials.is_some()
    }

    /// The places of the set's ids in the chunk, if there are not too many.
    #[inline(always)]
    fn list<'l, L: Label>(
        &mut self,
        ids: &[L],
        from: usize,
        to: usize,
        set: &IdSet,
        places: &'l mut [MaybeUninit<u16>; LIST + 64],
    ) -> Option<&'l [u16]> {
        let kernels = L::kernels(&self.plan.kernels);
        let done = std::mem::take(&mut self.ready);
        let words = (to - from).div_ceil(64);
        if done < words {
            let from = from + 64 * done;
            classify(kernels, ids, from, to - from, set, &mut self.ahead[done..words]);
        }
        // SAFETY: the bits are `words` words, and the array has the length that is asked for.
        let count = unsafe { (kernels.list)(self.ahead.as_ptr(), words, places.as_mut_ptr().cast()) }?;
        // SAFETY: so many places are written now.
        Some(unsafe { std::slice::from_raw_parts(places.as_ptr().cast(), count) })
    }

    /// Goes through the list of the chunk's candidates, among which are the ignored ids if `specials` are given; `false`: not to
    /// its end, because too many of them were nothing.
    #[inline(always)]
    fn walk<L: Label, S: Sink>(
        &mut self,
        ids: &[L],
        from: usize,
        places: &[u16],
        specials: Option<&Specials>,
        sink: &mut S,
    ) -> bool {
        let plan = self.plan;
        let mut cursor = self.cursor;
        let mut patience = PATIENCE;
        for &place in places {
            let candidate = from + usize::from(place);
            if let Some(specials) = specials {
                let special = specials.of(ids[candidate]);
                if special.ignored {
                    sink.ignored(candidate);
                }
                if !special.first {
                    continue;
                }
            }
            if cursor.candidate(plan, ids, candidate, sink) {
                patience -= 1;
                if patience == 0 {
                    self.cursor = cursor;
                    return false;
                }
            }
        }
        self.cursor = cursor;
        true
    }

    /// Searches for what the scan waits for, again and again.
    fn searched<L: Label>(&mut self, ids: &[L], from: usize, to: usize, sink: &mut impl Sink) {
        let plan = self.plan;
        let kernels = L::kernels(&plan.kernels);
        let mut starts = Map::new();
        let mut ends: [Map; END_MAPS] = std::array::from_fn(|_| Map::new());
        let Cursor { mut at, mut inside } = self.cursor;
        at = at.max(from);
        while at < to {
            if inside == OUTSIDE {
                starts.prepare(kernels, ids, from, to, &plan.start_candidates);
                let Some((boundary, start, content_start)) = next_start(plan, ids, &mut starts, at) else { break };
                sink.open(boundary, start, content_start);
                inside = boundary;
                at = content_start;
            } else if plan.termination == Termination::NextStart {
                starts.prepare(kernels, ids, from, to, &plan.start_candidates);
                let Some((_, start, _)) = next_start(plan, ids, &mut starts, at) else { break };
                sink.close(inside, start, start, None);
                inside = OUTSIDE;
                at = start;
            } else {
                let Some(set) = plan.boundaries[inside as usize].ends else { break };
                let set = &plan.end_sets[set as usize];
                let map = &mut ends[set.map];
                map.prepare(kernels, ids, from, to, &plan.end_candidates[set.map]);
                let Some(marker) = next_end(set, ids, map, at) else { break };
                let kind = set.kinds[marker.pattern as usize];
                sink.close(inside, marker.start, marker.end, Some(End { kind, marker: marker.pattern }));
                inside = OUTSIDE;
                at = if kind == EndKind::Consumed { marker.end } else { marker.start };
            }
        }
        self.cursor = Cursor { at, inside };
    }

    /// Ends the turn that is open at the end of the row.
    pub fn finish(&mut self, length: usize, sink: &mut impl Sink) {
        if self.cursor.inside != OUTSIDE {
            sink.close(self.cursor.inside, length, length, None);
        }
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

/// The first start in the map's chunk from `at` on: its boundary, where it stands, and where the content starts.
#[inline(always)]
fn next_start<L: Label>(plan: &Plan, ids: &[L], map: &mut Map, at: usize) -> Option<(u32, usize, usize)> {
    let mut at = at;
    loop {
        let candidate = map.next(at)?;
        if let Some((boundary, content_start)) = plan.header_at(ids, candidate) {
            return Some((boundary, candidate, content_start));
        }
        at = candidate + 1;
        if map.disappointed() {
            return read_on_to_start(plan, ids, at, map.to);
        }
    }
}

#[cold]
#[inline(never)]
fn read_on_to_start<L: Label>(plan: &Plan, ids: &[L], from: usize, to: usize) -> Option<(u32, usize, usize)> {
    let core = plan.starts.find_until(ids, from, to)?;
    let (boundary, content_start) = plan.header(ids, core);
    Some((boundary, core.start, content_start))
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

/// The end marker of a set that stands at a candidate, and where it ends.
#[inline(always)]
pub(crate) fn end_at<L: Label>(set: &EndSet, ids: &[L], at: usize) -> Option<(u32, usize)> {
    match set.only {
        Some(id) => (ids[at] == L::from_i32(id)).then_some((0, at + 1)),
        None => set.automaton.match_at(ids, at).map(|found| (found.pattern, found.end)),
    }
}

impl Plan {
    /// The boundary that a start at `at` opens, and where its content starts.
    #[inline(always)]
    fn header_at<L: Label>(&self, ids: &[L], at: usize) -> Option<(u32, usize)> {
        let Some(headers) = &self.headers else {
            return self.starts.match_at(ids, at).map(|core| self.header(ids, core));
        };
        let second = ids.get(at + 1).and_then(|id| id.to_i32()).unwrap_or(headers.stranger);
        let key = key(ids[at].to_i32()?, second);
        for header in &headers.records {
            if key & header.mask == header.key
                && (header.rest.is_empty() || starts_with(ids.get(at + 2..).unwrap_or_default(), &header.rest))
            {
                return Some((header.boundary, at + header.length));
            }
        }
        None
    }

    /// The boundary that a core opens, and where its content starts: of the boundaries that share the core the one with
    /// the longest tail wins, the first declared on a tie.
    fn header<L: Label>(&self, ids: &[L], core: Match) -> (u32, usize) {
        let mut best = (0, 0);
        for &boundary in &self.heads[core.pattern as usize] {
            let tails = self.boundaries[boundary as usize].tails.as_ref();
            let end = tails.and_then(|tails| tails.match_at(ids, core.end)).map_or(core.end, |tail| tail.end);
            if end > best.1 {
                best = (boundary, end);
            }
        }
        best
    }
}

#[inline(always)]
fn starts_with<L: Label>(ids: &[L], marker: &[i32]) -> bool {
    ids.len() >= marker.len() && marker.iter().zip(ids).all(|(&id, &there)| L::from_i32(id) == there)
}
