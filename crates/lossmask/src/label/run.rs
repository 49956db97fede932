//! The way through a row: by chunks, or in one pass over scan and labels where special ids are far apart.

use std::ops::Range;

use crate::compile::Plan;
use crate::compile::candidates::{CHUNK, WORDS};
use crate::label::changes::{Bits, Changes, Keep};
use crate::label::output::{Output, SLACK};
use crate::label::stream::{STREAM_GAP, stream};
use crate::label::{Job, Row};
use crate::scan::Scan;
use crate::vector::kernel::Ahead;
use crate::vector::{Available, Lanes, Simd, classify};

/// Rows this long begin in one pass over scan and labels.
const STREAM_LENGTH: usize = 4096;

/// Decides on a row and writes it.
///
/// # Safety
/// The row must be valid to read; during the call nothing writes to it but `output`, and only in its calls. The machine has the
/// instructions of `S`.
#[inline(always)]
pub(super) unsafe fn run<S: Simd, L: Lanes, O: Output<S, L>>(job: Job<'_>, row: Row<L>, output: &mut O) {
    // SAFETY: the caller's promises.
    unsafe {
        match job.ranges {
            None => as_it_scans(job.plan, row, output),
            Some(ranges) => from_ranges(job.plan, ranges, row, output),
        }
    }
}

/// [`run`] where the trained ranges are known.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn from_ranges<S: Simd, L: Lanes, O: Output<S, L>>(
    plan: &Plan,
    ranges: &[Range<usize>],
    row: Row<L>,
    output: &mut O,
) {
    // SAFETY: the caller's promise.
    let engine = unsafe { Available::of::<S>() };
    let mut ranges = ranges.iter().peekable();
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
            drop_ignored(plan, engine, row.slice(), from, to - from, kept);
            output.chunk(from, to - from, kept, Ahead::nothing(&plan.ignored));
            output.done(to);
        }
        from = to;
    }
}

/// [`run`] where a turn is decided on as it is found.
///
/// # Safety
/// As there.
#[inline(always)]
unsafe fn as_it_scans<S: Simd, L: Lanes, O: Output<S, L>>(plan: &Plan, row: Row<L>, output: &mut O) {
    let mut scan = Scan::new(plan);
    let mut keep = Keep { plan, changes: Bits::default(), last_end: None };
    let streamed = plan.special.all.as_ref().filter(|_| O::STREAMS && plan.longest_marker <= SLACK);
    let mut quiet = row.length >= STREAM_LENGTH;
    let mut from = 0;
    while from < row.length {
        if let Some(specials) = streamed
            && quiet
        {
            let limit = output.limit(from);
            // SAFETY: the caller's promises.
            unsafe {
                (from, quiet) = stream(specials, row, from..limit, &mut scan.cursor, &mut keep, output);
                output.done(from);
            }
            continue;
        }
        let to = row.length.min(from + CHUNK);
        // SAFETY: the caller's promises.
        unsafe {
            let kept = decide_chunk::<S, L>(&mut scan, &mut keep, row, from..to);
            quiet = streamed.is_some() && scan.listed.is_some_and(|listed| (to - from) > listed * STREAM_GAP);
            let next = to..if quiet { to } else { row.length.min(to + CHUNK) };
            let ahead = scan.ahead::<L, Keep<Bits>>(row.ids, next.start, next.end);
            if !output.chunk(from, to - from, kept, ahead) {
                scan.forget_ahead();
            }
            output.done(to);
        }
        from = to;
    }
    if let Some((at, set, marker)) = keep.last_end {
        // SAFETY: the marker was found in the row, all of which is written.
        unsafe { output.keep(at, &plan.ends.sets[set as usize].markers[marker as usize]) };
    }
}

/// Scans a chunk, and gives a bit for each of its tokens: whether it is trained.
///
/// # Safety
/// The row must be valid to read, and nothing of it from the chunk on is written yet. The machine has the instructions of `S`.
#[inline(always)]
unsafe fn decide_chunk<'k, S: Simd, L: Lanes>(
    scan: &mut Scan<'_>,
    keep: &'k mut Keep<'_, Bits>,
    row: Row<L>,
    tokens: Range<usize>,
) -> &'k mut [u64; WORDS] {
    let Range { start: from, end: to } = tokens;
    keep.changes.begin(from, to);
    // SAFETY: the slice is used in this call only, in which nothing is written, and is read from the chunk on.
    let ids = unsafe { row.slice() };
    // SAFETY: the machine has the instructions of `S`.
    let (told, kept, engine) = unsafe {
        let told = scan.chunk::<S, L, _>(ids, from, to, keep);
        (told, keep.changes.finish::<S>(), Available::of::<S>())
    };
    if !told {
        drop_ignored(keep.plan, engine, ids, from, to - from, kept);
    }
    kept
}
/// Clears the bits of ignored ids.
fn drop_ignored<L: Lanes>(
    plan: &Plan,
    engine: Available,
    ids: &[L],
    from: usize,
    count: usize,
    keep: &mut [u64; WORDS],
) {
    if plan.ignored.is_empty() || keep.iter().all(|&word| word == 0) {
        return;
    }
    let mut ignored = [0; WORDS];
    classify(engine, ids, from, count, &plan.ignored, &mut ignored);
    for (keep, ignored) in keep.iter_mut().zip(ignored) {
        *keep &= !ignored;
    }
}
