//! Llama 3.2 Vision (one token per image, cross-attention) and Llama 4 (tiles in a canvas).

use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind};
use crate::params::{Params, ParamsError};
use crate::tiles::tile_limit;

/// Every canvas of at most `max` tiles, rows outside.
fn canvases(max: u32) -> Vec<(u32, u32)> {
    (1..=max).flat_map(|rows| (1..=max / rows).map(move |columns| (rows, columns))).collect()
}

/// Which canvas an image goes on: the smallest upscale (`largest`: the largest) that fits, else the mildest downscale; then
/// the smaller area. `scale` has the precision of the original.
fn best_canvas(canvases: &[(u32, u32)], largest: bool, scale: impl Fn(u32, u32) -> f64) -> usize {
    let mut best: Option<(f64, u32, usize)> = None;
    for (index, &(rows, columns)) in canvases.iter().enumerate() {
        let (scale, area) = (scale(rows, columns), rows * columns);
        let better = best.is_none_or(|(best_scale, best_area, _)| match (scale >= 1.0, best_scale >= 1.0) {
            (true, false) => true,
            (false, true) => false,
            _ if scale == best_scale => area < best_area,
            (true, true) if !largest => scale < best_scale,
            _ => scale > best_scale,
        });
        if better {
            best = Some((scale, area, index));
        }
    }
    best.map_or(0, |(_, _, index)| index)
}

/// Absent keys: `MllamaImageProcessor`.
pub(crate) fn mllama(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let tile = f64::from(reader.uint("tile_size", &["size"], 224, 1..=1 << 16)?);
    let canvases = canvases(tile_limit(&reader, "max_image_tiles", 4)?);
    let mut rules = Rules::default().images(Prompt::bare("<|image|>"), move |Sides { h, w }, _: Place| {
        let index = best_canvas(&canvases, false, |rows, columns| {
            (f64::from(rows) * tile / h).min(f64::from(columns) * tile / w)
        });
        let (rows, columns) = canvases[index];
        let mut expansion = Expansion::with_capacity(1);
        expansion.placeholders("<|image|>", 1);
        expansion.grid.push(GridValue::one("num_tiles", rows * columns));
        expansion.grid.push(GridValue::one("aspect_ratio_ids", index as u32 + 1));
        Ok(expansion)
    });
    rules.nested_grid = &["num_tiles", "aspect_ratio_ids"];
    Ok(rules)
}

/// Absent keys: `Llama4ImageProcessor` and `Llama4Processor`.
pub(crate) fn llama4(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let side = reader.uint("tile_size", &["size"], 336, 1..=1 << 16)?;
    let patch = params.processor_reader().uint("patch_size", &[], 14, 1..=1 << 16)?;
    let ratio = params.processor_reader().float("pixel_shuffle_ratio", 0.5, 0.001..=1.0)?;
    let largest = reader.flag("resize_to_max_canvas", false)?;
    let canvases = canvases(tile_limit(&reader, "max_patches", 16)?);
    let per_side = side / patch;
    let tokens = per_side * per_side / ((1.0 / (ratio * ratio)).round_ties_even() as u32).max(1);
    Ok(Rules::default().images(Prompt::bare("<|image|>"), move |Sides { h, w }, _: Place| {
        // torch divides an integer tensor by a Python integer in single precision.
        let scale = |tiles: u32, length: f64| (tiles * side) as f32 / length as f32;
        let index = best_canvas(&canvases, largest, |rows, columns| f64::from(scale(rows, h).min(scale(columns, w))));
        let (rows, columns) = canvases[index];
        let mut expansion = Expansion::with_capacity((2 * rows * columns) as usize + 4);
        expansion.token("<|image_start|>");
        if rows * columns > 1 {
            for _ in 0..rows {
                for column in 0..columns {
                    if column > 0 {
                        expansion.token("<|tile_x_separator|>");
                    }
                    expansion.placeholders("<|patch|>", tokens);
                }
                expansion.token("<|tile_y_separator|>");
            }
        }
        expansion.token("<|image|>");
        expansion.placeholders("<|patch|>", tokens);
        expansion.token("<|image_end|>");
        expansion.grid.push(GridValue::two("aspect_ratios", rows, columns));
        Ok(expansion)
    }))
}
