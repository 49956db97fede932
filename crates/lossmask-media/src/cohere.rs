//! Command A Vision: the canvas of tiles that needs the least scaling.

use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind};
use crate::params::{Params, ParamsError};
use crate::tiles::{Grid, grids_by_area, tile_limit};

/// The smallest upscale that fits; when nothing fits, the mildest downscale. The first grid wins ties.
fn best_grid(grids: &[Grid], tile: f64, Sides { h, w }: Sides) -> Grid {
    let scale = |&(columns, rows): &Grid| (f64::from(columns) * tile / w).min(f64::from(rows) * tile / h);
    let mut best = (1, 1);
    let mut best_scale = f64::NEG_INFINITY;
    for grid in grids {
        let scale = scale(grid);
        let better = if best_scale < 1.0 { scale > best_scale } else { scale >= 1.0 && scale < best_scale };
        if better {
            best = *grid;
            best_scale = scale;
        }
    }
    best
}

/// Absent keys: `Cohere2VisionImageProcessor`. `min_patches` has no effect in the original.
pub(crate) fn cohere2(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let tile = f64::from(reader.uint("tile_size", &["size"], 512, 1..=1 << 14)?);
    let patch = reader.uint("patch_size", &[], 16, 1..=1024)?;
    let grids = grids_by_area(1, tile_limit(&reader, "max_patches", 12)?);
    let crops = reader.flag("crop_to_patches", true)?;
    // The original takes the square of the patch size, which for 16 is also the number of tokens of a tile.
    let tokens = patch * patch;
    Ok(Rules::default().images(Prompt::bare("<|IMG_PATCH|>"), move |sides, _: Place| {
        let (columns, rows) = if crops { best_grid(&grids, tile, sides) } else { (1, 1) };
        let patches = if columns * rows == 1 { 1 } else { columns * rows + 1 };
        let mut expansion = Expansion::with_capacity(2 * patches as usize + 2);
        expansion.token("<|START_OF_IMG|>");
        for _ in 0..patches {
            expansion.placeholders("<|IMG_PATCH|>", tokens);
            expansion.token("<|IMG_LINE_BREAK|>");
        }
        expansion.token("<|END_OF_IMG|>");
        expansion.grid.push(GridValue::one("num_patches", patches));
        Ok(expansion)
    }))
}
