//! From decisions to labels: the trained ranges of a row, and the array written from them.

use std::cell::RefCell;
use std::ops::Range;

use crate::decide::LastTurns;
use crate::ids::Label;
use crate::plan::Plan;
use crate::scan::{Found, Scan};

thread_local! {
    /// The turns of the row at work, where the decision about one needs those behind it.
    static TURNS: RefCell<Vec<Found>> = const { RefCell::new(Vec::new()) };
}

impl Plan {
    /// Hands out the ranges that are trained, ignored ids aside: disjoint, in order, none empty.
    pub fn kept_ranges<L: Label>(&self, ids: &[L], mut keep: impl FnMut(Range<usize>)) {
        if self.train_on_inputs {
            if !ids.is_empty() {
                keep(0..ids.len());
            }
            return;
        }
        // A turn may begin in the end marker of the one before, so neighbours may overlap.
        let mut open = 0..0;
        let mut take = |turn: &Found, index: usize, last: &LastTurns| {
            self.pieces(ids, turn, index, last, |piece| {
                if !piece.trained || piece.tokens.is_empty() {
                    return;
                }
                if piece.tokens.start <= open.end && !open.is_empty() {
                    open.end = open.end.max(piece.tokens.end);
                } else {
                    let done = std::mem::replace(&mut open, piece.tokens);
                    if !done.is_empty() {
                        keep(done);
                    }
                }
            });
        };
        if self.needs_whole_row() {
            TURNS.with_borrow_mut(|turns| {
                turns.clear();
                turns.extend(Scan::new(self, ids));
                let last = self.last_turns(turns);
                for (index, turn) in turns.iter().enumerate() {
                    take(turn, index, &last);
                }
            });
        } else {
            let last = LastTurns::default();
            for (index, turn) in Scan::new(self, ids).enumerate() {
                take(&turn, index, &last);
            }
        }
        if !open.is_empty() {
            keep(open);
        }
    }
}

/// Writes labels: what is kept is copied but for the ignored ids, the rest is filled.
pub(crate) struct Writer<'a> {
    plan: &'a Plan,
}

impl<'a> Writer<'a> {
    pub fn new(plan: &'a Plan) -> Writer<'a> {
        Writer { plan }
    }

    /// Labels of a row into an array of its length.
    pub fn write<L: Label>(&self, ids: &[L], out: &mut [L]) {
        let ignore = L::from_i32(self.plan.ignore_index);
        let mut done = 0;
        self.plan.kept_ranges(ids, |kept| {
            out[done..kept.start].fill(ignore);
            done = kept.end;
            out[kept.clone()].copy_from_slice(&ids[kept.clone()]);
            self.mask_ignored(&mut out[kept]);
        });
        out[done..].fill(ignore);
    }

    /// Labels of a row in its own place.
    pub fn write_in_place<L: Label>(&self, row: &mut [L], kept: &mut Vec<Range<usize>>) {
        let ignore = L::from_i32(self.plan.ignore_index);
        kept.clear();
        self.plan.kept_ranges(row, |range| kept.push(range));
        let mut done = 0;
        for range in kept.drain(..) {
            row[done..range.start].fill(ignore);
            done = range.end;
            self.mask_ignored(&mut row[range]);
        }
        row[done..].fill(ignore);
    }

    /// Labels that exist already: the untrained ones are filled, the others stay.
    pub fn mask<L: Label>(&self, ids: &[L], labels: &mut [L]) {
        let ignore = L::from_i32(self.plan.ignore_index);
        let mut done = 0;
        self.plan.kept_ranges(ids, |kept| {
            labels[done..kept.start].fill(ignore);
            done = kept.end;
            for at in kept {
                if ids[at].to_i32().is_some_and(|id| self.plan.is_ignored(id)) {
                    labels[at] = ignore;
                }
            }
        });
        labels[done..].fill(ignore);
    }

    /// The trained tokens of a row as bits, the lowest bit of a byte first; bits beyond the row are left alone.
    pub fn write_bits<L: Label>(&self, ids: &[L], bits: &mut [u8], first_bit: usize) {
        let mut set = |at: usize, value: bool| {
            let bit = first_bit + at;
            let mask = 1 << (bit % 8);
            if value {
                bits[bit / 8] |= mask;
            } else {
                bits[bit / 8] &= !mask;
            }
        };
        (0..ids.len()).for_each(|at| set(at, false));
        self.plan.kept_ranges(ids, |kept| {
            for at in kept {
                set(at, !ids[at].to_i32().is_some_and(|id| self.plan.is_ignored(id)));
            }
        });
    }

    fn mask_ignored<L: Label>(&self, labels: &mut [L]) {
        if self.plan.ignored.is_empty() {
            return;
        }
        let ignore = L::from_i32(self.plan.ignore_index);
        for label in labels {
            if label.to_i32().is_some_and(|id| self.plan.is_ignored(id)) {
                *label = ignore;
            }
        }
    }
}
