//! What a row is turned into: labels, or bits.

use crate::compile::Plan;
use crate::compile::candidates::{CHUNK, WORDS};
use crate::label::Row;
use crate::vector::kernel::{self, Ahead, Streaming, Writing};
use crate::vector::{IdSet, Lanes, Simd};

/// The longest marker, in tokens, with which rows are streamed.
pub(super) const SLACK: usize = 64;

/// What a row is turned into, from left to right.
pub(super) trait Output<S: Simd, L: Lanes> {
    /// Whether it takes [`Output::stream`] and [`Output::put`].
    const STREAMS: bool;

    /// How far may be written from `from` on, after the last [`Output::done`], before it is done again. One marker more is fine.
    fn limit(&self, from: usize) -> usize;
    /// Writes `[from, from + count)`, of which the tokens with a set bit are kept.
    /// Says whether it classified what it was asked to.
    ///
    /// # Safety
    /// The machine has the instructions of `S`; so everywhere here.
    unsafe fn chunk(&mut self, from: usize, count: usize, keep: &[u64; WORDS], ahead: Ahead<'_, L>) -> bool;
    /// Writes from `from` on up to the first id of the set or to `to`, and says how many tokens that is.
    ///
    /// # Safety
    /// See above; the set [fits one test](IdSet::fits_one_test).
    unsafe fn stream(&mut self, from: usize, to: usize, set: &IdSet, keep: bool) -> usize;
    /// Writes one token.
    ///
    /// # Safety
    /// The token lies in the row, and before the [limit](Output::limit) or after it by less than [`SLACK`]. It is not written yet.
    unsafe fn put(&mut self, at: usize, keep: bool);
    /// All before `at` is written for good.
    ///
    /// # Safety
    /// See above.
    unsafe fn done(&mut self, at: usize);
    /// Keeps the tokens from `at` on, which were written as not kept, and which are these ids.
    ///
    /// # Safety
    /// The tokens lie in the row, which is done.
    unsafe fn keep(&mut self, at: usize, ids: &[i32]);
}

/// Labels where they belong or, for arrays that no cache will hold, first on a page that the first-level cache holds, and from
/// there past the caches in whole lines.
pub(super) struct Labels<'p, L> {
    plan: &'p Plan,
    row: Row<L>,
    labels: *mut L,
    /// The label of token `at` is written to `sheet + at`.
    sheet: *mut L,
    /// Tokens whose labels have left the page.
    done: usize,
    page: Option<&'p mut Page<L>>,
}

/// A chunk, what is left of the cache line before it, and a marker.
#[repr(C, align(64))]
pub(super) struct Page<L>([L; CHUNK + LINE + SLACK]);

const LINE: usize = 64;

impl<L: Lanes> Page<L> {
    pub fn new() -> Page<L> {
        Page([L::from_i32(0); CHUNK + LINE + SLACK])
    }
}

impl<'p, L: Lanes> Labels<'p, L> {
    /// Labels of a row, by way of a page if there is one.
    #[inline(always)]
    pub fn new(plan: &'p Plan, row: Row<L>, labels: *mut L, page: Option<&'p mut Page<L>>) -> Labels<'p, L> {
        let mut output = Labels { plan, row, labels, sheet: labels, done: 0, page };
        output.turn_page();
        output
    }

    /// Lays the page so that its lines are those of the labels from `done` on.
    fn turn_page(&mut self) {
        if let Some(page) = &mut self.page {
            let in_line = self.labels.wrapping_add(self.done).addr() % LINE / size_of::<L>();
            self.sheet = page.0.as_mut_ptr().wrapping_add(in_line).wrapping_sub(self.done);
        }
    }

    /// Moves labels off the page.
    ///
    /// # Safety
    /// Those up to `to` are on it.
    unsafe fn move_labels(&mut self, to: usize) {
        // SAFETY: they lie in the row and on the page, which do not overlap.
        unsafe {
            let (from, labels) = (self.sheet.wrapping_add(self.done), self.labels.wrapping_add(self.done));
            std::ptr::copy_nonoverlapping(from, labels, to - self.done);
        }
        self.done = to;
    }
}

impl<S: Simd, L: Lanes> Output<S, L> for Labels<'_, L> {
    const STREAMS: bool = true;

    #[inline(always)]
    fn limit(&self, from: usize) -> usize {
        if self.page.is_some() { self.row.length.min(from + CHUNK) } else { self.row.length }
    }

    #[inline(always)]
    unsafe fn chunk(&mut self, from: usize, count: usize, keep: &[u64; WORDS], ahead: Ahead<'_, L>) -> bool {
        let ignore = L::from_i32(self.plan.ignore_index);
        let (words, rest) = (count / 64, count % 64);
        // SAFETY: the chunk lies in the row, and both arrays are valid for it by the promise made to `labels` or because the page
        // holds a chunk; what is ahead lies after the chunk.
        unsafe {
            let (ids, labels) = (self.row.ids.add(from), self.sheet.wrapping_add(from));
            kernel::write::<S, L>(&Writing { ids, labels, words, keep: keep.as_ptr(), ignore, ahead });
            if rest == 0 {
                return true;
            }
            let ahead = Ahead::nothing(&self.plan.ignored);
            if count > 64 {
                // The last 64 tokens of the chunk, of which the first are written a second time: labels give themselves.
                let at = count - 64;
                let keep = &(keep[words - 1] >> rest | keep[words] << (64 - rest));
                let (ids, labels) = (ids.add(at), labels.wrapping_add(at));
                kernel::write::<S, L>(&Writing { ids, labels, words: 1, keep, ignore, ahead });
            } else {
                let mut padded = [ignore; 64];
                let row = padded.as_mut_ptr();
                std::ptr::copy_nonoverlapping(ids.add(64 * words), row, rest);
                let keep = &keep[words];
                kernel::write::<S, L>(&Writing { ids: row, labels: row, words: 1, keep, ignore, ahead });
                std::ptr::copy_nonoverlapping(row, labels.wrapping_add(64 * words), rest);
            }
            true
        }
    }

    #[inline(always)]
    unsafe fn stream(&mut self, from: usize, to: usize, set: &IdSet, keep: bool) -> usize {
        let ignore = L::from_i32(self.plan.ignore_index);
        // SAFETY: what lies after `from` is in the row and not written yet; both arrays are valid for it by the promise made to
        // `labels` or because the page holds what lies before the limit.
        unsafe {
            let (ids, labels) = (self.row.ids.add(from), self.sheet.wrapping_add(from));
            kernel::stream::<S, L>(&Streaming { ids, labels, length: to - from, set, keep, ignore })
        }
    }

    #[inline(always)]
    unsafe fn put(&mut self, at: usize, keep: bool) {
        debug_assert!(at < self.row.length);
        // SAFETY: the caller's promise: the token lies in the row, and on the page if there is one, which has room for `SLACK` more.
        unsafe {
            let label = if keep { *self.row.ids.add(at) } else { L::from_i32(self.plan.ignore_index) };
            self.sheet.wrapping_add(at).write(label);
        }
    }

    #[inline(always)]
    unsafe fn done(&mut self, at: usize) {
        if self.page.is_none() {
            return;
        }
        let line = LINE / size_of::<L>();
        // SAFETY: all before `at` is on the page, and lines are moved from their beginning.
        unsafe {
            let unaligned = (line - self.labels.wrapping_add(self.done).addr() % LINE / size_of::<L>()) % line;
            self.move_labels(at.min(self.done + unaligned));
            let lines = (at - self.done) / line;
            let (from, to) = (self.sheet.wrapping_add(self.done), self.labels.wrapping_add(self.done));
            kernel::copy_through::<S>(to.cast(), from.cast(), lines * LINE);
            self.done += lines * line;
            let (rest, left) = (self.sheet.wrapping_add(self.done), at - self.done);
            if at == self.row.length {
                self.move_labels(at);
                S::fence();
            } else {
                self.turn_page();
                std::ptr::copy(rest, self.sheet.wrapping_add(self.done), left);
            }
        }
    }

    unsafe fn keep(&mut self, at: usize, ids: &[i32]) {
        for (at, &id) in (at..).zip(ids).filter(|(_, id)| !self.plan.ignored.contains(**id)) {
            // SAFETY: the caller's promise: the marker lies in the row.
            unsafe { self.labels.add(at).write(L::from_i32(id)) };
        }
    }
}

/// Bits, the lowest of a byte first.
pub(super) struct Mask<'a> {
    plan: &'a Plan,
    length: usize,
    bits: &'a mut [u8],
}

impl<'a> Mask<'a> {
    /// Bits of a row of some length.
    #[inline(always)]
    pub fn new(plan: &'a Plan, length: usize, bits: &'a mut [u8]) -> Mask<'a> {
        Mask { plan, length, bits }
    }
}

impl<S: Simd, L: Lanes> Output<S, L> for Mask<'_> {
    const STREAMS: bool = false;

    #[inline(always)]
    fn limit(&self, _: usize) -> usize {
        self.length
    }

    #[inline(always)]
    unsafe fn chunk(&mut self, from: usize, count: usize, keep: &[u64; WORDS], ahead: Ahead<'_, L>) -> bool {
        let bytes = keep.iter().flat_map(|word| word.to_le_bytes());
        for (byte, kept) in self.bits[from / 8..(from + count).div_ceil(8)].iter_mut().zip(bytes) {
            *byte = kept;
        }
        // SAFETY: the caller's promise.
        unsafe { kernel::look_ahead::<S, L>(&ahead) };
        true
    }

    unsafe fn stream(&mut self, _: usize, _: usize, _: &IdSet, _: bool) -> usize {
        unreachable!("bits are written by the chunk")
    }

    unsafe fn put(&mut self, _: usize, _: bool) {
        unreachable!("bits are written by the chunk")
    }

    #[inline(always)]
    unsafe fn done(&mut self, _: usize) {}

    unsafe fn keep(&mut self, at: usize, ids: &[i32]) {
        for (at, _) in (at..).zip(ids).filter(|(_, id)| !self.plan.ignored.contains(**id)) {
            self.bits[at / 8] |= 1 << (at % 8);
        }
    }
}
