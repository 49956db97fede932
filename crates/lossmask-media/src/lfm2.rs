//! LFM2-VL: small images whole, large ones in tiles with a thumbnail.

use crate::arith::{PixelBudget, ceil_div, round_half_even};
use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Token};
use crate::internvl::Tiling;
use crate::params::{Params, ParamsError};
use crate::tiles::tile_limit;

struct Lfm2 {
    patch: u32,
    downsample: u32,
    budget: PixelBudget,
    tolerance: f64,
    tiling: Option<Tiling>,
    tile: u32,
    thumbnail: bool,
    delimiters: bool,
}

impl Lfm2 {
    fn read(params: &Params) -> Result<Self, ParamsError> {
        let reader = params.reader(MediaKind::Image);
        let patch = reader.uint("encoder_patch_size", &[], 16, 1..=1024)?;
        let downsample = reader.uint("downsample_factor", &[], 2, 1..=64)?;
        let factor = f64::from(patch * downsample);
        let tile = reader.uint("tile_size", &[], 512, 1..=1 << 14)?;
        let (min_tiles, max_tiles) = (tile_limit(&reader, "min_tiles", 2)?, tile_limit(&reader, "max_tiles", 10)?);
        let pixels = |tokens: u32| f64::from(tokens) * factor * factor;
        let min = pixels(reader.uint("min_image_tokens", &[], 64, 1..=1 << 16)?);
        let max = pixels(reader.uint("max_image_tokens", &[], 256, 1..=1 << 16)?);
        Ok(Lfm2 {
            patch,
            downsample,
            budget: PixelBudget { factor, min, max },
            tolerance: reader.float("max_pixels_tolerance", 2.0, 0.0..=1e6)?,
            tiling: reader.flag("do_image_splitting", true)?.then(|| Tiling::new(min_tiles, max_tiles, tile)),
            tile,
            thumbnail: reader.flag("use_thumbnail", true)?,
            delimiters: params.processor_reader().flag("use_image_special_tokens", true)?,
        })
    }

    fn fit(&self, Sides { h, w }: Sides) -> (f64, f64) {
        let factor = self.budget.factor;
        let at_least_one = |side: f64| factor.max(round_half_even(side / factor) * factor);
        // A side never rounds to nothing here, unlike in Qwen's rule.
        self.budget.scale((h, w), (at_least_one(h), at_least_one(w)), 1.0, 1.0)
    }

    fn is_large(&self, Sides { h, w }: Sides) -> bool {
        let factor = self.budget.factor;
        let rounded = |side: f64| f64::from(self.patch).max(round_half_even(side / factor) * factor);
        rounded(h) * rounded(w) > self.budget.max * self.tolerance
    }

    fn tokens(&self, h: f64, w: f64) -> u32 {
        let cells = |side: f64| ceil_div((side as u64) / u64::from(self.patch), u64::from(self.downsample)) as u32;
        cells(h) * cells(w)
    }

    fn expand(&self, sides: Sides) -> Expansion {
        let (h, w) = self.fit(sides);
        let (columns, rows) = match &self.tiling {
            Some(tiling) if self.is_large(sides) => tiling.grid(sides),
            _ => (1, 1),
        };
        let mut expansion = Expansion::with_capacity((2 * rows * columns) as usize + 4);
        if self.delimiters {
            expansion.token("<|image_start|>");
        }
        let side = f64::from(self.tile);
        if rows * columns > 1 {
            for row in 1..=rows {
                for column in 1..=columns {
                    if self.delimiters {
                        expansion.push(Token::Tile("<|img_row_", row, "_col_", column, "|>"), 1);
                    }
                    expansion.placeholders("<image>", self.tokens(side, side));
                }
            }
            if self.thumbnail {
                if self.delimiters {
                    expansion.token("<|img_thumbnail|>");
                }
                expansion.placeholders("<image>", self.tokens(h, w));
            }
        } else {
            expansion.placeholders("<image>", self.tokens(h, w));
        }
        if self.delimiters {
            expansion.token("<|image_end|>");
        }
        expansion.grid.push(GridValue::two("image_sizes", h as u32, w as u32));
        expansion.grid.push(GridValue::one("image_rows", rows));
        expansion.grid.push(GridValue::one("image_cols", columns));
        expansion
    }
}

/// Absent keys: `Lfm2VlImageProcessor`.
pub(crate) fn lfm2(params: &Params) -> Result<Rules, ParamsError> {
    let lfm2 = Lfm2::read(params)?;
    Ok(Rules::default().images(Prompt::bare("<image>"), move |sides, _: Place| Ok(lfm2.expand(sides))))
}
