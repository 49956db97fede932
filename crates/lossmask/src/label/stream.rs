//! One pass over scan and labels, from one special id to the next, as long as they are few.

use std::ops::Range;

use crate::compile::{Plan, Specials};
use crate::label::Row;
use crate::label::changes::{Bits, Here, Keep};
use crate::label::output::Output;
use crate::scan::Cursor;
use crate::vector::{Lanes, Simd};

/// Tokens from one special id to the next, on average, from which on scanning and writing in one pass is faster.
pub(super) const STREAM_GAP: usize = 50;
/// Tokens between turns that are looked at before a vector search begins.
const PEEK: usize = 1;
/// Special ids after each of which so many it is checked that they still are few.
const CHECKED: usize = 8;

/// Where the pass is in the row. Everything before `at` is written, nothing after it.
struct Place<'p, L> {
    plan: &'p Plan,
    row: Row<L>,
    at: usize,
    /// Whether the tokens at `at` are trained, unless something changes there.
    on: bool,
}

/// Scans and writes in one pass, as long as special ids are few. Returns where it stopped, which may be a marker after `tokens`, and whether
/// they still are.
///
/// # Safety
/// As for [`run`](super::run::run); nothing from the first of the tokens on is written yet.
#[inline(always)]
pub(super) unsafe fn stream<S: Simd, L: Lanes, O: Output<S, L>>(
    specials: &Specials,
    row: Row<L>,
    tokens: Range<usize>,
    cursor: &mut Cursor,
    keep: &mut Keep<'_, Bits>,
    output: &mut O,
) -> (usize, bool) {
    let changes = Here { places: [0; 4], count: 0 };
    let mut here = Keep { plan: keep.plan, changes, last_end: keep.last_end };
    let mut place = Place { plan: keep.plan, row, at: tokens.start, on: keep.changes.on };
    if let Some(change) = keep.changes.pending.take() {
        // SAFETY: what follows the last chunk is not written yet.
        unsafe { place.change_at(change, output) };
    }
    let mut seen = 0;
    let mut quiet = true;
    // SAFETY: the caller's promises; the cursor is that of the tokens before `at`.
    while unsafe { place.find_special(specials, cursor, tokens.end, output) } {
        seen += 1;
        if seen % CHECKED == 0 && place.at - tokens.start < seen * STREAM_GAP {
            quiet = false;
            break;
        }
        // SAFETY: as above.
        unsafe { place.pass_special(specials, cursor, &mut here, output) };
    }
    keep.last_end = here.last_end;
    keep.changes.on = place.on;
    (place.at, quiet)
}

impl<L: Lanes> Place<'_, L> {
    /// Writes up to the next id that means anything to the cursor; `false`: there is none before `to`.
    ///
    /// # Safety
    /// As for [`stream`].
    #[inline(always)]
    unsafe fn find_special<S: Simd, O: Output<S, L>>(
        &mut self,
        specials: &Specials,
        cursor: &Cursor,
        to: usize,
        output: &mut O,
    ) -> bool {
        if self.at >= to {
            return false;
        }
        let set = cursor.looks_for(specials);
        // SAFETY: nothing is written from `at` on, and the tokens before `to` lie in the row; the set fits one test.
        unsafe {
            if cursor.is_outside() {
                // The next turn begins at once, or after a token or two.
                for _ in 0..PEEK {
                    if self.at >= to || set.is_in_slot(*self.row.ids.add(self.at)) {
                        break;
                    }
                    output.put(self.at, self.on);
                    self.at += 1;
                }
            }
            if self.at < to && !set.is_in_slot(*self.row.ids.add(self.at)) {
                self.at += output.stream(self.at, to, set, self.on);
            }
        }
        self.at < to
    }

    /// Writes the marker that begins with the special id at hand, or that id alone where none does.
    ///
    /// # Safety
    /// As for [`stream`]; there is a token at hand.
    #[inline(always)]
    unsafe fn pass_special<S: Simd, O: Output<S, L>>(
        &mut self,
        specials: &Specials,
        cursor: &mut Cursor,
        here: &mut Keep<'_, Here>,
        output: &mut O,
    ) {
        // SAFETY: the slice is used before anything is written, and is read from `at` on.
        let ids = unsafe { self.row.slice() };
        let first = self.at;
        let special = specials.of_any(ids[first]);
        if special.first {
            cursor.step(self.plan, ids, first, here);
        }
        for index in 0..std::mem::take(&mut here.changes.count) {
            // SAFETY: the changes come in order, so what lies before one is not written yet.
            unsafe { self.change_at(here.changes.places[index], output) };
        }
        if self.at == first {
            // SAFETY: the token lies in the row and is not written yet.
            unsafe { output.put(first, self.on && !special.ignored) };
            self.at += 1;
        }
    }

    /// Writes the tokens up to a change, one by one.
    ///
    /// # Safety
    /// As for [`stream`].
    #[inline(always)]
    unsafe fn change_at<S: Simd, O: Output<S, L>>(&mut self, change: usize, output: &mut O) {
        let Place { plan, row, mut at, on } = *self;
        while at < change.min(row.length) {
            // SAFETY: the token lies in the row and is not written yet.
            unsafe { output.put(at, on && !plan.ignored.contains(*row.ids.add(at))) };
            at += 1;
        }
        self.at = at;
        self.on = !self.on;
    }
}
