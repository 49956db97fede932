//! Dates and times of columns, as Python's `str` writes them.

use std::fmt::Write;

const DAY: i128 = 86_400_000_000_000;

/// Days since 1970 as `2024-01-15`.
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Nanoseconds since midnight as `12:00:00`, with the fraction where there is one.
pub(super) fn time(nanos: i64) -> String {
    let seconds = nanos.div_euclid(1_000_000_000);
    let mut out = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = nanos.rem_euclid(1_000_000_000);
    if fraction % 1000 != 0 {
        let _ = write!(out, ".{fraction:09}");
    } else if fraction != 0 {
        let _ = write!(out, ".{:06}", fraction / 1000);
    }
    out
}

/// Nanoseconds since 1970 as `2024-01-15 12:00:00`.
pub(super) fn timestamp(nanos: i128) -> String {
    let days = i64::try_from(nanos.div_euclid(DAY)).unwrap_or(i64::MAX);
    format!("{} {}", date(days), time(nanos.rem_euclid(DAY) as i64))
}

/// Year, month and day of the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::{date, time, timestamp};

    #[test]
    fn moments_are_written_as_python_writes_them() {
        let dates = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (19_737, "2024-01-15"),
            (11_016, "2000-02-29"),
            (-719_162, "0001-01-01"),
        ];
        for (days, text) in dates {
            assert_eq!(date(days), text);
        }
        assert_eq!(time(3_723_000_000_000), "01:02:03");
        assert_eq!(time(3_723_004_000_000), "01:02:03.004000");
        assert_eq!(timestamp(1_705_280_523_004_000_001), "2024-01-15 01:02:03.004000001");
        assert_eq!(timestamp(-1_000), "1969-12-31 23:59:59.999999");
    }
}
