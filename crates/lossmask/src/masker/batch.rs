//! Many rows in one array: rows of one length, or ragged rows with offsets.

use std::ops::Range;

use crate::error::ShapeError;
use crate::ids::MaskValue;

/// How the rows lie in one flat array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows<'a> {
    /// `[B, L]`: rows of this length, one after the other.
    Length(usize),
    /// Ragged: row `i` is `[offsets[i], offsets[i + 1])`; the first offset is 0, the last the number of ids.
    Offsets(&'a [usize]),
}

impl Rows<'_> {
    /// Checks the rows against the number of ids.
    pub(crate) fn validate(&self, ids: usize) -> Result<(), ShapeError> {
        match *self {
            Rows::Length(_) if ids == 0 => Ok(()),
            Rows::Length(row_length) if row_length == 0 || !ids.is_multiple_of(row_length) => {
                Err(ShapeError::RowLength { ids, row_length })
            }
            Rows::Length(_) => Ok(()),
            Rows::Offsets(offsets) => {
                let fail = |index| Err(ShapeError::Offsets { ids, index });
                if offsets.first() != Some(&0) {
                    return fail(0);
                }
                if let Some(at) = offsets.windows(2).position(|pair| pair[0] > pair[1] || pair[1] > ids) {
                    return fail(at + 1);
                }
                if offsets.last() != Some(&ids) { fail(offsets.len() - 1) } else { Ok(()) }
            }
        }
    }

    /// Number of rows among this many ids.
    pub(crate) fn count(&self, ids: usize) -> usize {
        match *self {
            Rows::Length(0) => 0,
            Rows::Length(length) => ids / length,
            Rows::Offsets(offsets) => offsets.len().saturating_sub(1),
        }
    }

    /// The tokens of one row.
    pub(crate) fn row(&self, index: usize) -> Range<usize> {
        match *self {
            Rows::Length(length) => index * length..(index + 1) * length,
            Rows::Offsets(offsets) => offsets[index]..offsets[index + 1],
        }
    }
}

/// Tokens from which on a thread of its own is worth while: at the speed of memory they take ten times what it takes to start.
const TOKENS_PER_THREAD: usize = 1 << 20;

/// Hands groups of consecutive rows and their part of `output`, which has a value for each of `ids` tokens, to as many threads
/// as are worth while; this one among them.
pub(crate) fn in_parallel<T: Send>(
    rows: Rows<'_>,
    ids: usize,
    output: &mut [T],
    work: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let count = rows.count(ids);
    let threads = match ids / TOKENS_PER_THREAD {
        0 | 1 => 1,
        worth => worth.min(count).min(std::thread::available_parallelism().map_or(1, usize::from)),
    };
    in_groups(rows, ids, output, threads, &work);
}

fn in_groups<T: Send>(
    rows: Rows<'_>,
    ids: usize,
    mut output: &mut [T],
    groups: usize,
    work: &(impl Fn(Range<usize>, &mut [T]) + Sync),
) {
    let count = rows.count(ids);
    std::thread::scope(|scope| {
        let mut from = 0;
        let mut done = 0;
        for group in 1..=groups {
            // Rows up to this group's share of the tokens.
            let share = ids / groups * group;
            let mut to = from;
            while to < count && (group == groups || rows.row(to).end <= share) {
                to += 1;
            }
            if from == to {
                continue;
            }
            let end = rows.row(to - 1).end;
            let part;
            (part, output) = std::mem::take(&mut output).split_at_mut(end - done);
            let rows = from..to;
            if group == groups {
                work(rows, part);
            } else {
                scope.spawn(move || work(rows, part));
            }
            (from, done) = (to, end);
        }
    });
}

/// The tokens of a row that its attention mask leaves, from the first to the last. A zero in between does not cut the row:
/// the token there is scanned, but never trained.
pub(crate) fn real_tokens<M: MaskValue>(mask: &[M]) -> Range<usize> {
    let start = mask.iter().position(|value| value.is_token()).unwrap_or(0);
    let end = mask.iter().rposition(|value| value.is_token()).map_or(start, |last| last + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_every_row_once() {
        let ragged = [0, 0, 3, 3, 10, 11, 11, 40];
        for (rows, ids) in
            [(Rows::Length(4), 40), (Rows::Offsets(&ragged), 40), (Rows::Offsets(&[0]), 0), (Rows::Length(0), 0)]
        {
            for groups in 1..6 {
                let mut output = vec![0; ids];
                in_groups(rows, ids, &mut output, groups, &|group: Range<usize>, part: &mut [usize]| {
                    let first = rows.row(group.start).start;
                    for index in group {
                        let row = rows.row(index);
                        part[row.start - first..row.end - first].iter_mut().for_each(|value| *value += index + 1);
                    }
                });
                let expected: Vec<usize> =
                    (0..rows.count(ids)).flat_map(|index| vec![index + 1; rows.row(index).len()]).collect();
                assert_eq!(output, expected, "{groups} groups of {rows:?}");
            }
        }
    }
}
