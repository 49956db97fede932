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

/// The tokens of a row that its attention mask leaves, from the first to the last. A zero in between does not cut the row:
/// the token there is scanned, but never trained.
pub(crate) fn real_tokens<M: MaskValue>(mask: &[M]) -> Range<usize> {
    let start = mask.iter().position(|value| value.is_token()).unwrap_or(0);
    let end = mask.iter().rposition(|value| value.is_token()).map_or(start, |last| last + 1);
    start..end
}
