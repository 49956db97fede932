//! Phi-4-multimodal: tiles of 448, tokens of the padded border left out; audio by frames.

use crate::arith::ceil_div;
use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused};
use crate::internvl::Tiling;
use crate::params::{Params, ParamsError};
use crate::tiles::tile_limit;

struct Hd {
    side: f64,
    patch: f64,
    max: u32,
    tiling: Tiling,
}

impl Hd {
    fn grid(&self, sides: Sides) -> (u32, u32) {
        let columns = (sides.w / self.side).ceil();
        let rows = (sides.h / self.side).ceil();
        if columns * rows > f64::from(self.max) { self.tiling.grid(sides) } else { (columns as u32, rows as u32) }
    }

    fn expand(&self, sides: Sides) -> Result<Expansion, Refused> {
        let (columns, rows) = self.grid(sides);
        let (target_w, target_h) = (f64::from(columns) * self.side, f64::from(rows) * self.side);
        let (ratio_w, ratio_h) = (target_w / sides.w, target_h / sides.h);
        let (new_w, new_h) = if ratio_w < ratio_h {
            (target_w, (sides.h * ratio_w).trunc())
        } else {
            ((sides.w * ratio_h).trunc(), target_h)
        };
        if new_h.min(target_h) < 10.0 || new_w.min(target_w) < 10.0 {
            return Err(Refused::by_processor(format!("the aspect ratio is very extreme ({new_w}, {new_h})")));
        }
        let kept_columns = self.kept(columns, target_w - new_w);
        let kept_rows = self.kept(rows, target_h - new_h);
        let tokens = 256 + 1 + kept_rows * kept_columns + kept_rows + 16;
        let mut expansion = Expansion::with_capacity(1);
        expansion.placeholders("<|endoftext10|>", tokens);
        expansion.grid.push(GridValue::two("image_sizes", target_h as u32, target_w as u32));
        expansion.grid.push(GridValue::one("num_img_tokens", tokens));
        Ok(expansion)
    }

    /// Every second patch that is not padding, counted anew in each tile.
    fn kept(&self, tiles: u32, padding: f64) -> u32 {
        let per_tile = (self.side / self.patch).floor() as u32;
        let masked = (padding / self.patch).floor() as u32;
        let patches = (per_tile * tiles).saturating_sub(masked);
        if per_tile == 0 {
            return 0;
        }
        patches / per_tile * per_tile.div_ceil(2) + (patches % per_tile).div_ceil(2)
    }
}

/// Absent keys: `Phi4MultimodalImageProcessor` and `Phi4MultimodalFeatureExtractor`.
pub(crate) fn phi4(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let side = reader.uint("size", &[], 448, 16..=1 << 14)?;
    let max = tile_limit(&reader, "dynamic_hd", 36)?;
    let patch = f64::from(reader.uint("patch_size", &[], 14, 1..=1024)?);
    let hd = Hd { side: f64::from(side), patch, max, tiling: Tiling::new(1, max, side) };

    let reader = params.reader(MediaKind::Audio);
    let window = u64::from(reader.uint("win_length", &[], 400, 1..=1 << 16)?);
    let hop = u64::from(reader.uint("hop_length", &[], 160, 1..=1 << 16)?);
    let stride = u64::from(reader.uint("audio_feat_stride", &[], 1, 1..=64)?);
    let compression = u64::from(reader.uint("audio_compression_rate", &[], 8, 1..=64)?);
    let downsample = u64::from(reader.uint("audio_downsample_rate", &[], 1, 1..=64)?);
    Ok(Rules::default().images(Prompt::bare("<|endoftext10|>"), move |sides, _: Place| hd.expand(sides)).audios(
        Prompt::bare("<|endoftext11|>"),
        move |samples, _: Place| {
            if samples < window {
                let message = format!("maximum size for tensor at dimension 1 is {samples} but size is {window}");
                return Err(Refused::by_processor(message));
            }
            let frames = ((samples - window) / hop + 1) * stride;
            let mut expansion = Expansion::with_capacity(1);
            let tokens = ceil_div(ceil_div(frames, compression), downsample);
            expansion.placeholders("<|endoftext11|>", crate::arith::count(tokens as f64)?);
            Ok(expansion)
        },
    ))
}
