//! InternVL, Aya Vision, DeepSeek-OCR 2: tiles in the grid of the nearest ratio, plus the whole image. DeepSeek-VL: always the same.

use crate::arith::refuse_zero_side;
use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused, Token};
use crate::params::{Params, ParamsError, Reader};
use crate::tiles::{Grid, grids_by_area, nearest_ratio, tile_limit};

/// The grids that an image may be cut into.
pub(crate) struct Tiling {
    grids: Vec<Grid>,
    tile: f64,
}

impl Tiling {
    pub(crate) fn new(min: u32, max: u32, tile: u32) -> Self {
        Tiling { grids: grids_by_area(min, max), tile: f64::from(tile) }
    }

    fn read(reader: &Reader<'_>, crops: bool, min: u32, max: u32, tile: u32) -> Result<Option<Self>, ParamsError> {
        let tile = reader.uint("tile_size", &["size"], tile, 1..=1 << 16)?;
        let min = tile_limit(reader, "min_patches", min)?;
        let max = tile_limit(reader, "max_patches", max)?;
        Ok(crops.then(|| Tiling::new(min, max, tile)))
    }

    /// Columns and rows.
    pub(crate) fn grid(&self, sides: Sides) -> Grid {
        nearest_ratio(&self.grids, sides.w, sides.h, self.tile)
    }
}

/// Tiles of an image, with the whole image as one more when there are several.
fn patches(tiling: Option<&Tiling>, sides: Sides) -> u32 {
    let (columns, rows) = tiling.map_or((1, 1), |tiling| tiling.grid(sides));
    if columns * rows == 1 { 1 } else { columns * rows + 1 }
}

/// Absent keys: `InternVLProcessor`, which crops whatever the image processor's file says; tiles of 448 as released.
pub(crate) fn internvl(params: &Params) -> Result<Rules, ParamsError> {
    let crops = params.processor_reader().flag("crop_to_patches", true)?;
    let tiling = Tiling::read(&params.reader(MediaKind::Image), crops, 1, 12, 448)?;
    let tokens = params.processor_reader().uint("image_seq_length", &[], 256, 1..=1 << 16)?;
    Ok(Rules::default()
        .images(Prompt::bare("<IMG_CONTEXT>"), move |sides, _: Place| {
            let patches = patches(tiling.as_ref(), sides);
            let mut expansion = Expansion::with_capacity(3);
            internvl_run(&mut expansion, tokens * patches);
            expansion.grid.push(GridValue::one("num_patches", patches));
            Ok(expansion)
        })
        .videos(Prompt::bare("<video>"), move |frames, _: Place| {
            let mut expansion = Expansion::with_capacity(4 * frames.count as usize);
            for frame in 1..=frames.count {
                expansion.text(format!("{}Frame{frame}: ", if frame == 1 { "" } else { "\n" }));
                internvl_run(&mut expansion, tokens);
            }
            Ok(expansion)
        }))
}

fn internvl_run(expansion: &mut Expansion, tokens: u32) {
    expansion.token("<img>");
    expansion.placeholders("<IMG_CONTEXT>", tokens);
    expansion.token("</img>");
}

/// Absent keys: `AyaVisionProcessor` and `GotOcr2ImageProcessor`.
pub(crate) fn aya(params: &Params) -> Result<Rules, ParamsError> {
    let processor = params.processor_reader();
    let side = processor.uint("img_size", &[], 364, 1..=1 << 14)?;
    let cell =
        processor.uint("patch_size", &[], 28, 1..=1024)? * processor.uint("downsample_factor", &[], 1, 1..=64)?;
    let tokens = (side / cell) * (side / cell);
    let special = processor.flag("tile_tokens_special", true)?;
    let crops = processor.flag("crop_to_patches", true)?;
    let tiling = Tiling::read(&params.reader(MediaKind::Image), crops, 1, 12, 364)?;
    let label = move |expansion: &mut Expansion, token: Token| {
        if special { expansion.push(token, 1) } else { expansion.spelled(&token) }
    };
    Ok(Rules::default().images(Prompt::bare("<image>"), move |sides, _: Place| {
        let patches = patches(tiling.as_ref(), sides);
        let mut expansion = Expansion::with_capacity(2 * patches as usize + 2);
        expansion.token("<|START_OF_IMG|>");
        for tile in 1..patches {
            label(&mut expansion, Token::Numbered("TILE_", tile));
            expansion.placeholders("<|IMG_PATCH|>", tokens);
        }
        label(&mut expansion, Token::Named("TILE_GLOBAL"));
        expansion.placeholders("<|IMG_PATCH|>", tokens);
        expansion.token("<|END_OF_IMG|>");
        expansion.grid.push(GridValue::one("num_patches", patches));
        Ok(expansion)
    }))
}

/// Absent keys: `DeepseekOcr2ImageProcessor` and `DeepseekOcr2Processor`.
pub(crate) fn deepseek_ocr2(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let processor = params.processor_reader();
    let size = reader.uint("size", &[], 1024, 1..=1 << 14)?;
    let tile = reader.uint("tile_size", &[], 768, 1..=1 << 14)?;
    let cell = processor.uint("patch_size", &[], 16, 1..=1024)? * processor.uint("downsample_ratio", &[], 4, 1..=64)?;
    let crops = processor.flag("crop_to_patches", true)?;
    let tiling = crops
        .then(|| {
            Ok(Tiling::new(tile_limit(&processor, "min_patches", 2)?, tile_limit(&processor, "max_patches", 6)?, tile))
        })
        .transpose()?;
    let square = move |side: u32| side.div_ceil(cell) * side.div_ceil(cell);
    Ok(Rules::default().images(Prompt::bare("<image>"), move |sides, _: Place| {
        refuse_vanishing(f64::from(size), sides)?;
        let local = match &tiling {
            Some(tiling) if sides.h.max(sides.w) > f64::from(tile) => {
                let (columns, rows) = tiling.grid(sides);
                columns * rows
            }
            _ => 0,
        };
        let mut expansion = Expansion::with_capacity(1);
        expansion.placeholders("<image>", square(size) + square(tile) * local + 1);
        expansion.grid.push(GridValue::one("num_local_patches", local));
        Ok(expansion)
    }))
}

/// The whole image is fitted into a square; a side that rounds to nothing is refused.
fn refuse_vanishing(size: f64, Sides { h, w }: Sides) -> Result<(), Refused> {
    let longest = h.max(w);
    let fit = |side: f64| if side == longest { size } else { (side * size / longest).round_ties_even() };
    refuse_zero_side(fit(h), fit(w))
}

/// Absent keys: `DeepseekVLProcessor`.
pub(crate) fn deepseek_vl(params: &Params) -> Result<Rules, ParamsError> {
    let tokens = params.processor_reader().uint("num_image_tokens", &[], 576, 1..=1 << 16)?;
    Ok(Rules::default().images(Prompt::bare("<image_placeholder>"), move |_, _: Place| {
        let mut expansion = Expansion::with_capacity(1);
        expansion.placeholders("<image_placeholder>", tokens);
        Ok(expansion)
    }))
}
