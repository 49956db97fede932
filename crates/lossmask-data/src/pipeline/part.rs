//! Which rows of a dataset a part of its split expression means, with the rounding of Python's `datasets`.

use std::ops::Range;

use crate::spec::{PartRounding, PartSpec, PartUnit};
use crate::{DataError, DatasetSpec};

/// Consecutive files of a dataset, and the rows of them that are read.
#[derive(Clone)]
pub(super) struct Section {
    pub dataset: usize,
    pub files: Range<usize>,
    pub part: PartSpec,
}

impl Section {
    /// The sections of a dataset, in the order in which they are read.
    pub fn all(dataset: usize, spec: &DatasetSpec) -> Vec<Section> {
        let whole = PartSpec { files: spec.files.len(), ..PartSpec::default() };
        let parts = if spec.parts.is_empty() { std::slice::from_ref(&whole) } else { &spec.parts };
        let mut first = 0;
        let section = |&part: &PartSpec| {
            let files = first..(first + part.files).min(spec.files.len());
            first = files.end;
            Section { dataset, files, part }
        };
        parts.iter().map(section).collect()
    }
}

impl PartSpec {
    /// Whether the number of rows has to be known to know which ones are meant.
    pub(super) fn needs_total(&self) -> bool {
        let ends = [self.from, self.to];
        ends.iter().flatten().any(|&end| end < 0 || self.unit == PartUnit::Percent)
    }

    /// The rows that are meant, of `total`; `u64::MAX` where that does not matter.
    pub(super) fn window(&self, total: u64) -> Result<Range<u64>, DataError> {
        let rows = i64::try_from(total).unwrap_or(i64::MAX);
        let end = |end: Option<i64>, default: i64| -> Result<i64, DataError> {
            let Some(end) = end else { return Ok(default) };
            let end = if self.unit == PartUnit::Percent { self.share(end, rows)? } else { end };
            Ok((if end < 0 { rows.saturating_add(end).max(0) } else { end }).min(rows))
        };
        let (from, to) = (end(self.from, 0)?.unsigned_abs(), end(self.to, rows)?.unsigned_abs());
        Ok(from..to.max(from))
    }

    fn share(&self, percent: i64, rows: i64) -> Result<i64, DataError> {
        match self.rounding {
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
            PartRounding::Closest => Ok((percent as f64 * rows as f64 / 100.0).round_ties_even() as i64),
            PartRounding::Pct1DropRemainder if rows < 100 => Err(DataError::new(
                "split-too-small",
                format!("pct1_dropremainder takes nothing of {rows} rows: it needs 100"),
            )
            .hint("leave the rounding out")),
            PartRounding::Pct1DropRemainder => Ok(percent * (rows / 100)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: Option<i64>, to: Option<i64>, unit: PartUnit, total: u64) -> Range<u64> {
        PartSpec { from, to, unit, ..PartSpec::default() }.window(total).unwrap()
    }

    #[test]
    fn rows_are_counted_from_both_ends() {
        use PartUnit::Rows;
        assert_eq!(window(None, None, Rows, 7), 0..7);
        assert_eq!(window(Some(2), None, Rows, 7), 2..7);
        assert_eq!(window(Some(-5), None, Rows, 7), 2..7);
        assert_eq!(window(Some(-50), Some(-2), Rows, 7), 0..5);
        assert_eq!(window(Some(3), Some(100), Rows, 7), 3..7);
        assert_eq!(window(Some(5), Some(3), Rows, 7), 5..5);
        assert_eq!(window(None, Some(0), Rows, 7), 0..0);
    }

    #[test]
    fn shares_round_to_the_even_row_of_two() {
        use PartUnit::Percent;
        assert_eq!(window(None, Some(20), Percent, 21), 0..4);
        assert_eq!(window(None, Some(50), Percent, 5), 0..2);
        assert_eq!(window(Some(50), None, Percent, 7), 4..7);
        assert_eq!(window(Some(-10), None, Percent, 21), 19..21);
        let part =
            PartSpec { to: Some(10), unit: Percent, rounding: PartRounding::Pct1DropRemainder, ..PartSpec::default() };
        assert_eq!(part.window(999).unwrap(), 0..90);
        assert_eq!(part.window(99).unwrap_err().code, "split-too-small");
    }
}
