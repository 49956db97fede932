//! Gemma 3 (fixed count, optional crops), Gemma 3n (fixed count), Gemma 4 (budget of soft tokens).

use crate::arith::{ceil_div, count};
use crate::expander::{Frames, Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused};
use crate::params::{Params, ParamsError, Reader};

fn gemma3_frame(expansion: &mut Expansion, begin: &'static str, token: &'static str, end: &'static str, tokens: u32) {
    expansion.text("\n\n");
    expansion.token(begin);
    expansion.placeholders(token, tokens);
    expansion.token(end);
    expansion.text("\n\n");
}

fn gemma3_image(expansion: &mut Expansion, tokens: u32) {
    gemma3_frame(expansion, "<start_of_image>", "<image_soft_token>", "<end_of_image>", tokens);
}

#[derive(Clone, Copy)]
struct Crops {
    min_crop: f64,
    max_crops: f64,
    min_ratio: f64,
}

impl Crops {
    /// How many crops pan-and-scan makes; 0 when the image is too square or too small for any.
    fn number(&self, sides: Sides) -> u32 {
        let (long, short) = (sides.h.max(sides.w), sides.h.min(sides.w));
        if long / short < self.min_ratio {
            return 0;
        }
        let wanted = (long / self.min_crop).floor().min((long / short + 0.5).floor());
        let crops = wanted.max(2.0).min(self.max_crops);
        if (long / crops).ceil().min(short) < self.min_crop { 0 } else { crops as u32 }
    }
}

/// Absent keys: `Gemma3Processor`, which sets pan-and-scan itself whatever the image processor's file says.
pub(crate) fn gemma3(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.processor_reader();
    let tokens = reader.uint("image_seq_length", &[], 256, 1..=1 << 16)?;
    let crops = reader.flag("do_pan_and_scan", false)?.then_some(Crops {
        min_crop: f64::from(reader.uint("pan_and_scan_min_crop_size", &[], 256, 1..=1 << 16)?),
        max_crops: f64::from(reader.uint("pan_and_scan_max_num_crops", &[], 4, 1..=1024)?),
        min_ratio: reader.float("pan_and_scan_min_ratio_to_activate", 1.2, 0.0..=1e6)?,
    });
    Ok(Rules::default().images(Prompt::bare("<start_of_image>"), move |sides, _: Place| {
        let number = crops.map_or(0, |crops| crops.number(sides));
        let mut expansion = Expansion::with_capacity(5 + 4 * number as usize);
        if number > 0 {
            expansion.text("Here is the original image ");
        }
        gemma3_image(&mut expansion, tokens);
        for crop in 0..number {
            expansion.text(if crop == 0 { " and here are some crops to help you see better " } else { " " });
            gemma3_image(&mut expansion, tokens);
        }
        expansion.grid.push(GridValue::one("num_crops", number));
        Ok(expansion)
    }))
}

/// Absent keys: `Gemma3nProcessor`.
pub(crate) fn gemma3n(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.processor_reader();
    let images = reader.uint("image_seq_length", &[], 256, 1..=1 << 16)?;
    let audio = reader.uint("audio_seq_length", &[], 188, 1..=1 << 16)?;
    Ok(Rules::default()
        .images(Prompt::bare("<image_soft_token>"), move |_, _: Place| {
            let mut expansion = Expansion::with_capacity(5);
            gemma3_image(&mut expansion, images);
            Ok(expansion)
        })
        .audios(Prompt::bare("<audio_soft_token>"), move |_, _: Place| {
            let mut expansion = Expansion::with_capacity(5);
            gemma3_frame(&mut expansion, "<start_of_audio>", "<audio_soft_token>", "<end_of_audio>", audio);
            Ok(expansion)
        }))
}

#[derive(Clone, Copy)]
struct SoftTokens {
    patch: f64,
    pool: f64,
    budget: f64,
}

impl SoftTokens {
    fn read(reader: &Reader<'_>, budget: u32) -> Result<Self, ParamsError> {
        Ok(SoftTokens {
            patch: f64::from(reader.uint("patch_size", &[], 16, 1..=1024)?),
            pool: f64::from(reader.uint("pooling_kernel_size", &[], 3, 1..=64)?),
            budget: f64::from(reader.uint("max_soft_tokens", &[], budget, 1..=1 << 20)?),
        })
    }

    /// Tokens of an image scaled, up or down, to the budget.
    fn number(&self, sides: Sides) -> Result<u32, Refused> {
        let Sides { h: height, w: width } = sides;
        let side = self.pool * self.patch;
        let max_patches = self.budget * (self.pool * self.pool);
        let factor = (max_patches * (self.patch * self.patch) / (height * width)).sqrt();
        let mut h = (factor * height / side).floor() * side;
        let mut w = (factor * width / side).floor() * side;
        let longest = (max_patches / (self.pool * self.pool)).floor() * side;
        if h == 0.0 && w == 0.0 {
            return Err(Refused::by_processor(format!(
                "Attempting to resize to a 0 x 0 image. Resized height should be divisible by {side}"
            )));
        }
        if h == 0.0 {
            h = side;
            w = ((width / height).floor() * side).min(longest);
        } else if w == 0.0 {
            w = side;
            h = ((height / width).floor() * side).min(longest);
        }
        count(((h / self.patch).floor() * (w / self.patch).floor() / (self.pool * self.pool)).floor())
    }
}

fn gemma4_image(expansion: &mut Expansion, token: &'static str, tokens: u32) {
    expansion.token("<|image>");
    expansion.placeholders(token, tokens);
    expansion.token("<image|>");
}

/// Absent keys: `Gemma4ImageProcessor`, `Gemma4VideoProcessor`, `Gemma4AudioFeatureExtractor`.
pub(crate) fn gemma4(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Audio);
    let max_samples = reader.uint("max_samples", &["max_length"], 480_000, 1..=u32::MAX)?;
    let hop = u64::from(reader.uint("hop_length", &[], 160, 1..=1 << 16)?);
    with_audio(params, move |samples| {
        let frames = (samples.min(u64::from(max_samples)) - 1) / hop;
        ceil_div(ceil_div(frames, 2), 2)
    })
}

/// Absent keys: `Gemma4UnifiedImageProcessor` and its kin.
pub(crate) fn gemma4_unified(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Audio);
    let per_token = u64::from(reader.uint("audio_samples_per_token", &[], 640, 1..=1 << 20)?);
    with_audio(params, move |samples| ceil_div(samples, per_token))
}

fn with_audio(params: &Params, tokens: impl Fn(u64) -> u64 + Send + Sync + 'static) -> Result<Rules, ParamsError> {
    let images = SoftTokens::read(&params.reader(MediaKind::Image), 280)?;
    let videos = SoftTokens::read(&params.reader(MediaKind::Video), 70)?;
    Ok(Rules::default()
        .images(Prompt::bare("<|image|>"), move |sides, _: Place| {
            let tokens = images.number(sides)?;
            let mut expansion = Expansion::with_capacity(3);
            gemma4_image(&mut expansion, "<|image|>", tokens);
            expansion.grid.push(GridValue::one("num_soft_tokens_per_image", tokens));
            Ok(expansion)
        })
        .videos(Prompt::bare("<|video|>"), move |frames, _: Place| gemma4_video(&videos, frames))
        .audios(Prompt::bare("<|audio|>"), move |samples, _: Place| {
            let mut expansion = Expansion::with_capacity(3);
            expansion.token("<|audio>");
            expansion.placeholders("<|audio|>", count(tokens(samples) as f64)?);
            expansion.token("<audio|>");
            Ok(expansion)
        }))
}

/// Every frame is an image of its own, after its time.
fn gemma4_video(soft: &SoftTokens, frames: Frames) -> Result<Expansion, Refused> {
    let tokens = soft.number(frames.sides)?;
    let mut expansion = Expansion::with_capacity(4 * frames.count as usize);
    for frame in 0..frames.count {
        let seconds = f64::from(frame) / frames.fps;
        let space = if frame == 0 { "" } else { " " };
        expansion.text(format!("{space}{:02}:{:02} ", (seconds / 60.0).floor() as u64, (seconds % 60.0) as u64));
        gemma4_image(&mut expansion, "<|video|>", tokens);
    }
    expansion.grid.push(GridValue::one("num_soft_tokens_per_video", tokens));
    Ok(expansion)
}
