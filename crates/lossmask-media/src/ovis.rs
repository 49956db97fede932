//! Ovis2: the fewest tiles that cover nine tenths of the image.

use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind};
use crate::params::{Params, ParamsError};
use crate::tiles::{Grid, grids_by_area, nearest_ratio, tile_limit};

struct Covering {
    grids: Vec<Grid>,
    tile: f64,
    threshold: f64,
}

impl Covering {
    /// How much of the image the tiles show when no tile may exceed the tile size. Tiles are as large as the first one, but for the last
    /// row and column, which take the rest; they are added left to right, as Python up to 3.11 does.
    fn covered(&self, (rows, columns): Grid, Sides { h, w }: Sides) -> f64 {
        let cut = |side: f64, parts: u32| {
            let first = (side / f64::from(parts)).floor();
            (first, side - f64::from(parts - 1) * first)
        };
        let ((height, last_height), (width, last_width)) = (cut(h, rows), cut(w, columns));
        let row_of = |height: f64| (self.shown(height, width), self.shown(height, last_width));
        let (inner, last) = (row_of(height), row_of(last_height));
        let mut sum = 0.0;
        for row in 1..=rows {
            let (tile, last_tile) = if row == rows { last } else { inner };
            for _ in 1..columns {
                sum += tile;
            }
            sum += last_tile;
        }
        sum / (w * h)
    }

    fn shown(&self, height: f64, width: f64) -> f64 {
        let (long, short) = (height.max(width), height.min(width));
        if long > self.tile { self.tile * (short / long * self.tile) } else { long * short }
    }

    /// The grid, in the order of the search. The original reads the winner as (columns, rows), whatever it was searched as.
    fn best(&self, sides: Sides) -> Grid {
        let mut enough: Option<(u32, f64, Grid)> = None;
        let mut most: Option<(u32, f64, Grid)> = None;
        for &grid in &self.grids {
            let tiles = grid.0 * grid.1;
            // Grids come by their number of tiles: nothing behind this one has as few.
            if enough.is_some_and(|(fewest, ..)| fewest < tiles) {
                break;
            }
            let covered = self.covered(grid, sides);
            let wins = |best: Option<(u32, f64, Grid)>| best.is_none_or(|(_, most, _)| covered > most);
            if covered > self.threshold && wins(enough) {
                enough = Some((tiles, covered, grid));
            }
            if wins(most) {
                most = Some((tiles, covered, grid));
            }
        }
        enough.or(most).map_or((1, 1), |(_, _, grid)| grid)
    }
}

/// Absent keys: `Ovis2ImageProcessor` and `Ovis2Processor`.
pub(crate) fn ovis2(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let tile = f64::from(reader.uint("size", &[], 384, 1..=1 << 14)?);
    let tokens = params.processor_reader().uint("image_seq_length", &[], 256, 1..=1 << 16)?;
    let crops = reader.flag("crop_to_patches", false)?;
    let (min, max) = (tile_limit(&reader, "min_patches", 1)?, tile_limit(&reader, "max_patches", 12)?);
    let by_cover = reader.flag("use_covering_area_grid", true)?;
    let threshold = reader.float("covering_threshold", 0.9, 0.0..=1.0)?;
    let covering = Covering { grids: grids_by_area(if by_cover { 1 } else { min }, max), tile, threshold };
    Ok(Rules::default().images(Prompt::bare("<image>"), move |sides, _: Place| {
        let (columns, rows) = match (crops && max > 1, by_cover) {
            (false, _) => (1, 1),
            (true, true) => covering.best(sides),
            (true, false) => nearest_ratio(&covering.grids, sides.w, sides.h, tile),
        };
        Ok(expand(rows, columns, tokens))
    }))
}

fn expand(rows: u32, columns: u32, tokens: u32) -> Expansion {
    let mut expansion = Expansion::with_capacity((2 * rows * columns) as usize + 4);
    expansion.token("<IMG_START>");
    expansion.placeholders("<IMG_ATOM>", tokens);
    expansion.token("<IMG_GRID>");
    if rows * columns > 1 {
        for row in 0..rows {
            if row > 0 {
                expansion.token("<IMG_ROW>");
            }
            for column in 0..columns {
                if column > 0 {
                    expansion.token("<IMG_COL>");
                }
                expansion.placeholders("<IMG_ATOM>", tokens);
            }
        }
    }
    expansion.token("<IMG_END>");
    expansion.grid.push(GridValue::two("grids", rows, columns));
    expansion
}
