//! From decisions to what is written: labels, or bits.
//!
//! The decisions come as positions where "trained" changes; a chunk's become a bit per token (`changes`), and the outputs are
//! made from those (`output`). Where a turn can be decided on as it is found, chunks are scanned and written in turn, so that both
//! passes find them in the first-level cache, and quiet rows are scanned and written in one pass (`stream`). Else the row's trained ranges are
//! known before anything is written (`pieces`, `ranges`).

mod changes;
mod output;
mod pieces;
mod ranges;
mod run;
mod stream;
mod write;

use std::ops::Range;

pub(crate) use pieces::Piece;
pub(crate) use ranges::trained_ranges;
pub(crate) use write::{bits, labels};

use crate::compile::Plan;

/// How a row is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Job<'p> {
    pub plan: &'p Plan,
    /// What is trained of the row, ignored ids aside: disjoint, in order, none empty. `None`: it is decided while the row is scanned, which
    /// [`Plan::decidable_as_it_scans`] allows.
    pub ranges: Option<&'p [Range<usize>]>,
    /// Input and output together beyond which stores go past the caches.
    pub through_bytes: usize,
}

/// A row to be read. Its tokens may be written over once they are decided on, so no slice of it outlives a chunk.
#[derive(Clone, Copy)]
pub(crate) struct Row<L> {
    pub ids: *const L,
    pub length: usize,
}

impl<L> Row<L> {
    /// # Safety
    /// The row must be valid to read, and nothing may write to it while the slice is in use.
    #[inline(always)]
    unsafe fn slice<'a>(self) -> &'a [L] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts(self.ids, self.length) }
    }
}
