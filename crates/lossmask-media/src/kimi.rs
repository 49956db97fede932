//! Kimi K2.5: shrunk into a budget of patches, then padded up to whole merged patches.

use crate::arith::count;
use crate::expander::{Frames, Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused, Token};
use crate::params::{Params, ParamsError, Reader};
use std::borrow::Cow;

const IMAGE: Prompt = Prompt {
    placeholder: "<|media_pad|>",
    before: &[Token::Named("<|media_begin|>"), Token::Text(Cow::Borrowed("image")), Token::Named("<|media_content|>")],
    after: &[Token::Named("<|media_end|>")],
};
const VIDEO: Prompt = Prompt::bare("<|kimi_k25_video_placeholder|>");

#[derive(Clone, Copy)]
struct Patches {
    patch: f64,
    merge: f64,
    max_patches: f64,
    max_side: f64,
}

impl Patches {
    fn read(reader: &Reader<'_>, max_patches: u32) -> Result<Self, ParamsError> {
        Ok(Patches {
            patch: f64::from(reader.uint("patch_size", &[], 14, 1..=1024)?),
            merge: f64::from(reader.uint("merge_size", &[], 2, 1..=64)?),
            max_patches: f64::from(reader.uint("max_patches", &[], max_patches, 1..=1 << 24)?),
            max_side: f64::from(reader.uint("max_size_per_side", &["size.max_height"], 512, 1..=1 << 16)?),
        })
    }

    /// Patches down and across, after padding.
    fn grid(&self, sides: Sides) -> (u32, u32) {
        let Sides { h, w } = sides;
        let patches = (w / self.patch).floor().max(1.0) * (h / self.patch).floor().max(1.0);
        let longest = self.max_side * self.patch;
        let scale = 1f64.min((self.max_patches / patches).sqrt()).min(longest / w).min(longest / h);
        let cell = self.patch * self.merge;
        let side = |side: f64| {
            let resized = (side * scale).trunc().max(1.0).min(longest);
            ((resized / cell).ceil() * cell / self.patch) as u32
        };
        (side(h), side(w))
    }

    fn tokens(&self, (down, across): (u32, u32)) -> Result<u32, Refused> {
        count((f64::from(down) * f64::from(across) / (self.merge * self.merge)).floor())
    }
}

/// Absent keys: `Kimi_K25ImageProcessor` and `Kimi_K25VideoProcessor`.
pub(crate) fn k25(params: &Params) -> Result<Rules, ParamsError> {
    let images = Patches::read(&params.reader(MediaKind::Image), 16_384)?;
    let reader = params.reader(MediaKind::Video);
    let videos = Patches::read(&reader, 4_096)?;
    let chunk = reader.uint("temporal_patch_size", &[], 4, 1..=64)?;
    Ok(Rules::default()
        .images(IMAGE, move |sides, _: Place| {
            let grid = images.grid(sides);
            let mut expansion = Expansion::with_capacity(5);
            expansion.placeholders("<|media_pad|>", images.tokens(grid)?);
            expansion.grid.push(GridValue::three("image_grid_thw", 1, grid.0, grid.1));
            Ok(expansion)
        })
        .videos(VIDEO, move |frames, _: Place| video(&videos, chunk, frames)))
}

/// Chunks of a few frames; each costs the tokens of one frame.
fn video(patches: &Patches, chunk: u32, frames: Frames) -> Result<Expansion, Refused> {
    let grid = patches.grid(frames.sides);
    let tokens = patches.tokens(grid)?;
    let chunks = frames.count.div_ceil(chunk);
    let mut expansion = Expansion::with_capacity(6 * chunks as usize);
    for index in 0..chunks {
        let first = index * chunk;
        expansion.text(clock(f64::from(first) / frames.fps));
        expansion.token("<|media_begin|>");
        expansion.text("video");
        expansion.token("<|media_content|>");
        expansion.placeholders("<|kimi_k25_video_placeholder|>", tokens);
        expansion.token("<|media_end|>");
        expansion.grid.push(GridValue::three("video_grid_thw", chunk.min(frames.count - first), grid.0, grid.1));
    }
    expansion.grid.push(GridValue::one("num_chunks_per_video", chunks));
    Ok(expansion)
}

/// `HH:MM:SS.mmm`, hours from 0 again after a day, milliseconds cut off.
fn clock(seconds: f64) -> String {
    let whole = seconds.trunc() as u64;
    let millis = (seconds % 1.0 * 1000.0).trunc() as u64;
    format!("{:02}:{:02}:{:02}.{millis:03}", whole / 3600 % 24, whole / 60 % 60, whole % 60)
}
