//! The ids that mean something, numbered: a small hash table that stays in the first-level cache.

use std::collections::HashSet;

/// Numbers the ids of the patterns from 1 on, in the order of their first occurrence; every other id is 0.
#[derive(Clone, Debug)]
pub(crate) struct Classes {
    /// `(id, class)`, open addressing; class 0 marks a free slot. At most a quarter full, so that a probe ends soon.
    table: Vec<(i32, u32)>,
    multiplier: u32,
    shift: u32,
    count: usize,
}

impl Classes {
    pub fn new(ids: impl IntoIterator<Item = i32>) -> Classes {
        let mut seen = HashSet::new();
        let distinct: Vec<i32> = ids.into_iter().filter(|&id| seen.insert(id)).collect();
        let bits = (distinct.len() * 4).next_power_of_two().trailing_zeros().clamp(4, 31);
        let multipliers = std::iter::successors(Some(0x9e37_79b1_u32), |&last| {
            Some(last.wrapping_mul(0x2c1b_3c6d).wrapping_add(0x297a_2d38) | 1)
        });
        // Usually one of a few multipliers is free of collisions; else the one with the fewest is taken.
        let (table, multiplier, _) = multipliers
            .take(16)
            .map(|multiplier| {
                let (table, collisions) = fill_table(&distinct, multiplier, 32 - bits);
                (table, multiplier, collisions)
            })
            .min_by_key(|&(_, _, collisions)| collisions)
            .unwrap_or_default();
        Classes { table, multiplier, shift: 32 - bits, count: distinct.len() + 1 }
    }

    /// Number of classes, class 0 included.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The id's class.
    #[inline(always)]
    pub fn of(&self, id: i32) -> u32 {
        let mut slot = hash(id, self.multiplier, self.shift);
        loop {
            let (known, class) = self.table[slot];
            if known == id || class == 0 {
                return class;
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
    }
}

#[inline(always)]
fn hash(id: i32, multiplier: u32, shift: u32) -> usize {
    (id.cast_unsigned().wrapping_mul(multiplier) >> shift) as usize
}

fn fill_table(ids: &[i32], multiplier: u32, shift: u32) -> (Vec<(i32, u32)>, usize) {
    let mut table = vec![(0, 0); 1 << (32 - shift)];
    let mut collisions = 0;
    for (index, &id) in ids.iter().enumerate() {
        let mut slot = hash(id, multiplier, shift);
        while table[slot].1 != 0 {
            collisions += 1;
            slot = (slot + 1) & (table.len() - 1);
        }
        table[slot] = (id, index as u32 + 1);
    }
    (table, collisions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ids_in_order_and_nothing_else() {
        let ids: Vec<i32> = (0..500).map(|i: i32| i.wrapping_mul(7_919_113)).chain([i32::MIN, -1, i32::MAX]).collect();
        let classes = Classes::new(ids.iter().copied().chain(ids.iter().copied()));
        for (index, &id) in ids.iter().enumerate() {
            assert_eq!(classes.of(id), index as u32 + 1);
        }
        assert_eq!(classes.count(), ids.len() + 1);
        assert_eq!(classes.of(12345), 0);
        assert_eq!(Classes::new([]).of(0), 0);
    }
}
