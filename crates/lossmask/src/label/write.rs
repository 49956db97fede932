//! The passes over a row that an engine is compiled for.

use crate::label::output::{Labels, Mask, Page};
use crate::label::run::run;
use crate::label::{Job, Row};
use crate::vector::{Lanes, Simd};

/// Decides on a row and writes its labels.
///
/// # Safety
/// The row must be valid to read and `labels` to write for its length; they are the same or do not overlap, and nothing
/// else touches them during the call. The machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn labels<S: Simd, L: Lanes>(job: Job<'_>, row: Row<L>, labels: *mut L) {
    let through = 2 * row.length * size_of::<L>() > job.through_bytes;
    let mut page = through.then(|| Box::new(Page::new()));
    let mut output = Labels::new(job.plan, row, labels, page.as_deref_mut());
    // SAFETY: the caller's promises, and only `output` writes.
    unsafe { run::<S, L, _>(job, row, &mut output) }
}

/// Decides on a row and writes its trained tokens as bits.
///
/// # Safety
/// The row must be valid to read and `bits` to write for a bit of each of its tokens; they do not overlap, and nothing else
/// touches them during the call. The machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn bits<S: Simd, L: Lanes>(job: Job<'_>, row: Row<L>, bits: *mut u8) {
    // SAFETY: the caller's promise.
    let bits = unsafe { std::slice::from_raw_parts_mut(bits, row.length.div_ceil(8)) };
    let mut output = Mask::new(job.plan, row.length, bits);
    // SAFETY: the caller's promises; the output does not write to the row.
    unsafe { run::<S, L, _>(job, row, &mut output) }
}
