//! Which rows are set aside: the same for the same seed, whatever the number of workers.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ValSetSize;

/// Draws rows for the split `test` out of a stream of rows.
pub(crate) struct Splitter<T> {
    rule: Rule<T>,
    seed: u64,
    seen: u64,
}

enum Rule<T> {
    All,
    /// One row out of every group of neighbours; the group is held until it is complete.
    Fraction {
        share: f64,
        group: u64,
        rows: Vec<T>,
    },
    /// The rows of the smallest hashes, by hash.
    Count {
        count: usize,
        drawn: BTreeMap<(u64, u64), T>,
    },
}

impl<T> Splitter<T> {
    pub fn new(size: Option<ValSetSize>, seed: u64) -> Self {
        let rule = match size {
            None => Rule::All,
            Some(ValSetSize::Fraction(share)) => Rule::Fraction { share, group: 0, rows: Vec::new() },
            Some(ValSetSize::Count(count)) => Rule::Count { count, drawn: BTreeMap::new() },
        };
        Splitter { rule, seed, seen: 0 }
    }

    /// Takes a row and gives those that are decided now: `(is in the split test, row)`.
    pub fn push(&mut self, row: T) -> Vec<(bool, T)> {
        let index = self.seen;
        self.seen += 1;
        match &mut self.rule {
            Rule::All => vec![(false, row)],
            Rule::Fraction { share, group, rows } => {
                rows.push(row);
                if (self.seen as f64) < ((*group + 1) as f64 / *share).ceil() {
                    return Vec::new();
                }
                let full = std::mem::take(rows);
                *group += 1;
                draw_one(full, self.seed, *group - 1)
            }
            Rule::Count { count, drawn } => {
                drawn.insert((hash(self.seed, index), index), row);
                if drawn.len() <= *count {
                    return Vec::new();
                }
                drawn.pop_last().map(|(_, row)| (false, row)).into_iter().collect()
            }
        }
    }

    /// Gives the rows still held, behind the last row.
    pub fn finish(self) -> Vec<(bool, T)> {
        match self.rule {
            Rule::All => Vec::new(),
            Rule::Fraction { group, rows, .. } => draw_one(rows, self.seed, group),
            Rule::Count { drawn, .. } => {
                let mut drawn: Vec<_> = drawn.into_iter().map(|((_, index), row)| (index, row)).collect();
                drawn.sort_by_key(|&(index, _)| index);
                drawn.into_iter().map(|(_, row)| (true, row)).collect()
            }
        }
    }
}

fn draw_one<T>(rows: Vec<T>, seed: u64, group: u64) -> Vec<(bool, T)> {
    let count = rows.len().max(1) as u64;
    let drawn = hash(seed, group) % count;
    rows.into_iter().enumerate().map(|(index, row)| (index as u64 == drawn, row)).collect()
}

/// `count` of the numbers below `total`, in order; all of them when there are no more.
pub(crate) fn sample(total: u64, count: usize, seed: u64) -> Vec<u64> {
    let mut smallest = BTreeMap::new();
    for number in 0..total {
        smallest.insert((hash(seed, number), number), ());
        if smallest.len() > count {
            smallest.pop_last();
        }
    }
    let mut numbers: Vec<u64> = smallest.into_keys().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers
}

/// `DefaultHasher::new` is the same function in every process.
fn hash(seed: u64, number: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, number).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(size: ValSetSize, rows: u64, seed: u64) -> (Vec<u64>, Vec<u64>) {
        let mut splitter = Splitter::new(Some(size), seed);
        let mut decided: Vec<_> = (0..rows).flat_map(|row| splitter.push(row)).collect();
        decided.extend(splitter.finish());
        let (test, train): (Vec<_>, Vec<_>) = decided.into_iter().partition(|&(test, _)| test);
        (train.into_iter().map(|(_, row)| row).collect(), test.into_iter().map(|(_, row)| row).collect())
    }

    proptest! {
        #[test]
        fn every_row_goes_to_one_split(rows in 0u64..300, share in 0.01f64..0.99, count in 1usize..40, seed: u64) {
            for (size, expected) in [
                (ValSetSize::Fraction(share), (rows as f64 * share).ceil() as usize),
                (ValSetSize::Count(count), count.min(rows as usize)),
            ] {
                let (train, test) = split(size, rows, seed);
                prop_assert!(test.len().abs_diff(expected) <= 1, "{} of {rows}, not {expected}", test.len());
                let mut all = [train, test].concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_sample_is_sorted_and_complete(total in 0u64..500, count in 0usize..100, seed: u64) {
            let drawn = sample(total, count, seed);
            prop_assert_eq!(drawn.len(), count.min(total as usize));
            prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(drawn.iter().all(|&number| number < total));
        }
    }

    #[test]
    fn the_seed_decides() {
        let drawn = |seed| split(ValSetSize::Fraction(0.1), 1000, seed).1;
        assert_eq!(drawn(42), drawn(42));
        assert_ne!(drawn(42), drawn(43));
        assert_eq!(drawn(42).len(), 100);
    }
}
