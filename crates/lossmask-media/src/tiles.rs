//! Grids of tiles: which ones there are, and which one suits an image. Shared by the families that crop.

use crate::params::{ParamsError, Reader};

/// Columns and rows.
pub(crate) type Grid = (u32, u32);

/// All grids of `min..=max` tiles in the order of their area; among equal areas the one with fewer columns first.
pub(crate) fn grids_by_area(min: u32, max: u32) -> Vec<Grid> {
    let mut grids = Vec::new();
    for columns in 1..=max {
        for rows in 1..=max / columns {
            if (min..=max).contains(&(columns * rows)) {
                grids.push((columns, rows));
            }
        }
    }
    grids.sort_by_key(|(columns, rows)| columns * rows);
    grids
}

/// The most tiles that a parameter may ask for; checkpoints use up to 36.
pub(crate) const MAX_TILES: u32 = 1024;

/// Reads a number of tiles.
pub(crate) fn tile_limit(reader: &Reader<'_>, key: &'static str, default: u32) -> Result<u32, ParamsError> {
    reader.uint(key, &[], default, 1..=MAX_TILES)
}

/// The grid whose ratio is nearest to the image's. A later grid of the same ratio wins when the image has more than half its area.
pub(crate) fn nearest_ratio(grids: &[Grid], width: f64, height: f64, tile: f64) -> Grid {
    let ratio = width / height;
    let area = width * height;
    let mut best = (1, 1);
    let mut best_difference = f64::INFINITY;
    for &(columns, rows) in grids {
        let (c, r) = (f64::from(columns), f64::from(rows));
        let difference = (ratio - c / r).abs();
        if difference < best_difference {
            best_difference = difference;
            best = (columns, rows);
        } else if difference == best_difference && area > 0.5 * tile * tile * c * r {
            best = (columns, rows);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_come_by_area() {
        assert_eq!(grids_by_area(1, 4), [(1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (1, 4), (2, 2), (4, 1)]);
        assert_eq!(grids_by_area(3, 3), [(1, 3), (3, 1)]);
        assert!(grids_by_area(5, 4).is_empty());
    }

    #[test]
    fn equal_ratio_goes_by_area() {
        let grids = grids_by_area(1, 4);
        assert_eq!(nearest_ratio(&grids, 10.0, 10.0, 448.0), (1, 1));
        assert_eq!(nearest_ratio(&grids, 2000.0, 2000.0, 448.0), (2, 2));
    }
}
