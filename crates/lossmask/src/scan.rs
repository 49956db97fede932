//! From ids to turns: the state machine that looks for a start outside a turn and for its end inside.
//!
//! It goes through a row chunk by chunk and in a chunk from candidate to candidate; the automata judge each of them.

use std::mem::MaybeUninit;

use crate::automaton::Match;
use crate::candidates::{CHUNK, Candidates, WORDS, classify};
use crate::ids::Label;
use crate::options::{EndKind, Termination};
use crate::plan::{Cores, END_MAPS, EndSet, Opened, Opens, Plan, Specials, pair};
use crate::search::{Ahead, IdSet, Kernels, LIST, Lanes, Simd, kernel};
use crate::semantics::{self, Semantics};

/// Candidates in a chunk that may turn out to be nothing before the automaton reads on token by token, which costs the
/// same whatever stands there.
const PATIENCE: u32 = CHUNK as u32 / 16;

/// Chunks that are not listed after one in which that was given up.
const MISTRUST: u32 = 15;

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
    fn open(&mut self, turn: &Opened, start: usize, content_start: usize);
    /// The turn that was opened last ends; without an end marker `marker_end` is `content_end`.
    fn close(&mut self, turn: &Opened, content_end: usize, marker_end: usize, end: Option<End>);
}

/// Which end marker ended a turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub kind: EndKind,
    /// Index into the boundary's end set.
    pub marker: u32,
}

/// The turns of a row, from left to right.
pub(crate) fn turns<L: Label>(plan: &Plan, ids: &[L]) -> Vec<Found> {
    let mut turns = Vec::new();
    find_turns(plan, ids, &mut turns);
    turns
}

/// Adds the turns of a row, from left to right.
pub(crate) fn find_turns<L: Label>(plan: &Plan, ids: &[L], turns: &mut Vec<Found>) {
    match plan.semantics {
        // SAFETY: the masker would not have been built without the engine's instructions.
        Semantics::Boundaries => unsafe { (L::kernels(&plan.kernels).turns)(plan, ids, turns) },
        _ => turns.extend(semantics::turns(plan, ids)),
    }
}

/// Adds the turns of a row that the role boundaries say.
///
/// # Safety
/// The machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn boundary_turns<S: Simd, L: Lanes>(plan: &Plan, ids: &[L], turns: &mut Vec<Found>) {
    let mut sink = Turns { open: (0, 0), turns };
    let mut scan = Scan::new(plan);
    let mut from = 0;
    while from < ids.len() {
        let to = ids.len().min(from + CHUNK);
        // SAFETY: the caller's promise.
        unsafe { scan.chunk::<S, L, _>(ids, from, to, &mut sink) };
        from = to;
    }
    scan.finish(ids.len(), &mut sink);
}

struct Turns<'t> {
    open: (usize, usize),
    turns: &'t mut Vec<Found>,
}

impl Sink for Turns<'_> {
    const WANTS_IGNORED: bool = false;

    fn ignored(&mut self, _: usize) {}

    #[inline(always)]
    fn open(&mut self, _: &Opened, start: usize, content_start: usize) {
        self.open = (start, content_start);
    }

    #[inline(always)]
    fn close(&mut self, turn: &Opened, content_end: usize, marker_end: usize, end: Option<End>) {
        let boundary = turn.boundary;
        let (start, content_start) = self.open;
        let end = end.map(|end| end.kind);
        self.turns.push(Found { boundary, start, content_start, content_end, marker_end, end });
    }
}

/// A scan between two chunks of a row.
pub(crate) struct Scan<'p> {
    plan: &'p Plan,
    pub cursor: Cursor,
    /// How many candidates the last chunk had, if they were listed.
    pub listed: Option<usize>,
    /// Chunks that are not listed, because in one before too many candidates were nothing.
    unlisted: u32,
    /// Where in the chunk any marker may begin.
    ahead: [u64; WORDS],
    /// Words of `ahead` that are the chunk's already.
    ready: usize,
}

/// Where a scan stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The turn that is open.
    open: Opened,
    /// The first token that is not decided on.
    at: usize,
}

impl Cursor {
    #[inline(always)]
    fn outside(plan: &Plan, at: usize) -> Cursor {
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
    fn end<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
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
    fn start<L: Label>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        let Some((open, content_start)) = plan.header_at(ids, candidate) else { return false };
        sink.open(open, candidate, content_start);
        *self = Cursor { open: *open, at: content_start };
        true
    }
}

impl<'p> Scan<'p> {
    pub fn new(plan: &'p Plan) -> Scan<'p> {
        Scan { plan, cursor: Cursor::outside(plan, 0), listed: None, unlisted: 0, ahead: [0; WORDS], ready: 0 }
    }

    /// What may be classified of the chunk `[from, to)` before it is gone through; `ids` is the row.
    #[inline(always)]
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
            _ if self.plan.termination != Termination::EndMarker || self.unlisted > 0 => None,
            Some(specials) if S::WANTS_IGNORED => Some(&specials.set),
            _ => self.plan.firsts.as_ref(),
        }
    }

    /// Goes through `[from, to)`, which follows what was gone through before. Reads no token before `from`. Says whether
    /// the sink was told of all ignored ids.
    ///
    /// # Safety
    /// The machine has the instructions of `S`.
    #[inline(always)]
    pub unsafe fn chunk<S: Simd, L: Lanes, K: Sink>(
        &mut self,
        ids: &[L],
        from: usize,
        to: usize,
        sink: &mut K,
    ) -> bool {
        let Some(set) = self.looked_for::<K>() else {
            self.listed = None;
            self.unlisted = self.unlisted.saturating_sub(1);
            self.searched(ids, from, to, sink);
            return false;
        };
        let kernels = L::kernels(&self.plan.kernels);
        let words = (to - from).div_ceil(64);
        let done = std::mem::take(&mut self.ready);
        if done < words {
            let from = from + 64 * done;
            classify(kernels, ids, from, to - from, set, &mut self.ahead[done..words]);
        }
        let mut places = [const { MaybeUninit::uninit() }; LIST + 64];
        let places = kernel::list(&self.ahead[..words], &mut places);
        self.listed = places.map(<[u16]>::len);
        let specials = self.plan.specials.as_ref().filter(|_| K::WANTS_IGNORED);
        if !places.is_some_and(|places| self.walk(ids, from, places, specials, sink)) {
            self.unlisted = MISTRUST;
            self.searched(ids, from, to, sink);
            return false;
        }
        specials.is_some()
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
            // Most are ends and starts by turns. An id that is ignored as well has to be told of first.
            if !plan.ignores_markers && candidate >= cursor.at {
                let marker = if cursor.is_outside() {
                    cursor.start(plan, ids, candidate, sink)
                } else {
                    cursor.end(plan, ids, candidate, sink)
                };
                if marker {
                    continue;
                }
            }
            if let Some(specials) = specials {
                let special = specials.of(ids[candidate]);
                if special.ignored {
                    sink.ignored(candidate);
                }
                if !special.first {
                    continue;
                }
            }
            if !cursor.step(plan, ids, candidate, sink) {
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
    #[inline(never)]
    fn searched<L: Label>(&mut self, ids: &[L], from: usize, to: usize, sink: &mut impl Sink) {
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

    /// Ends the turn that is open at the end of the row.
    #[inline(always)]
    pub fn finish(&mut self, length: usize, sink: &mut impl Sink) {
        if !self.cursor.is_outside() {
            sink.close(&self.cursor.open, length, length, None);
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

/// The end marker of a set that stands at a candidate, and where it ends.
#[inline(always)]
pub(crate) fn end_at<L: Label>(set: &EndSet, ids: &[L], at: usize) -> Option<(u32, usize)> {
    match set.only {
        Some(id) => (ids[at] == L::from_i32(id)).then_some((0, at + 1)),
        None => set.automaton.match_at(ids, at).map(|found| (found.pattern, found.end)),
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
    fn header_at<L: Label>(&self, ids: &[L], at: usize) -> Option<(&Opened, usize)> {
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
    fn header<L: Label>(&self, ids: &[L], core: u32, core_end: usize) -> (&Opened, usize) {
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
