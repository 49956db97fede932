//! GLM-4.1V, 4.5V, 4.6V: Qwen's resize with the frame count in every product, after small sides are scaled up.

use crate::arith::refuse_extreme_ratio;
use crate::expander::{Frames, Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, MediaKind, Refused, Token};
use crate::params::{Params, ParamsError};
use crate::qwen::{Defaults, Patches};

const IMAGE: Prompt = Prompt {
    placeholder: "<|image|>",
    before: &[Token::Named("<|begin_of_image|>")],
    after: &[Token::Named("<|end_of_image|>")],
};
const VIDEO: Prompt = Prompt {
    placeholder: "<|video|>",
    before: &[Token::Named("<|begin_of_video|>")],
    after: &[Token::Named("<|end_of_video|>")],
};

/// The resize of frames, which Qwen3-VL's videos share. The number of frames is rounded like a side.
pub(crate) fn fit_frames(patches: &Patches, frames: Frames) -> Result<(f64, f64), Refused> {
    let Sides { mut h, mut w } = frames.sides;
    let temporal = f64::from(patches.temporal);
    let count = f64::from(frames.count);
    if count < temporal {
        let message = format!("t:{} must be larger than temporal_factor:{}", frames.count, patches.temporal);
        return Err(Refused::by_processor(message));
    }
    let factor = patches.budget.factor;
    if h < factor || w < factor {
        let scale = (factor / h).max(factor / w);
        h = (h * scale).trunc();
        w = (w * scale).trunc();
    }
    refuse_extreme_ratio(h, w)?;
    Ok(patches.budget.fit(h, w, count, (count / temporal).round_ties_even() * temporal))
}

/// How a frame's time is written.
#[derive(Clone, Copy)]
enum Clock {
    Seconds,
    Tenths,
}

/// GLM-4.1V and GLM-4.5V. Absent keys: `Glm4vImageProcessor` and `Glm4vVideoProcessor`.
pub(crate) fn glm4v(params: &Params) -> Result<Rules, ParamsError> {
    rules(params, Clock::Seconds)
}

/// GLM-4.6V. Absent keys: `Glm46VImageProcessor` and `Glm46VVideoProcessor`.
pub(crate) fn glm46v(params: &Params) -> Result<Rules, ParamsError> {
    rules(params, Clock::Tenths)
}

fn rules(params: &Params, clock: Clock) -> Result<Rules, ParamsError> {
    let images =
        Patches::read(&params.reader(MediaKind::Image), &Defaults { patch: 14, min: 12_544, max: 11_760_000 })?;
    let videos =
        Patches::read(&params.reader(MediaKind::Video), &Defaults { patch: 14, min: 12_544, max: 47_040_000 })?;
    Ok(Rules::default()
        .images(IMAGE, move |sides, _: Place| {
            let (h, w) = fit_frames(&images, Frames { sides, count: images.temporal, fps: 1.0 })?;
            images.run("image_grid_thw", "<|image|>", 1, h, w)
        })
        .videos(VIDEO, move |frames, _: Place| video(&videos, clock, frames)))
}

/// One image per temporal step, each followed by its time. The placeholder is the image's, not the video's.
fn video(patches: &Patches, clock: Clock, frames: Frames) -> Result<Expansion, Refused> {
    let (h, w) = fit_frames(patches, frames)?;
    let steps = frames.count.div_ceil(patches.temporal);
    let tokens = patches.tokens(1.0, h, w)?;
    let times = frames.count.div_ceil(2);
    let mut expansion = Expansion::with_capacity(4 * steps as usize);
    for step in 0..steps {
        // The processor takes every second frame's time, whatever the temporal patch, and repeats the last one.
        let seconds = f64::from(2 * step.min(times - 1)) / frames.fps;
        expansion.token("<|begin_of_image|>");
        expansion.placeholders("<|image|>", tokens);
        expansion.token("<|end_of_image|>");
        expansion.text(match clock {
            Clock::Seconds => format!("{}", seconds.trunc()),
            Clock::Tenths => format!("{seconds:.1} seconds"),
        });
    }
    expansion.grid.push(patches.grid("video_grid_thw", steps, h, w));
    Ok(expansion)
}
