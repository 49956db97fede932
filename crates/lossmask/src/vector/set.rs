//! Small sets of ids, in the forms that the engines test for.

use crate::vector::Lanes;
use crate::vector::classes::Classes;

/// Slots of a table: as many as a 256-bit vector has 32-bit lanes.
pub(super) const SLOTS: usize = 8;
/// Sets that need more tables, or more comparisons where there are no tables, are looked up one id at a time.
pub(super) const MAX_TABLES: usize = 16;
pub(super) const MAX_COMPARISONS: usize = 16;

/// How an id finds its slot in a table: its signed 16-bit halves are multiplied with those of `factors` and added up, and three
/// bits of the sum are the slot. (One instruction multiplies and adds so.)
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash {
    pub(super) factors: i32,
}

/// Bits of the sum below those that are the slot. A constant, because a shift by a variable is more than one instruction.
pub(super) const HASH_SHIFT: u32 = 13;

impl Hash {
    #[inline(always)]
    fn slot(self, id: i32) -> usize {
        let low = i32::from(id as i16) * i32::from(self.factors as i16);
        let high = (id >> 16) * (self.factors >> 16);
        (low.wrapping_add(high).cast_unsigned() >> HASH_SHIFT) as usize % SLOTS
    }

    fn fullest_slot(self, ids: &[i32]) -> usize {
        let mut counts = [0; SLOTS];
        ids.iter().for_each(|&id| counts[self.slot(id)] += 1);
        counts.into_iter().max().unwrap_or(0)
    }

    /// The first of some pseudo-random ones that gives every id a slot of its own, else the one that spreads the ids best.
    fn best(ids: &[i32]) -> Hash {
        let first = Hash { factors: 0x9e37_79b1_u32.cast_signed() };
        let mut best = (first.fullest_slot(ids), first);
        let mut factors = first.factors.cast_unsigned();
        // Eight ids find a free slot each once in 400 tries; more cannot.
        for _ in 0..if ids.len() <= SLOTS { 10_000 } else { 200 } {
            if best.0 <= 1 {
                break;
            }
            factors = factors.wrapping_mul(0x2c1b_3c6d).wrapping_add(0x297a_2d39);
            let hash = Hash { factors: factors.cast_signed() };
            best = std::cmp::min_by_key(best, (hash.fullest_slot(ids), hash), |(fullest, _)| *fullest);
        }
        best.1
    }
}

/// A set of ids, prepared for every engine.
#[derive(Clone, Debug)]
pub(crate) struct IdSet {
    pub(super) ids: Vec<i32>,
    pub(super) hash: Hash,
    /// Every id is in its slot of one of the tables. A slot without an id holds an id of another slot, which it can
    /// never be compared equal to.
    pub(super) tables: Vec<[i32; SLOTS]>,
    pub(super) span: Option<Span>,
    classes: Classes,
}

/// Ids close together: those for which the wrapping sum with `shift` is greater than `limit`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) shift: i32,
    pub(super) limit: i32,
}

/// From the lowest to the highest id of a set that is searched for as a span: control tokens lie together, and what lies between
/// them is seldom met.
const SPAN_LENGTH: u32 = 1024;

impl Span {
    /// The span of sorted ids, if it is short.
    fn of(ids: &[i32]) -> Option<Span> {
        let (&low, &high) = ids.first().zip(ids.last())?;
        let length = high.abs_diff(low);
        let span = || Span { shift: i32::MAX.wrapping_sub(high), limit: i32::MAX - 1 - length.cast_signed() };
        (length < SPAN_LENGTH).then(span)
    }

    fn contains(self, id: i32) -> bool {
        id.wrapping_add(self.shift) > self.limit
    }
}

impl IdSet {
    pub fn new(ids: impl IntoIterator<Item = i32>) -> IdSet {
        let mut ids: Vec<i32> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let hash = Hash::best(&ids);
        let tables = tables(&ids, hash);
        IdSet { classes: Classes::new(ids.iter().copied()), span: Span::of(&ids), ids, hash, tables }
    }

    /// A number below 8 that is another for each id of the set, if it [fits one test](IdSet::fits_one_test).
    #[inline(always)]
    pub fn slot(&self, id: i32) -> usize {
        self.hash.slot(id)
    }

    /// Whether the id is in the set, which [fits one test](IdSet::fits_one_test).
    #[inline(always)]
    pub fn is_in_slot<L: Lanes>(&self, id: L) -> bool {
        let table = self.tables.first().unwrap_or(&[0; SLOTS]);
        id.to_i32().is_some_and(|id| table[self.slot(id)] == id)
    }

    /// Whether [`kernel::stream`] stops at the id: always at those of the set, at times at others.
    pub fn may_hold<L: Lanes>(&self, id: L) -> bool {
        match self.span {
            Some(span) if self.ids.len() > 1 => id.to_i32().is_some_and(|id| span.contains(id)),
            _ => self.contains(id),
        }
    }

    /// Whether every engine tests the set in a few instructions.
    pub fn fits_one_test(&self) -> bool {
        self.tables.len() == 1
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub fn ids(&self) -> &[i32] {
        &self.ids
    }

    /// Whether the id is in the set.
    #[inline(always)]
    pub fn contains<L: Lanes>(&self, id: L) -> bool {
        id.to_i32().is_some_and(|id| self.classes.of(id) != 0)
    }
}

fn tables(ids: &[i32], hash: Hash) -> Vec<[i32; SLOTS]> {
    let mut slots: [Vec<i32>; SLOTS] = Default::default();
    ids.iter().for_each(|&id| slots[hash.slot(id)].push(id));
    let count = slots.iter().map(Vec::len).max().unwrap_or(0).min(MAX_TABLES + 1);
    // What no id of slot `at` can be: a number whose slot is another.
    let other = |at: usize| if at == 0 { (0..).find(|&id| hash.slot(id) != 0).unwrap_or(0) } else { 0 };
    let others: [i32; SLOTS] = std::array::from_fn(other);
    (0..count).map(|table| std::array::from_fn(|at| slots[at].get(table).copied().unwrap_or(others[at]))).collect()
}
