//! Rows of any length as one rectangle, padded by position.

use std::fmt;

/// One row as it was encoded.
#[derive(Clone, Copy, Debug)]
pub struct CollateRow<'a> {
    /// Token ids.
    pub input_ids: &'a [i32],
    /// Labels, as long as the ids.
    pub labels: &'a [i32],
    /// 0 where a token is not to be attended to, as long as the ids. Absent: all are.
    pub attention_mask: Option<&'a [i32]>,
    /// Positions, as long as the ids. Absent: counted from 0.
    pub position_ids: Option<&'a [i32]>,
}

/// Where padding goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Before the row.
    Left,
    /// After it.
    #[default]
    Right,
}

/// How rows are padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollateOptions {
    /// Id of padding.
    pub pad_id: i32,
    /// Label of padding.
    pub ignore_index: i32,
    /// Length of every row. Absent: that of the longest.
    pub pad_to: Option<usize>,
    /// The length is made a multiple of this.
    pub pad_to_multiple_of: Option<usize>,
    /// Where padding goes.
    pub side: Side,
}

impl Default for CollateOptions {
    fn default() -> Self {
        CollateOptions { pad_id: 0, ignore_index: -100, pad_to: None, pad_to_multiple_of: None, side: Side::Right }
    }
}

/// A batch, row after row in each array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collated {
    /// Number of rows.
    pub rows: usize,
    /// Length of each.
    pub row_length: usize,
    /// Ids, with the pad id as padding.
    pub input_ids: Vec<i32>,
    /// Labels, with the ignore index as padding.
    pub labels: Vec<i32>,
    /// 1 for tokens, 0 for padding.
    pub attention_mask: Vec<i32>,
    /// Positions within the row, 0 for padding.
    pub position_ids: Vec<i32>,
}

/// Why rows cannot be made a rectangle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollateError {
    /// A row is longer than `pad_to`.
    TooLong {
        /// Which one.
        row: usize,
        /// Its tokens.
        tokens: usize,
        /// The length asked for.
        pad_to: usize,
    },
    /// Something of a row is not as long as its ids.
    Length {
        /// Which row.
        row: usize,
        /// `labels`, `attention_mask` or `position_ids`.
        field: &'static str,
        /// Its length.
        length: usize,
        /// The number of ids.
        tokens: usize,
    },
    /// `pad_to_multiple_of` is 0, or the batch is larger than memory can hold.
    Options(&'static str),
}

impl fmt::Display for CollateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CollateError::TooLong { tokens, pad_to, .. } => write!(f, "the row has {tokens} tokens, padTo is {pad_to}"),
            CollateError::Length { field, length, tokens, .. } => {
                write!(f, "the row has {tokens} tokens, but {length} in {field}")
            }
            CollateError::Options(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for CollateError {}

/// Tokens of a batch, padding included: each takes 16 bytes in four arrays, and an allocation that fails ends the process.
const MAX_TOKENS: usize = 1 << 28;

/// Pads rows to one length. Nothing is cut: a row that is too long is an error.
///
/// ```
/// use lossmask::{CollateOptions, CollateRow, collate};
///
/// let row = |ids: &'static [i32]| CollateRow { input_ids: ids, labels: ids, attention_mask: None, position_ids: None };
/// let batch = collate(&[row(&[5, 6, 7]), row(&[8])], &CollateOptions::default()).unwrap();
/// assert_eq!(batch.input_ids, [5, 6, 7, 8, 0, 0]);
/// assert_eq!(batch.labels, [5, 6, 7, 8, -100, -100]);
/// assert_eq!(batch.attention_mask, [1, 1, 1, 1, 0, 0]);
/// ```
///
/// # Errors
/// [`CollateError`] names the row.
pub fn collate(rows: &[CollateRow<'_>], options: &CollateOptions) -> Result<Collated, CollateError> {
    let row_length = row_length(rows, options)?;
    let size = rows.len().checked_mul(row_length).filter(|size| *size <= MAX_TOKENS);
    let size = size.ok_or(CollateError::Options("the batch would hold more than 2^28 tokens"))?;
    let mut batch = Collated {
        rows: rows.len(),
        row_length,
        input_ids: vec![options.pad_id; size],
        labels: vec![options.ignore_index; size],
        attention_mask: vec![0; size],
        position_ids: vec![0; size],
    };
    for (index, row) in rows.iter().enumerate() {
        let length = row.input_ids.len();
        let start = match options.side {
            Side::Left => (index + 1) * row_length - length,
            Side::Right => index * row_length,
        };
        let tokens = start..start + length;
        batch.input_ids[tokens.clone()].copy_from_slice(row.input_ids);
        batch.labels[tokens.clone()].copy_from_slice(row.labels);
        match row.attention_mask {
            Some(mask) => batch.attention_mask[tokens.clone()].copy_from_slice(mask),
            None => batch.attention_mask[tokens.clone()].fill(1),
        }
        match row.position_ids {
            Some(positions) => batch.position_ids[tokens].copy_from_slice(positions),
            None => batch.position_ids[tokens].iter_mut().zip(0..).for_each(|(position, at)| *position = at),
        }
    }
    Ok(batch)
}

fn row_length(rows: &[CollateRow<'_>], options: &CollateOptions) -> Result<usize, CollateError> {
    let mut longest = 0;
    for (row, CollateRow { input_ids, labels, attention_mask, position_ids }) in rows.iter().enumerate() {
        let tokens = input_ids.len();
        let fields = [("labels", Some(*labels)), ("attention_mask", *attention_mask), ("position_ids", *position_ids)];
        for (field, values) in fields {
            if let Some(length) = values.map(<[i32]>::len).filter(|length| *length != tokens) {
                return Err(CollateError::Length { row, field, length, tokens });
            }
        }
        if let Some(pad_to) = options.pad_to.filter(|pad_to| *pad_to < tokens) {
            return Err(CollateError::TooLong { row, tokens, pad_to });
        }
        longest = longest.max(tokens);
    }
    let length = options.pad_to.unwrap_or(longest);
    match options.pad_to_multiple_of {
        Some(0) => Err(CollateError::Options("padToMultipleOf is at least 1")),
        Some(multiple) => {
            length.checked_next_multiple_of(multiple).ok_or(CollateError::Options("padToMultipleOf is too large"))
        }
        None => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(ids: &'a [i32], labels: &'a [i32]) -> CollateRow<'a> {
        CollateRow { input_ids: ids, labels, attention_mask: None, position_ids: None }
    }

    #[test]
    fn sides_and_lengths() {
        let rows = [row(&[1, 2, 3], &[-100, 2, 3]), row(&[4], &[4])];
        let left =
            collate(&rows, &CollateOptions { side: Side::Left, pad_id: 9, ..CollateOptions::default() }).unwrap();
        assert_eq!(left.input_ids, [1, 2, 3, 9, 9, 4]);
        assert_eq!(left.labels, [-100, 2, 3, -100, -100, 4]);
        assert_eq!(left.attention_mask, [1, 1, 1, 0, 0, 1]);
        assert_eq!(left.position_ids, [0, 1, 2, 0, 0, 0]);
        for (pad_to, multiple, length) in
            [(None, None, 3), (None, Some(4), 4), (Some(5), None, 5), (Some(5), Some(8), 8)]
        {
            let options = CollateOptions { pad_to, pad_to_multiple_of: multiple, ..CollateOptions::default() };
            let batch = collate(&rows, &options).unwrap();
            assert_eq!((batch.rows, batch.row_length, batch.input_ids.len()), (2, length, 2 * length));
        }
        assert_eq!(collate(&[], &CollateOptions::default()), Ok(Collated::default()));
    }

    /// The pad id may be the stop token's: padding is known by its place.
    #[test]
    fn an_id_that_pads_and_ends_is_trained_where_it_ends() {
        let batch = collate(
            &[row(&[7, 2], &[7, 2]), row(&[7, 7, 2], &[7, 7, 2])],
            &CollateOptions { pad_id: 2, ..CollateOptions::default() },
        );
        let batch = batch.unwrap();
        assert_eq!(batch.input_ids, [7, 2, 2, 7, 7, 2]);
        assert_eq!(batch.labels, [7, 2, -100, 7, 7, 2]);
    }

    #[test]
    fn what_a_packed_row_says_of_itself_stays() {
        let packed = CollateRow {
            attention_mask: Some(&[1, 1, 0]),
            position_ids: Some(&[0, 1, 0]),
            ..row(&[1, 2, 3], &[1, 2, 3])
        };
        let batch = collate(&[packed], &CollateOptions { pad_to: Some(4), ..CollateOptions::default() }).unwrap();
        assert_eq!(batch.attention_mask, [1, 1, 0, 0]);
        assert_eq!(batch.position_ids, [0, 1, 0, 0]);
    }

    #[test]
    fn rows_that_do_not_fit_are_named() {
        let options = CollateOptions { pad_to: Some(2), ..CollateOptions::default() };
        let error = collate(&[row(&[1], &[1]), row(&[1, 2, 3], &[1, 2, 3])], &options).unwrap_err();
        assert_eq!(error, CollateError::TooLong { row: 1, tokens: 3, pad_to: 2 });
        let error = collate(&[row(&[1, 2], &[1])], &options).unwrap_err();
        assert_eq!(error, CollateError::Length { row: 0, field: "labels", length: 1, tokens: 2 });
        let zero = CollateOptions { pad_to_multiple_of: Some(0), ..CollateOptions::default() };
        assert!(matches!(collate(&[], &zero), Err(CollateError::Options(_))));
        let huge = CollateOptions { pad_to: Some(usize::MAX), ..CollateOptions::default() };
        assert!(matches!(collate(&[row(&[], &[]), row(&[], &[])], &huge), Err(CollateError::Options(_))));
    }
}
