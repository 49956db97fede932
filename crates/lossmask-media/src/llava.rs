//! LLaVA 1.5 (fixed), LLaVA-NeXT and Granite Vision (any resolution), LLaVA-OneVision (any resolution with a limit).

use crate::arith::{count, floor_div};
use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused};
use crate::params::{Params, ParamsError, Reader};

const PROMPT: Prompt = Prompt::bare("<image>");

/// Whether the encoder's class token is dropped, which costs one.
fn drops_class_token(reader: &Reader<'_>, default: &'static str) -> Result<bool, ParamsError> {
    Ok(reader.word("vision_feature_select_strategy", default)? == "default")
}

/// Absent keys: the released checkpoints of LLaVA 1.5 (the processor class knows no patch size of its own).
pub(crate) fn llava(params: &Params) -> Result<Rules, ParamsError> {
    let processor = params.processor_reader();
    let side = params.reader(MediaKind::Image).uint("crop_size", &["size.shortest_edge", "size"], 336, 1..=1 << 14)?;
    let patch = processor.uint("patch_size", &[], 14, 1..=1024)?;
    let additional = processor.uint("num_additional_image_tokens", &[], 1, 0..=1024)?;
    let dropped = u32::from(drops_class_token(&processor, "default")?);
    let tokens = (side / patch) * (side / patch) + additional;
    let tokens = tokens.saturating_sub(dropped);
    Ok(Rules::default().images(PROMPT, move |_, _: Place| {
        let mut expansion = Expansion::with_capacity(1);
        expansion.placeholders("<image>", tokens);
        Ok(expansion)
    }))
}

/// Height and width of the canvases an image may be put on.
fn pinpoints(reader: &Reader<'_>, default: &[(u32, u32)], tile: u32) -> Result<Vec<(f64, f64)>, ParamsError> {
    let wrong = || ParamsError::new("image_grid_pinpoints: expected a list of [height, width]".to_owned());
    let pairs: Vec<(u32, u32)> = match reader.find("image_grid_pinpoints", &[]) {
        None => default.to_vec(),
        Some(value) => {
            let list = value.as_array().ok_or_else(wrong)?;
            let pair = |item: &serde_json::Value| {
                let side = |index: usize| {
                    u32::try_from(item.get(index)?.as_u64()?).ok().filter(|side| (tile..=1 << 16).contains(side))
                };
                Some((side(0)?, side(1)?))
            };
            list.iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)?
        }
    };
    if pairs.is_empty() || pairs.len() > 1024 {
        return Err(wrong());
    }
    Ok(pairs.into_iter().map(|(height, width)| (f64::from(height), f64::from(width))).collect())
}

/// The canvas that keeps the most of the image's pixels, then wastes the least; the first wins ties.
fn best_resolution(pinpoints: &[(f64, f64)], Sides { h, w }: Sides) -> (f64, f64) {
    let mut best = pinpoints[0];
    let mut best_effective = 0.0;
    let mut best_wasted = f64::INFINITY;
    for &(height, width) in pinpoints {
        let scale = (width / w).min(height / h);
        let effective = ((w * scale).trunc() * (h * scale).trunc()).min(w * h);
        let wasted = width * height - effective;
        if effective > best_effective || (effective == best_effective && wasted < best_wasted) {
            best = (height, width);
            best_effective = effective;
            best_wasted = wasted;
        }
    }
    best
}

struct AnyResolution {
    pinpoints: Vec<(f64, f64)>,
    tile: f64,
    /// Features along one side of a tile.
    side: f64,
}

impl AnyResolution {
    /// Rows and columns of features once the padding is cut off again.
    fn unpadded(&self, Sides { h, w }: Sides) -> (f64, f64) {
        let (height, width) = best_resolution(&self.pinpoints, Sides { h, w });
        let mut rows = self.side * (height / self.tile).floor();
        let mut columns = self.side * (width / self.tile).floor();
        if w / h > columns / rows {
            let kept = rounded_to_7(h * (columns / w));
            rows -= 2.0 * ((rows - kept) / 2.0).floor();
        } else {
            let kept = rounded_to_7(w * (rows / h));
            columns -= 2.0 * ((columns - kept) / 2.0).floor();
        }
        (rows, columns)
    }
}

/// Python's `int(round(value, 7))`: exact decimal rounding, then cut off.
fn rounded_to_7(value: f64) -> f64 {
    let whole = value.trunc();
    // Only a value within half of 1e-7 below the next integer is lifted; the decimal text settles that exactly.
    if value - whole > 0.999_999 {
        let text = format!("{value:.7}");
        return text.parse::<f64>().map_or(whole, f64::trunc);
    }
    whole
}

/// Absent keys: `LlavaNextImageProcessor`, and the released checkpoints for what their class leaves open.
pub(crate) fn llava_next(params: &Params) -> Result<Rules, ParamsError> {
    const PINPOINTS: &[(u32, u32)] = &[(336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008)];
    next(params, &NextDefaults { tile: 336, patch: 14, additional: 1, strategy: "default", pinpoints: PINPOINTS })
}

/// Granite Vision 3.x and 4, whose classes or rules are LLaVA-NeXT's.
pub(crate) fn granite_vision(params: &Params) -> Result<Rules, ParamsError> {
    const PINPOINTS: &[(u32, u32)] = &[
        (384, 384),
        (384, 768),
        (384, 1152),
        (384, 1536),
        (384, 1920),
        (384, 2304),
        (384, 2688),
        (384, 3072),
        (384, 3456),
        (384, 3840),
        (768, 384),
        (768, 768),
        (768, 1152),
        (768, 1536),
        (768, 1920),
        (1152, 384),
        (1152, 768),
        (1152, 1152),
        (1536, 384),
        (1536, 768),
        (1920, 384),
        (1920, 768),
        (2304, 384),
        (2688, 384),
        (3072, 384),
        (3456, 384),
        (3840, 384),
    ];
    next(params, &NextDefaults { tile: 384, patch: 14, additional: 0, strategy: "full", pinpoints: PINPOINTS })
}

struct NextDefaults {
    tile: u32,
    patch: u32,
    additional: u32,
    strategy: &'static str,
    pinpoints: &'static [(u32, u32)],
}

fn next(params: &Params, defaults: &NextDefaults) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let processor = params.processor_reader();
    let tile = reader.uint("tile_size", &["crop_size", "size.shortest_edge", "size"], defaults.tile, 1..=1 << 14)?;
    let patch = processor.uint("patch_size", &[], defaults.patch, 1..=1024)?;
    let additional = f64::from(processor.uint("num_additional_image_tokens", &[], defaults.additional, 0..=1024)?);
    let dropped = f64::from(u8::from(drops_class_token(&processor, defaults.strategy)?));
    let side = (f64::from(tile / patch) * downsample(&processor)?).floor();
    if side < 1.0 {
        return Err(ParamsError::new(format!("patch_size {patch} leaves nothing of a tile of {tile}")));
    }
    let any = AnyResolution { pinpoints: pinpoints(&reader, defaults.pinpoints, tile)?, tile: f64::from(tile), side };
    Ok(Rules::default().images(PROMPT, move |sides, _: Place| {
        let (rows, columns) = any.unpadded(sides);
        run(sides, rows * columns + rows + side * side + additional - dropped)
    }))
}

/// `"1/2"`, as Granite 4 writes it; absent or null is 1.
fn downsample(reader: &Reader<'_>) -> Result<f64, ParamsError> {
    let text = reader.word("downsample_rate", "1")?;
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    match (above.trim().parse::<u32>(), below.trim().parse::<u32>()) {
        (Ok(above), Ok(below)) if above > 0 && below > 0 && above <= below => Ok(f64::from(above) / f64::from(below)),
        _ => Err(ParamsError::new(format!("downsample_rate: expected a fraction such as 1/2, found {text:?}"))),
    }
}

fn run(sides: Sides, tokens: f64) -> Result<Expansion, Refused> {
    let mut expansion = Expansion::with_capacity(1);
    expansion.placeholders("<image>", count(tokens)?);
    expansion.grid.push(GridValue::two("image_sizes", sides.h as u32, sides.w as u32));
    Ok(expansion)
}

/// Absent keys: `LlavaOnevisionImageProcessor`, and the released checkpoints for what the processor class leaves open.
pub(crate) fn onevision(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let processor = params.processor_reader();
    let tile = reader.uint("tile_size", &["size", "size.shortest_edge"], 384, 1..=1 << 14)?;
    let features = processor.uint("num_image_tokens", &[], 729, 1..=1 << 20)?;
    let dropped = f64::from(u8::from(drops_class_token(&processor, "full")?));
    let nested = processor.flag("image_lists_nested", true)?;
    let aspect = processor.word("vision_aspect_ratio", "anyres_max_9")?;
    let limit: u32 = aspect
        .strip_prefix("anyres_max_")
        .and_then(|n| n.parse().ok())
        .filter(|n| (1..=1024).contains(n))
        .ok_or_else(|| ParamsError::new(format!("vision_aspect_ratio: expected anyres_max_N, found {aspect:?}")))?;
    let default: Vec<(u32, u32)> =
        (1..=6).flat_map(|rows| (1..=6).map(move |columns| (384 * rows, 384 * columns))).collect();
    let side = f64::from(features).sqrt().trunc();
    let any = AnyResolution { pinpoints: pinpoints(&reader, &default, tile)?, tile: f64::from(tile), side };
    let limit = f64::from(limit) * side * side;
    let features = f64::from(features);
    let pooled = (side / 2.0).ceil();
    Ok(Rules::default()
        .images(PROMPT, move |sides, place| {
            let together = nested && place.of > 1;
            let tokens = if together { features + 1.0 } else { limited(&any, limit, sides) + features };
            let mut expansion = run(sides, tokens - dropped)?;
            if !nested || place.index == 0 {
                expansion.grid.push(GridValue::one("batch_num_images", if nested { place.of } else { 1 }));
            }
            Ok(expansion)
        })
        .videos(Prompt::bare("<video>"), move |frames, _: Place| {
            let mut expansion = Expansion::with_capacity(1);
            expansion.placeholders("<video>", count(f64::from(frames.count) * pooled * pooled + 1.0)?);
            Ok(expansion)
        }))
}

/// Features with a new-line feature per row, thinned out above the limit.
fn limited(any: &AnyResolution, limit: f64, sides: Sides) -> f64 {
    let (rows, columns) = any.unpadded(sides);
    let ratio = (rows * columns / limit).sqrt();
    if ratio > 1.1 {
        let rows = floor_div(rows, ratio);
        rows * floor_div(columns, ratio) + rows
    } else {
        rows * columns + rows
    }
}
