//! From decisions to what is written: labels, bits, or a mask over labels that exist already.
//!
//! The decisions come as positions where "trained" changes; a chunk's become a bit per token (`changes`), and the outputs are
//! made from those (`output`). Where a turn can be decided on as it is found, chunks are scanned and written in turn, so that both
//! passes find them in the first-level cache. Else the row is scanned as a whole first (`run`).

mod changes;
mod output;
mod run;

pub(crate) use output::{bits, labels};

use crate::ids::Label;
use crate::plan::Plan;

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

/// Writes the labels of a row.
pub(crate) fn write<L: Label>(plan: &Plan, ids: &[L], labels: &mut [L]) {
    assert_eq!(ids.len(), labels.len());
    let row = Row { ids: ids.as_ptr(), length: ids.len() };
    // SAFETY: the slices are valid and, one being borrowed mutably, do not overlap; the masker has the engine's instructions.
    unsafe { (L::kernels(&plan.kernels).labels)(plan, row, labels.as_mut_ptr()) }
}

/// Writes the labels of a row in its place.
pub(crate) fn write_in_place<L: Label>(plan: &Plan, row: &mut [L]) {
    let labels = row.as_mut_ptr();
    // SAFETY: both pointers are the one mutable borrow; as above.
    unsafe { (L::kernels(&plan.kernels).labels)(plan, Row { ids: labels, length: row.len() }, labels) }
}

/// Writes the trained tokens of a row as bits, the lowest bit of a byte first.
pub(crate) fn write_bits<L: Label>(plan: &Plan, ids: &[L], bits: &mut [u8]) {
    assert_eq!(ids.len().div_ceil(8), bits.len());
    let row = Row { ids: ids.as_ptr(), length: ids.len() };
    // SAFETY: the row is borrowed during the call, and `bits`, which has the length asked for, is not part of it; as above.
    unsafe { (L::kernels(&plan.kernels).bits)(plan, row, bits.as_mut_ptr()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidates::CHUNK;
    use crate::{Boundary, EndKind, MaskerOptions, TrainOnEos};

    /// Long and short spans by turns, so that both ways through a row and the change between them are met. `lead` tokens of
    /// content stand before all else, so that markers come to lie everywhere around the ends of pages.
    fn row(lead: usize, length: usize) -> Vec<i32> {
        let mut ids = vec![100; lead];
        for turn in 0.. {
            if ids.len() >= length {
                break;
            }
            let span = if turn % 40 < 20 { 250 + turn % 37 } else { 5 + turn % 7 };
            ids.extend([1, [2, 3][turn % 2], 4, 5, 6]);
            ids.extend((0..span).map(|at| if at % 240 == 7 { 30 } else { 100 + at as i32 }));
            ids.push(9);
        }
        ids.truncate(length);
        ids
    }

    fn plan(train_on_eos: TrainOnEos) -> Plan {
        let boundary = |role: &str, id| Boundary {
            role: role.into(),
            starts: vec![vec![1, id]],
            tails: vec![vec![4, 5, 6]],
            ends: vec![crate::End { ids: vec![9], kind: EndKind::Consumed }],
            include_start: false,
        };
        let mut plan = Plan::new(&MaskerOptions {
            boundaries: vec![boundary("user", 3), boundary("assistant", 2)],
            ignore_token_ids: vec![30],
            train_on_eos,
            ..MaskerOptions::default()
        })
        .unwrap();
        plan.decides_as_it_scans = plan.decidable_as_it_scans();
        plan
    }

    /// Writes the labels of a row by way of a page, in an array of their own and in place, and compares.
    fn check_pages<L: Label + std::fmt::Debug>(plan: &mut Plan, ids: &[L], offset: usize) {
        plan.through_bytes = usize::MAX;
        let mut expected = vec![ids[0]; ids.len()];
        write(plan, ids, &mut expected);
        plan.through_bytes = 0;
        // A label on either side that stays what it is.
        let mut labels = vec![L::from_i32(77); offset + ids.len() + 1];
        write(plan, ids, &mut labels[offset..offset + ids.len()]);
        assert!(labels[offset..].starts_with(&expected), "{} at {offset}", ids.len());
        labels[offset..offset + ids.len()].copy_from_slice(ids);
        write_in_place(plan, &mut labels[offset..offset + ids.len()]);
        assert!(labels[offset..].starts_with(&expected), "{} at {offset}, in place", ids.len());
        labels.drain(offset..offset + ids.len());
        assert!(labels.iter().all(|&label| label == L::from_i32(77)), "{} at {offset}: beside the row", ids.len());
    }

    #[test]
    fn labels_that_leave_by_a_page_are_the_same() {
        for train_on_eos in [TrainOnEos::Turn, TrainOnEos::Last] {
            let mut plan = plan(train_on_eos);
            for length in [1, 63, 64, 100, 2048, 2100, 4096, 9011] {
                for lead in 0..if length > CHUNK { 260 } else { 1 } {
                    let ids = row(lead, length);
                    let wide: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
                    check_pages(&mut plan, &ids, lead % 17);
                    check_pages(&mut plan, &wide, lead % 17);
                }
            }
        }
    }
}
