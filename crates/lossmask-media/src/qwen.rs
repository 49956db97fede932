//! Qwen2-VL, Qwen2.5-VL, Qwen3-VL, Qwen3.5 and PaddleOCR-VL: sides become multiples of the merged patch, the area is kept in a budget.

use crate::arith::{PixelBudget, count, refuse_extreme_ratio, round_half_even};
use crate::expander::{Frames, Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused, Token};
use crate::glm::fit_frames;
use crate::params::{Params, ParamsError, Reader};

const IMAGE: Prompt = Prompt {
    placeholder: "<|image_pad|>",
    before: &[Token::Named("<|vision_start|>")],
    after: &[Token::Named("<|vision_end|>")],
};
const VIDEO: Prompt = Prompt {
    placeholder: "<|video_pad|>",
    before: &[Token::Named("<|vision_start|>")],
    after: &[Token::Named("<|vision_end|>")],
};
const PADDLE: Prompt = Prompt {
    placeholder: "<|IMAGE_PLACEHOLDER|>",
    before: &[Token::Named("<|IMAGE_START|>")],
    after: &[Token::Named("<|IMAGE_END|>")],
};

/// Patches and the pixels they may cover.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patches {
    pub patch: f64,
    pub merge: f64,
    pub temporal: u32,
    pub budget: PixelBudget,
}

/// Class defaults of one kind of media.
pub(crate) struct Defaults {
    pub patch: u32,
    pub min: u64,
    pub max: u64,
}

impl Patches {
    pub(crate) fn read(reader: &Reader<'_>, defaults: &Defaults) -> Result<Self, ParamsError> {
        let patch = f64::from(reader.uint("patch_size", &[], defaults.patch, 1..=1024)?);
        let merge = f64::from(reader.uint("merge_size", &[], 2, 1..=64)?);
        let temporal = reader.uint("temporal_patch_size", &[], 2, 1..=64)?;
        let min = reader.pixels("min_pixels", &["size.shortest_edge", "size.min_pixels"], defaults.min)? as f64;
        let max = reader.pixels("max_pixels", &["size.longest_edge", "size.max_pixels"], defaults.max)? as f64;
        Ok(Patches { patch, merge, temporal, budget: PixelBudget { factor: patch * merge, min, max } })
    }

    /// The expansion of a resized size: one run of placeholders.
    pub(crate) fn run(
        &self,
        grid: &'static str,
        token: &'static str,
        steps: u32,
        h: f64,
        w: f64,
    ) -> Result<Expansion, Refused> {
        let mut expansion = Expansion::with_capacity(3);
        expansion.placeholders(token, self.tokens(f64::from(steps), h, w)?);
        expansion.grid.push(self.grid(grid, steps, h, w));
        Ok(expansion)
    }

    pub(crate) fn tokens(&self, steps: f64, h: f64, w: f64) -> Result<u32, Refused> {
        count((steps * (h / self.patch).floor() * (w / self.patch).floor() / (self.merge * self.merge)).floor())
    }

    pub(crate) fn grid(&self, name: &'static str, steps: u32, h: f64, w: f64) -> GridValue {
        GridValue::three(name, steps, (h / self.patch) as u32, (w / self.patch) as u32)
    }
}

fn image(patches: &Patches, token: &'static str, sides: Sides) -> Result<Expansion, Refused> {
    refuse_extreme_ratio(sides.h, sides.w)?;
    let (h, w) = patches.budget.fit(sides.h, sides.w, 1.0, 1.0);
    patches.run("image_grid_thw", token, 1, h, w)
}

/// Qwen2-VL and Qwen2.5-VL. Absent keys: `Qwen2VLImageProcessor` and `Qwen2VLVideoProcessor`.
pub(crate) fn qwen2(params: &Params) -> Result<Rules, ParamsError> {
    let images = Patches::read(&params.reader(MediaKind::Image), &Defaults { patch: 14, min: 3_136, max: 1_003_520 })?;
    let reader = params.reader(MediaKind::Video);
    let videos = Patches::read(&reader, &Defaults { patch: 14, min: 100_352, max: 602_112 })?;
    let cap = Cap::read(&reader, 128_000)?;
    Ok(Rules::default().images(IMAGE, move |sides, _: Place| image(&images, "<|image_pad|>", sides)).videos(
        VIDEO,
        move |frames, _: Place| {
            refuse_extreme_ratio(frames.sides.h, frames.sides.w)?;
            let mut budget = videos.budget;
            if let Some(tokens) = cap.0 {
                let total = (tokens * budget.factor * budget.factor * 0.9).floor();
                let share = (total * f64::from(videos.temporal) / f64::from(frames.count)).floor();
                budget.max = budget.max.min(share).max((budget.min * 1.05).floor());
            }
            let (h, w) = budget.fit(frames.sides.h, frames.sides.w, 1.0, 1.0);
            videos.run("video_grid_thw", "<|video_pad|>", frames.count.div_ceil(videos.temporal), h, w)
        },
    ))
}

/// Qwen3-VL and Qwen3.5. Absent image keys: the released checkpoints' (their class is Qwen2-VL's); absent video keys:
/// `Qwen3VLVideoProcessor`.
pub(crate) fn qwen3(params: &Params) -> Result<Rules, ParamsError> {
    let images =
        Patches::read(&params.reader(MediaKind::Image), &Defaults { patch: 16, min: 65_536, max: 16_777_216 })?;
    let reader = params.reader(MediaKind::Video);
    let videos = Patches::read(&reader, &Defaults { patch: 16, min: 131_072, max: 786_432 })?;
    let cap = Cap::read(&reader, 768)?;
    Ok(Rules::default()
        .images(IMAGE, move |sides, _: Place| image(&images, "<|image_pad|>", sides))
        .videos(VIDEO, move |frames, _: Place| timed_video(&videos, cap, frames)))
}

/// The limit that `cap_pixels_per_frame` sets, in tokens; `None` when it is off, as it is by default.
#[derive(Clone, Copy)]
struct Cap(Option<f64>);

impl Cap {
    fn read(reader: &Reader<'_>, default: u32) -> Result<Self, ParamsError> {
        let on = reader.flag("cap_pixels_per_frame", false)?;
        let tokens = reader.uint("max_video_tokens", &[], default, 1..=1 << 24)?;
        Ok(Cap(on.then_some(f64::from(tokens))))
    }
}

fn timed_video(patches: &Patches, cap: Cap, frames: Frames) -> Result<Expansion, Refused> {
    let mut patches = *patches;
    if let Cap(Some(tokens)) = cap {
        let count = f64::from(frames.count);
        let budget = &mut patches.budget;
        let per_frame = (tokens * budget.factor * budget.factor).min((budget.max / count).floor());
        budget.max = per_frame.max((budget.min * 1.05).floor()) * count;
    }
    let (h, w) = fit_frames(&patches, frames)?;
    let steps = frames.count.div_ceil(patches.temporal);
    let tokens = patches.tokens(1.0, h, w)?;
    let mut expansion = Expansion::with_capacity(4 * steps as usize);
    for step in 0..steps {
        let first = step * patches.temporal;
        let last = (first + patches.temporal - 1).min(frames.count - 1);
        let seconds = (f64::from(first) / frames.fps + f64::from(last) / frames.fps) / 2.0;
        expansion.text(format!("<{seconds:.1} seconds>"));
        expansion.token("<|vision_start|>");
        expansion.placeholders("<|video_pad|>", tokens);
        expansion.token("<|vision_end|>");
    }
    expansion.grid.push(patches.grid("video_grid_thw", steps, h, w));
    Ok(expansion)
}

/// PaddleOCR-VL. Absent keys: `PaddleOCRVLImageProcessor`.
pub(crate) fn paddleocr(params: &Params) -> Result<Rules, ParamsError> {
    let patches =
        Patches::read(&params.reader(MediaKind::Image), &Defaults { patch: 14, min: 147_456, max: 2_359_296 })?;
    Ok(Rules::default().images(PADDLE, move |sides, _: Place| {
        let factor = patches.budget.factor;
        let Sides { mut h, mut w } = sides;
        if h < factor {
            w = round_half_even((w * factor) / h);
            h = factor;
        }
        if w < factor {
            h = round_half_even((h * factor) / w);
            w = factor;
        }
        image(&patches, "<|IMAGE_PLACEHOLDER|>", Sides { h, w })
    }))
}
