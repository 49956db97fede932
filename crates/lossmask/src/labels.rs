//! From decisions to what is written: labels, bits, or a mask over labels that exist already.
//!
//! The decisions come as positions where "trained" changes; a chunk's become a bit per token, and the outputs are made from
//! those. Where a turn can be decided on as it is found, chunks are scanned and written in turn, so that both passes find
//! them in the first-level cache. Else the row is scanned as a whole first.

use std::cell::RefCell;
use std::ops::Range;

use crate::candidates::{CHUNK, WORDS, classify};
use crate::ids::Label;
use crate::options::{EndKind, Termination, TrainOnEos, Turns, Unterminated};
use crate::plan::Plan;
use crate::scan::{self, Cursor, End, Found, Scan, Sink};
use crate::search::{Ahead, IdSet, Kernels, Streaming, Writing};
use crate::semantics::Semantics;

/// Rows this long begin in one pass over scan and labels.
const STREAM_LENGTH: usize = 4096;
/// Tokens from one special id to the next, on average, from which on scanning and writing in one pass is faster.
const STREAM_GAP: usize = 50;

thread_local! {
    static SCRATCH: RefCell<Scratch> = const { RefCell::new(Scratch { turns: Vec::new(), ranges: Vec::new() }) };
}

/// The turns and the trained ranges of the row at work, where it is decided on as a whole.
struct Scratch {
    turns: Vec<Found>,
    ranges: Vec<Range<usize>>,
}

/// What a row is turned into.
trait Output<L> {
    /// Writes `[from, from + count)`, of which the tokens with a set bit are kept.
    /// Says whether it classified what it was asked to.
    fn chunk(&mut self, from: usize, count: usize, keep: &[u64; WORDS], ahead: Ahead<'_, L>) -> bool;
    /// How many tokens a chunk from `from` on may have so that the next one begins well.
    fn chunk_length(&self, from: usize) -> usize;
    /// Whether it takes [`Output::stream`] and [`Output::put`].
    fn can_stream(&self) -> bool;
    /// Writes from `from` on up to the first id of the set, and says how many tokens that is.
    fn stream(&mut self, from: usize, set: &IdSet, keep: bool) -> usize;
    /// Writes one token.
    fn put(&mut self, at: usize, keep: bool);
    /// Keeps the tokens from `at` on, which were written as not kept, and which are these ids.
    fn keep(&mut self, at: usize, ids: &[i32]);
}

/// A row to be read. Its tokens may be written over once they are decided on, so no slice of it outlives a chunk.
#[derive(Clone, Copy)]
struct Row<L> {
    ids: *const L,
    length: usize,
}

impl<L> Row<L> {
    /// # Safety
    /// The row must be valid to read, and nothing may write to it while the slice is in use.
    unsafe fn slice<'a>(self) -> &'a [L] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ids, self.length) }
    }
}

/// Decides on a row and writes it.
///
/// # Safety
/// The row must be valid to read; during the call nothing writes to it but `output`, and only in its calls.
unsafe fn run<L: Label>(plan: &Plan, row: Row<L>, output: &mut impl Output<L>) {
    let first = output.chunk_length(0);
    let chunk = |from: usize, length: usize| (from, (from + length).min(row.length));
    if plan.decides_as_it_scans {
        // SAFETY: the caller's promises.
        unsafe { run_as_it_scans(plan, row, output) };
        return;
    }
    let chunks = std::iter::successors(Some(chunk(0, first)), |&(_, end)| Some(chunk(end, CHUNK)))
        .take_while(|&(from, to)| from < to);
    SCRATCH.with_borrow_mut(|scratch| {
        // SAFETY: the slice is used in this call only; nothing is written before the ranges are known.
        plan.kept_ranges(unsafe { row.slice() }, scratch);
        let mut ranges = scratch.ranges.iter().peekable();
        let mut bits = Bits::default();
        for (from, to) in chunks {
            bits.begin(from, to);
            while let Some(range) = ranges.next_if(|range| range.start < to) {
                bits.flip(range.start);
                bits.flip(range.end);
            }
            let kept = bits.finish();
            // SAFETY: the slice is used in this call only, in which nothing is written.
            drop_ignored(plan, unsafe { row.slice() }, from, to - from, kept);
            output.chunk(from, to - from, kept, Ahead::nothing(&plan.ignored));
        }
    });
}

/// [`run`] where a turn is decided on as it is found.
///
/// # Safety
/// As there.
unsafe fn run_as_it_scans<L: Label>(plan: &Plan, row: Row<L>, output: &mut impl Output<L>) {
    let mut scan = Scan::new(plan);
    let mut keep = Keep { plan, changes: Bits::default(), last_end: None };
    let can_stream = plan.specials.is_some() && output.can_stream();
    let mut quiet = can_stream && row.length >= STREAM_LENGTH;
    let (mut from, mut to) = (0, output.chunk_length(0).min(row.length));
    while from < to {
        if quiet {
            // SAFETY: the caller's promises.
            from = unsafe { stream(plan, row, from, &mut scan.cursor, &mut keep, output) };
            to = (from + output.chunk_length(from)).min(row.length);
        }
        if from == to {
            break;
        }
        keep.changes.begin(from, to);
        // SAFETY: the slice is used in this block only, in which nothing is written.
        let ids = unsafe { row.slice() };
        let told = scan.chunk(ids, from, to, &mut keep);
        let kept = keep.changes.finish();
        if !told {
            drop_ignored(plan, ids, from, to - from, kept);
        }
        quiet = can_stream && scan.listed.is_some_and(|listed| (to - from) > listed * STREAM_GAP);
        let next = to..if quiet { to } else { (to + CHUNK).min(row.length) };
        let ahead = scan.ahead::<L, Keep<Bits>>(row.ids, next.start, next.end);
        if !output.chunk(from, to - from, kept, ahead) {
            scan.forget_ahead();
        }
        (from, to) = (to, (to + CHUNK).min(row.length));
    }
    if let Some((at, set, marker)) = keep.last_end {
        output.keep(at, &plan.end_sets[set as usize].markers[marker as usize]);
    }
}

/// Scans and writes in one pass, from one special id to the next, from `from` on and as long as they are few. Returns where it
/// stopped.
///
/// # Safety
/// As for [`run`].
unsafe fn stream<L: Label>(
    plan: &Plan,
    row: Row<L>,
    from: usize,
    cursor: &mut Cursor,
    keep: &mut Keep<'_, Bits>,
    output: &mut impl Output<L>,
) -> usize {
    let Some(specials) = &plan.specials else { return from };
    let mut here = Keep { plan, changes: Here { places: [0; 4], count: 0 }, last_end: keep.last_end };
    let mut on = keep.changes.on;
    let mut at = from;
    if let Some(change) = keep.changes.pending.take() {
        // SAFETY: what follows the last chunk is not written yet.
        unsafe { write_few(plan, row, &mut at, change, on, output) };
        on = !on;
    }
    let mut seen = 0;
    loop {
        at += output.stream(at, &specials.set, on);
        if at == row.length {
            break;
        }
        seen += 1;
        if seen % 8 == 0 && at - from < seen * STREAM_GAP {
            break;
        }
        // SAFETY: the slice is used before anything is written, and is read from `at` on.
        let ids = unsafe { row.slice() };
        let special = specials.of(ids[at]);
        if special.first {
            cursor.candidate(plan, ids, at, &mut here);
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
    at
}

/// Writes the tokens up to `to`, one by one.
///
/// # Safety
/// They must not be written yet; `to` does not lie behind the row's end.
unsafe fn write_few<L: Label>(
    plan: &Plan,
    row: Row<L>,
    at: &mut usize,
    to: usize,
    keep: bool,
    output: &mut impl Output<L>,
) {
    while *at < to.min(row.length) {
        // SAFETY: the token lies in the row.
        output.put(*at, keep && !plan.ignored.contains(unsafe { *row.ids.add(*at) }));
        *at += 1;
    }
}

/// Where "trained" changes.
trait Changes {
    fn flip(&mut self, at: usize);
    fn ignore(&mut self, at: usize);
}

/// The changes at one marker.
struct Here {
    places: [usize; 4],
    count: usize,
}

impl Changes for Here {
    #[inline(always)]
    fn flip(&mut self, at: usize) {
        self.places[self.count] = at;
        self.count += 1;
    }

    fn ignore(&mut self, _: usize) {}
}

/// Where "trained" changes in a chunk, and then which of its tokens are.
struct Bits {
    bits: [u64; WORDS],
    ignored: [u64; WORDS],
    any_ignored: bool,
    from: usize,
    to: usize,
    /// A change behind the chunk: one at most, as changes come in order and the scan stops at the first behind the chunk.
    pending: Option<usize>,
    /// Whether the token before the chunk is trained.
    on: bool,
}

impl Default for Bits {
    fn default() -> Bits {
        Bits { bits: [0; WORDS], ignored: [0; WORDS], any_ignored: false, from: 0, to: 0, pending: None, on: false }
    }
}

impl Bits {
    fn begin(&mut self, from: usize, to: usize) {
        self.bits.fill(0);
        if std::mem::take(&mut self.any_ignored) {
            self.ignored.fill(0);
        }
        (self.from, self.to) = (from, to);
        if let Some(at) = self.pending.take() {
            self.flip(at);
        }
    }
}

impl Changes for Bits {
    #[inline(always)]
    fn flip(&mut self, at: usize) {
        if at < self.to {
            let at = at - self.from;
            self.bits[at / 64] ^= 1 << (at % 64);
        } else {
            debug_assert!(self.pending.is_none());
            self.pending = Some(at);
        }
    }

    #[inline(always)]
    fn ignore(&mut self, at: usize) {
        let at = at - self.from;
        self.ignored[at / 64] |= 1 << (at % 64);
        self.any_ignored = true;
    }
}

impl Bits {
    /// The chunk's trained tokens.
    fn finish(&mut self) -> &mut [u64; WORDS] {
        for word in &mut self.bits[..(self.to - self.from).div_ceil(64)] {
            let mut bits = *word;
            if bits != 0 {
                // Each bit becomes the parity of those up to it.
                for shift in [1, 2, 4, 8, 16, 32] {
                    bits ^= bits << shift;
                }
            }
            *word = if self.on { !bits } else { bits };
            self.on = *word >> 63 == 1;
        }
        if self.any_ignored {
            for (word, ignored) in self.bits.iter_mut().zip(self.ignored) {
                *word &= !ignored;
            }
        }
        let rest = (self.to - self.from) % 64;
        if rest != 0 {
            self.bits[(self.to - self.from) / 64] &= !(!0 << rest);
        }
        &mut self.bits
    }
}

/// Decides on turns as they are found.
struct Keep<'p, C> {
    plan: &'p Plan,
    changes: C,
    /// With `train_on_eos: last` the end marker that is the last so far: where, its end set, and which of it.
    last_end: Option<(usize, u32, u32)>,
}

impl<C: Changes> Sink for Keep<'_, C> {
    const WANTS_IGNORED: bool = true;

    #[inline(always)]
    fn ignored(&mut self, at: usize) {
        self.changes.ignore(at);
    }

    #[inline(always)]
    fn open(&mut self, boundary: u32, start: usize, content_start: usize) {
        let boundary = &self.plan.boundaries[boundary as usize];
        if boundary.trained {
            self.changes.flip(if boundary.include_start { start } else { content_start });
        }
    }

    #[inline(always)]
    fn close(&mut self, boundary: u32, content_end: usize, marker_end: usize, end: Option<End>) {
        let boundary = &self.plan.boundaries[boundary as usize];
        let trained = boundary.trained;
        let own = end.filter(|end| end.kind == EndKind::Consumed);
        let keep_end = match self.plan.train_on_eos {
            TrainOnEos::Turn => own.is_some() && trained,
            TrainOnEos::All => own.is_some(),
            TrainOnEos::None => false,
            TrainOnEos::Last => {
                if let (Some(end), Some(set), true) = (own, boundary.ends, trained) {
                    self.last_end = Some((content_end, set, end.marker));
                }
                false
            }
        };
        if trained != keep_end {
            self.changes.flip(content_end);
        }
        if keep_end {
            self.changes.flip(marker_end);
        }
    }
}

impl Plan {
    /// Whether what is trained of a turn shows as it is scanned: no token of it belongs to another turn too, and nothing
    /// depends on what follows but which end is the last.
    pub fn decidable_as_it_scans(&self) -> bool {
        let shared = |kind: &EndKind| match kind {
            EndKind::Consumed => false,
            EndKind::Anchor => self.train_on_eos != TrainOnEos::None,
            EndKind::Before => self.train_on_shared_end,
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
        scan::for_each_turn(self, ids, |turn| turns.push(turn));
        let last = self.last_turns(turns);
        for (index, turn) in turns.iter().enumerate() {
            self.pieces(ids, turn, index, &last, |piece| {
                if !piece.trained || piece.tokens.is_empty() {
                    return;
                }
                // A turn may begin in the end marker of the one before, so neighbours may overlap.
                match ranges.last_mut() {
                    Some(range) if piece.tokens.start <= range.end => range.end = range.end.max(piece.tokens.end),
                    _ => ranges.push(piece.tokens),
                }
            });
        }
    }
}

/// Writes the labels of a row.
pub(crate) fn write<L: Label>(plan: &Plan, ids: &[L], labels: &mut [L]) {
    assert_eq!(ids.len(), labels.len());
    // SAFETY: the slices are valid and, one being borrowed mutably, do not overlap.
    unsafe { write_labels(plan, Row { ids: ids.as_ptr(), length: ids.len() }, labels.as_mut_ptr()) }
}

/// Writes the labels of a row in its place.
pub(crate) fn write_in_place<L: Label>(plan: &Plan, row: &mut [L]) {
    let labels = row.as_mut_ptr();
    // SAFETY: both pointers are the one mutable borrow.
    unsafe { write_labels(plan, Row { ids: labels, length: row.len() }, labels) }
}

/// # Safety
/// The row must be valid to read and `labels` to write for its length; they are the same or do not overlap, and nothing
/// else touches them during the call.
unsafe fn write_labels<L: Label>(plan: &Plan, row: Row<L>, labels: *mut L) {
    let through = 2 * row.length * size_of::<L>() > plan.through_bytes;
    let mut output = Labels { plan, row, labels, kernels: L::kernels(&plan.kernels), through };
    // SAFETY: the caller's promises, and only `output` writes.
    unsafe { run(plan, row, &mut output) }
}

struct Labels<'p, L: 'static> {
    plan: &'p Plan,
    row: Row<L>,
    labels: *mut L,
    kernels: &'static Kernels<L>,
    through: bool,
}

impl<L: Label> Output<L> for Labels<'_, L> {
    fn chunk(&mut self, from: usize, count: usize, keep: &[u64; WORDS], ahead: Ahead<'_, L>) -> bool {
        let ignore = L::from_i32(self.plan.ignore_index);
        let (words, rest) = (count / 64, count % 64);
        // SAFETY: the chunk lies in the row, and both arrays are valid for it by the promise made to `write_labels`; what is
        // ahead lies behind the chunk; all chunks behind the first begin at an aligned label when `through` is set, and the
        // first is short of one word then.
        unsafe {
            let (ids, labels) = (self.row.ids.add(from), self.labels.add(from));
            let write = if self.through { self.kernels.write_through } else { self.kernels.write };
            write(&Writing { ids, labels, words, keep: keep.as_ptr(), ignore, ahead });
            if rest == 0 {
                return true;
            }
            let ahead = Ahead::nothing(&self.plan.ignored);
            if count > 64 {
                // The last 64 tokens of the chunk, of which the first are written a second time: labels give themselves.
                let at = count - 64;
                let keep = &(keep[words - 1] >> rest | keep[words] << (64 - rest));
                let (ids, labels) = (ids.add(at), labels.add(at));
                (self.kernels.write)(&Writing { ids, labels, words: 1, keep, ignore, ahead });
            } else {
                let mut padded = [ignore; 64];
                let row = padded.as_mut_ptr();
                std::ptr::copy_nonoverlapping(ids.add(64 * words), row, rest);
                let keep = &keep[words];
                (self.kernels.write)(&Writing { ids: row, labels: row, words: 1, keep, ignore, ahead });
                std::ptr::copy_nonoverlapping(row, labels.add(64 * words), rest);
            }
            true
        }
    }

    fn chunk_length(&self, from: usize) -> usize {
        if !self.through {
            return CHUNK;
        }
        match self.labels.wrapping_add(from).align_offset(64) {
            0 => CHUNK,
            unaligned => unaligned,
        }
    }

    /// Not past the caches: the stores before and behind a special id would share lines with those that go past.
    fn can_stream(&self) -> bool {
        !self.through
    }

    fn stream(&mut self, from: usize, set: &IdSet, keep: bool) -> usize {
        let ignore = L::from_i32(self.plan.ignore_index);
        // SAFETY: what lies behind `from` is in the row and not written yet; both arrays are valid for it by the promise made to
        // `write_labels`, and the set fits one test as all sets of specials.
        unsafe {
            let (ids, labels, length) = (self.row.ids.add(from), self.labels.add(from), self.row.length - from);
            (self.kernels.stream)(&Streaming { ids, labels, length, set, keep, ignore })
        }
    }

    fn put(&mut self, at: usize, keep: bool) {
        debug_assert!(at < self.row.length);
        // SAFETY: the token lies in the row.
        unsafe {
            let label = if keep { *self.row.ids.add(at) } else { L::from_i32(self.plan.ignore_index) };
            self.labels.add(at).write(label);
        }
    }

    fn keep(&mut self, at: usize, ids: &[i32]) {
        for (at, &id) in (at..).zip(ids).filter(|(_, id)| !self.plan.ignored.contains(**id)) {
            // SAFETY: the marker lies in the row.
            unsafe { self.labels.add(at).write(L::from_i32(id)) };
        }
    }
}

/// Writes the trained tokens of a row as bits, the lowest bit of a byte first.
pub(crate) fn write_bits<L: Label>(plan: &Plan, ids: &[L], bits: &mut [u8]) {
    assert_eq!(ids.len().div_ceil(8), bits.len());
    // SAFETY: the row is borrowed during the call, and `bits` is not part of it.
    unsafe { run(plan, Row { ids: ids.as_ptr(), length: ids.len() }, &mut Mask { plan, bits }) }
}

struct Mask<'a> {
    plan: &'a Plan,
    bits: &'a mut [u8],
}

impl<L: Label> Output<L> for Mask<'_> {
    fn chunk(&mut self, from: usize, count: usize, keep: &[u64; WORDS], _: Ahead<'_, L>) -> bool {
        let bytes = keep.iter().flat_map(|word| word.to_le_bytes());
        for (byte, kept) in self.bits[from / 8..(from + count).div_ceil(8)].iter_mut().zip(bytes) {
            *byte = kept;
        }
        false
    }

    fn chunk_length(&self, _: usize) -> usize {
        CHUNK
    }

    fn can_stream(&self) -> bool {
        false
    }

    fn stream(&mut self, _: usize, _: &IdSet, _: bool) -> usize {
        unreachable!("bits are written by the chunk")
    }

    fn put(&mut self, _: usize, _: bool) {
        unreachable!("bits are written by the chunk")
    }

    fn keep(&mut self, at: usize, ids: &[i32]) {
        for (at, _) in (at..).zip(ids).filter(|(_, id)| !self.plan.ignored.contains(**id)) {
            self.bits[at / 8] |= 1 << (at % 8);
        }
    }
}

/// Fills the labels of untrained tokens and leaves the others as they are.
pub(crate) fn mask<L: Label>(plan: &Plan, ids: &[L], labels: &mut [L]) {
    assert_eq!(ids.len(), labels.len());
    let mut bits = vec![0; ids.len().div_ceil(8)];
    write_bits(plan, ids, &mut bits);
    let ignore = L::from_i32(plan.ignore_index);
    for (at, label) in labels.iter_mut().enumerate() {
        if bits[at / 8] >> (at % 8) & 1 == 0 {
            *label = ignore;
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Boundary, MaskerOptions};

    /// Long and short spans by turns, so that both ways through a row and the change between them are met.
    fn row(length: usize) -> Vec<i32> {
        let mut ids = vec![];
        for turn in 0.. {
            if ids.len() >= length {
                break;
            }
            let spans = if turn % 60 < 40 { 5 + turn % 7 } else { 300 + turn % 37 };
            ids.extend([1, [2, 3][turn % 2], 4]);
            ids.extend((0..spans).map(|at| if at % 50 == 7 { 30 } else { 100 + at as i32 }));
            ids.push(9);
        }
        ids.truncate(length);
        ids
    }

    #[test]
    fn stores_past_the_caches_give_the_same_labels() {
        let boundary = |role: &str, id| Boundary {
            role: role.into(),
            starts: vec![vec![1, id]],
            tails: vec![vec![4]],
            ends: vec![crate::End { ids: vec![9], kind: EndKind::Consumed }],
            include_start: false,
        };
        for train_on_eos in [TrainOnEos::Turn, TrainOnEos::Last] {
            let options = MaskerOptions {
                boundaries: vec![boundary("user", 3), boundary("assistant", 2)],
                ignore_token_ids: vec![30],
                train_on_eos,
                ..MaskerOptions::default()
            };
            let mut plan = Plan::new(&options).unwrap();
            plan.decides_as_it_scans = plan.decidable_as_it_scans();
            for length in [0, 1, 63, 64, 100, 2048, 2100, 4096, 5000, 20_011] {
                let ids = row(length);
                let wide: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
                plan.through_bytes = usize::MAX;
                let (mut expected, mut expected_wide) = (vec![0; length], vec![0; length]);
                write(&plan, &ids, &mut expected);
                write(&plan, &wide, &mut expected_wide);
                plan.through_bytes = 0;
                for offset in 0..17 {
                    let (mut labels, mut labels_wide) = (vec![0; length + offset], vec![0; length + offset]);
                    write(&plan, &ids, &mut labels[offset..]);
                    write(&plan, &wide, &mut labels_wide[offset..]);
                    assert!(
                        labels[offset..] == expected && labels_wide[offset..] == expected_wide,
                        "{length} at {offset}"
                    );
                    labels[offset..].copy_from_slice(&ids);
                    write_in_place(&plan, &mut labels[offset..]);
                    assert!(labels[offset..] == expected, "{length} at {offset}, in place");
                }
            }
        }
    }
}
