//! The way through a row: by chunks, or in one pass over scan and labels where special ids are far apart.

use std::cell::RefCell;
use std::ops::Range;

use crate::candidates::{CHUNK, WORDS, classify};
use crate::ids::Label;
use crate::labels::Row;
use crate::labels::changes::{Bits, Changes, Here, Keep};
use crate::labels::output::{Output, SLACK};
use crate::options::{EndKind, Termination, Turns, Unterminated};
use crate::plan::{Plan, Specials};
use crate::scan::{self, Cursor, Found, Scan};
use crate::search::{Ahead, IdSet, Lanes, Simd};
use crate::semantics::Semantics;
use crate::trained::{EndTraining, TurnEnd};

/// Rows this long begin in one pass over scan and labels.
const STREAM_LENGTH: usize = 4096;
/// Tokens from one special id to the next, on average, from which on scanning and writing in one pass is faster.
const STREAM_GAP: usize = 50;
/// Tokens between turns that are looked at before a vector search begins.
const PEEK: usize = 1;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The turns and the trained ranges of the row at work, where it is decided on as a whole.
#[derive(Default)]
struct Scratch {
    turns: Vec<Found>,
    ranges: Vec<Range<usize>>,
}

/// Decides on a row and writes it.
///
/// # Safety
/// The row must be valid to read; during the call nothing writes to it but `output`, and only in its calls. The machine has the
/// instructions of `S`.
#[inline(always)]
pub(super) unsafe fn run<S: Simd, L: Lanes, O: Output<S, L>>(plan: &Plan, row: Row<L>, output: &mut O) {
    // SAFETY: the caller's promises.
    unsafe {
        if plan.decides_as_it_scans {
            as_it_scans(plan, row, output);
        } else {
            as_a_whole(plan, row, output);
        }
    }
}

/// [`run`] where the whole row is scanned first.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn as_a_whole<S: Simd, L: Lanes, O: Output<S, L>>(plan: &Plan, row: Row<L>, output: &mut O) {
    let mut scratch = SCRATCH.take();
    // SAFETY: the slice is used in this call only; nothing is written before the ranges are known.
    plan.kept_ranges(unsafe { row.slice() }, &mut scratch);
    let mut ranges = scratch.ranges.iter().peekable();
    let mut bits = Bits::default();
    let mut from = 0;
    while from < row.length {
        let to = row.length.min(from + CHUNK);
        bits.begin(from, to);
        while let Some(range) = ranges.peek()
            && range.start < to
        {
            bits.flip(range.start);
            bits.flip(range.end);
            ranges.next();
        }
        // SAFETY: the machine has the instructions of `S`.
        let kept = unsafe { bits.finish::<S>() };
        // SAFETY: the slice is used in the first call only, in which nothing is written; the rest are the caller's promises.
        unsafe {
            drop_ignored(plan, row.slice(), from, to - from, kept);
            output.chunk(from, to - from, kept, Ahead::nothing(&plan.ignored));
            output.done(to);
        }
        from = to;
    }
    SCRATCH.set(scratch);
}

/// [`run`] where a turn is decided on as it is found.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn as_it_scans<S: Simd, L: Lanes, O: Output<S, L>>(plan: &Plan, row: Row<L>, output: &mut O) {
    let mut scan = Scan::new(plan);
    let mut keep = Keep { plan, changes: Bits::default(), last_end: None };
    let streamed = plan.specials.as_ref().filter(|_| O::STREAMS && plan.longest_marker <= SLACK);
    let mut quiet = row.length >= STREAM_LENGTH;
    let mut from = 0;
    while from < row.length {
        if let Some(specials) = streamed
            && quiet
        {
            let limit = output.limit(from);
            // SAFETY: the caller's promises.
            unsafe {
                (from, quiet) = stream(plan, specials, row, from..limit, &mut scan.cursor, &mut keep, output);
                output.done(from);
            }
            continue;
        }
        let to = row.length.min(from + CHUNK);
        keep.changes.begin(from, to);
        // SAFETY: the slice is used before anything of the chunk is written, and is read from there on.
        let ids = unsafe { row.slice() };
        // SAFETY: the machine has the instructions of `S`.
        let (told, kept) = unsafe { (scan.chunk::<S, L, _>(ids, from, to, &mut keep), keep.changes.finish::<S>()) };
        if !told {
            drop_ignored(plan, ids, from, to - from, kept);
        }
        quiet = streamed.is_some() && scan.listed.is_some_and(|listed| (to - from) > listed * STREAM_GAP);
        let next = to..if quiet { to } else { row.length.min(to + CHUNK) };
        let ahead = scan.ahead::<L, Keep<Bits>>(row.ids, next.start, next.end);
        // SAFETY: the caller's promises.
        unsafe {
            if !output.chunk(from, to - from, kept, ahead) {
                scan.forget_ahead();
            }
            output.done(to);
        }
        from = to;
    }
    if let Some((at, set, marker)) = keep.last_end {
        output.keep(at, &plan.end_sets[set as usize].markers[marker as usize]);
    }
}

/// Scans and writes in one pass, from one special id to the next, as long as they are few. Returns where it stopped, which may be
/// a marker behind `tokens`, and whether they still are.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn stream<S: Simd, L: Lanes, O: Output<S, L>>(
    plan: &Plan,
    specials: &Specials,
    row: Row<L>,
    tokens: Range<usize>,
    cursor: &mut Cursor,
    keep: &mut Keep<'_, Bits>,
    output: &mut O,
) -> (usize, bool) {
    let mut here = Keep { plan, changes: Here { places: [0; 4], count: 0 }, last_end: keep.last_end };
    let mut on = keep.changes.on;
    let mut at = tokens.start;
    if let Some(change) = keep.changes.pending.take() {
        // SAFETY: what follows the last chunk is not written yet.
        unsafe { write_few(plan, row, &mut at, change, on, output) };
        on = !on;
    }
    let mut seen = 0;
    let mut quiet = true;
    while at < tokens.end {
        let set = cursor.looks_for(specials);
        // SAFETY: nothing is written from `at` on; the set fits one test.
        unsafe {
            if cursor.is_outside() {
                // The next turn begins at once, or behind a token or two.
                peek(row, &mut at, tokens.end, set, on, output);
            }
            if at < tokens.end && !set.is_in_slot(*row.ids.add(at)) {
                at += output.stream(at, tokens.end, set, on);
            }
        }
        if at >= tokens.end {
            break;
        }
        seen += 1;
        if seen % 8 == 0 && at - tokens.start < seen * STREAM_GAP {
            quiet = false;
            break;
        }
        // SAFETY: the slice is used before anything is written, and is read from `at` on.
        let ids = unsafe { row.slice() };
        let special = specials.of_any(ids[at]);
        if special.first {
            cursor.step(plan, ids, at, &mut here);
        }
        let place = at;
        for index in 0..std::mem::take(&mut here.changes.count) {
            // SAFETY: the changes come in order, so what lies before one is not written yet.
            unsafe { write_few(plan, row, &mut at, here.changes.places[index], on, output) };
            on = !on;
        }
        if at == place {
            output.put(at, on && !special.ignored);
            at += 1;
        }
    }
    keep.last_end = here.last_end;
    keep.changes.on = on;
    (at, quiet)
}

/// Writes up to [`PEEK`] tokens before the first of the set, none behind `to`.
///
/// # Safety
/// They must not be written yet; `to` does not lie behind the row's end.
#[inline(always)]
unsafe fn peek<S: Simd, L: Lanes, O: Output<S, L>>(
    row: Row<L>,
    at: &mut usize,
    to: usize,
    set: &IdSet,
    on: bool,
    output: &mut O,
) {
    for _ in 0..PEEK {
        // SAFETY: the token lies in the row.
        if *at >= to || set.is_in_slot(unsafe { *row.ids.add(*at) }) {
            return;
        }
        output.put(*at, on);
        *at += 1;
    }
}

/// Writes the tokens up to `to`, one by one.
///
/// # Safety
/// They must not be written yet; `to` does not lie behind the row's end.
#[inline(always)]
unsafe fn write_few<S: Simd, L: Lanes, O: Output<S, L>>(
    plan: &Plan,
    row: Row<L>,
    at: &mut usize,
    to: usize,
    keep: bool,
    output: &mut O,
) {
    while *at < to.min(row.length) {
        // SAFETY: the token lies in the row.
        output.put(*at, keep && !plan.ignored.contains(unsafe { *row.ids.add(*at) }));
        *at += 1;
    }
}

impl Plan {
    /// Whether what is trained of a turn shows as it is scanned: no token of it belongs to another turn too, and nothing
    /// depends on what follows but which end is the last.
    pub fn decidable_as_it_scans(&self) -> bool {
        // A marker that opens the next turn as well, and may be trained as an end.
        let shared = |kind: &EndKind| {
            let training = |turn_trained| self.end_rule.training(TurnEnd { kind: *kind, turn_trained });
            *kind != EndKind::Consumed && [true, false].map(training) != [EndTraining::Never; 2]
        };
        self.semantics == Semantics::Boundaries
            && !self.train_on_inputs
            && self.exclude.is_none()
            && self.termination == Termination::EndMarker
            && self.unterminated == Unterminated::RunToEnd
            && self.turns == Turns::All
            && !self.end_sets.iter().flat_map(|set| &set.kinds).any(shared)
    }

    /// Finds the ranges that are trained, ignored ids aside: disjoint, in order, none empty.
    fn kept_ranges<L: Label>(&self, ids: &[L], scratch: &mut Scratch) {
        let Scratch { turns, ranges } = scratch;
        ranges.clear();
        turns.clear();
        if self.train_on_inputs {
            ranges.push(0..ids.len());
            return;
        }
        scan::find_turns(self, ids, turns);
        let rules = self.row_rules(turns);
        for (index, turn) in turns.iter().enumerate() {
            self.pieces(ids, turn, index, &rules, |piece| {
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
}

/// Clears the bits of ignored ids.
fn drop_ignored<L: Label>(plan: &Plan, ids: &[L], from: usize, count: usize, keep: &mut [u64; WORDS]) {
    if plan.ignored.is_empty() || keep.iter().all(|&word| word == 0) {
        return;
    }
    let mut ignored = [0; WORDS];
    classify(L::kernels(&plan.kernels), ids, from, count, &plan.ignored, &mut ignored);
    for (keep, ignored) in keep.iter_mut().zip(ignored) {
        *keep &= !ignored;
    }
}
