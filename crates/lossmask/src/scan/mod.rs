//! From ids to turns: the state machine that looks for a start outside a turn and for its end inside.
//!
//! It goes through a row chunk by chunk and in a chunk from candidate to candidate (`cursor`); the automata judge each of them. Chunks
//! that are full of candidates are searched instead (`search`).

mod cursor;
mod search;

use std::mem::MaybeUninit;

pub(crate) use cursor::Cursor;

use crate::compile::candidates::{CHUNK, WORDS};
use crate::compile::{Opened, Plan, Specials};
use crate::options::{EndKind, Termination};
use crate::vector::kernel::{self, Ahead, LIST};
use crate::vector::{Available, IdSet, Lanes, Simd, classify};

/// Candidates in a chunk that may turn out to be nothing before the automaton reads on token by token, which costs the
/// same whatever the tokens are.
const MISSES_BEFORE_READING: u32 = CHUNK as u32 / 16;

/// Chunks that are not listed after one in which that was given up.
const UNLISTED_CHUNKS: u32 = 15;

/// A turn as it was found in the row, before it is decided what of it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index into [`Plan::boundaries`].
    pub boundary: u32,
    pub start: usize,
    pub content_start: usize,
    pub content_end: usize,
    /// The first token after the end marker, whoever it belongs to; `content_end` where there is none.
    pub marker_end: usize,
    /// The kind of the end marker, `None` where there is none.
    pub end: Option<EndKind>,
}

impl Found {
    /// The first token after the turn's last one: the end marker is the turn's own unless its kind is `before`.
    pub fn end(&self) -> usize {
        if self.end == Some(EndKind::Before) { self.content_end } else { self.marker_end }
    }
}

/// What is told of the turns while they are found.
pub(crate) trait Sink {
    /// Whether it needs to know of ignored ids; then it may be told, see [`Scan::chunk`].
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
        match &self.plan.special.all {
            _ if self.plan.termination != Termination::EndMarker || self.unlisted > 0 => None,
            Some(specials) if S::WANTS_IGNORED => Some(&specials.set),
            _ => self.plan.special.firsts.as_ref(),
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
        // SAFETY: the caller's promise.
        let engine = unsafe { Available::of::<S>() };
        let Some(set) = self.looked_for::<K>() else {
            self.listed = None;
            self.unlisted = self.unlisted.saturating_sub(1);
            self.searched(engine, ids, from, to, sink);
            return false;
        };
        let words = (to - from).div_ceil(64);
        let done = std::mem::take(&mut self.ready);
        if done < words {
            let from = from + 64 * done;
            classify(engine, ids, from, to - from, set, &mut self.ahead[done..words]);
        }
        let mut places = [const { MaybeUninit::uninit() }; LIST + 64];
        let places = kernel::list(&self.ahead[..words], &mut places);
        self.listed = places.map(<[u16]>::len);
        let specials = self.plan.special.all.as_ref().filter(|_| K::WANTS_IGNORED);
        if !places.is_some_and(|places| self.walk(ids, from, places, specials, sink)) {
            self.unlisted = UNLISTED_CHUNKS;
            self.searched(engine, ids, from, to, sink);
            return false;
        }
        specials.is_some()
    }

    /// Goes through the list of the chunk's candidates, among which are the ignored ids if `specials` are given; `false`: not to
    /// its end, because too many of them were nothing.
    #[inline(always)]
    fn walk<L: Lanes, S: Sink>(
        &mut self,
        ids: &[L],
        from: usize,
        places: &[u16],
        specials: Option<&Specials>,
        sink: &mut S,
    ) -> bool {
        let plan = self.plan;
        let mut cursor = self.cursor;
        let mut misses_left = MISSES_BEFORE_READING;
        for &place in places {
            let candidate = from + usize::from(place);
            // Most are ends and starts by turns. An id that is ignored as well has to be told of first.
            if !plan.special.ignores_markers && candidate >= cursor.at {
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
                misses_left -= 1;
                if misses_left == 0 {
                    self.cursor = cursor;
                    return false;
                }
            }
        }
        self.cursor = cursor;
        true
    }

    /// Ends the turn that is open at the end of the row.
    #[inline(always)]
    pub fn finish(&mut self, length: usize, sink: &mut impl Sink) {
        if !self.cursor.is_outside() {
            sink.close(&self.cursor.open, length, length, None);
        }
    }
}
