//! Rows that are decided on as a whole, before anything of them is written.

use std::cell::RefCell;
use std::ops::Range;

use crate::label::trained_ranges;
use crate::masker::Masker;
use crate::scan::Found;
use crate::vector::Lanes;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The turns and the trained ranges of a row.
#[derive(Default)]
struct Scratch {
    turns: Vec<Found>,
    ranges: Vec<Range<usize>>,
}

/// A row that is decided on. Its memory is kept for the thread's next one.
pub(super) struct WholeRow(Scratch);

impl WholeRow {
    /// Decides on a row; `None` where that is done while it is written.
    pub fn decide<L: Lanes>(masker: &Masker, ids: &[L]) -> Option<WholeRow> {
        if masker.compiled.decides_as_it_scans {
            return None;
        }
        let mut row = SCRATCH.take();
        row.turns.clear();
        if !masker.plan().train_on_inputs {
            masker.find_turns(ids, &mut row.turns);
        }
        trained_ranges(masker.plan(), ids, &row.turns, &mut row.ranges);
        Some(WholeRow(row))
    }

    /// See [`Job::ranges`](crate::label::Job::ranges).
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.0.ranges
    }
}

impl Drop for WholeRow {
    fn drop(&mut self) {
        SCRATCH.set(std::mem::take(&mut self.0));
    }
}
