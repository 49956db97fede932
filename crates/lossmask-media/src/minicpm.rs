//! MiniCPM-V 4.6: an overview and, for large images, slices in the grid of the nearest logarithmic ratio.
//!
//! Ratios are compared by the difference of logarithms for equality, so the result follows the platform's `log`, as Python does.

use crate::arith::{count, round_half_even};
use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused};
use crate::params::{Params, ParamsError};

struct Slicing {
    slices: bool,
    max_slices: u32,
    resolution: f64,
    patch: f64,
    /// Pixels that one placeholder spans along a side, in patches.
    merge: f64,
    numbered: bool,
}

impl Slicing {
    /// Rows and columns of slices.
    fn grid(&self, Sides { h, w }: Sides) -> Option<(u32, u32)> {
        let log_ratio = (w / h).ln();
        let multiple = ((w * h) / (self.resolution * self.resolution)).ceil().min(f64::from(self.max_slices)) as u32;
        if multiple <= 1 {
            return None;
        }
        let mut best = (1, 1);
        let mut best_error = f64::INFINITY;
        for slices in [multiple - 1, multiple, multiple + 1] {
            if slices == 1 || slices > self.max_slices {
                continue;
            }
            for rows in (1..=slices).filter(|rows| slices % rows == 0) {
                let columns = slices / rows;
                let error = (log_ratio - (f64::from(columns) / f64::from(rows)).ln()).abs();
                if error < best_error || (error == best_error && rows > best.0) {
                    best = (rows, columns);
                    best_error = error;
                }
            }
        }
        Some(best)
    }

    fn best_resize(&self, h: f64, w: f64, upscale: bool) -> (f64, f64) {
        let (mut h, mut w) = (h, w);
        if h * w > self.resolution * self.resolution || upscale {
            let ratio = w / h;
            h = (self.resolution / ratio.sqrt()).trunc();
            w = (h * ratio).trunc();
        }
        let cell = self.patch * self.merge;
        (to_multiple(h, cell), to_multiple(w, cell))
    }

    /// Height and width of one slice.
    fn slice(&self, Sides { h, w }: Sides, rows: u32, columns: u32) -> (f64, f64) {
        let (rows, columns) = (f64::from(rows), f64::from(columns));
        self.best_resize(to_multiple(h, rows) / rows, to_multiple(w, columns) / columns, true)
    }

    fn tokens(&self, (h, w): (f64, f64)) -> Result<u32, Refused> {
        count(((h / self.patch).floor() * (w / self.patch).floor() / (self.merge * self.merge)).floor())
    }

    fn target(&self, (h, w): (f64, f64)) -> GridValue {
        GridValue::two("target_sizes", (h / self.patch) as u32, (w / self.patch) as u32)
    }

    fn expand(&self, sides: Sides, place: Place) -> Result<Expansion, Refused> {
        let grid = if self.slices { self.grid(sides) } else { None };
        let (rows, columns) = grid.unwrap_or((0, 0));
        let overview = self.best_resize(sides.h, sides.w, grid.is_none());
        let mut expansion = Expansion::with_capacity((3 * rows * columns + rows) as usize + 6);
        if self.numbered {
            expansion.token("<image_id>");
            expansion.text(place.index.to_string());
            expansion.token("</image_id>");
        }
        expansion.token("<image>");
        expansion.placeholders("<|image_pad|>", self.tokens(overview)?);
        expansion.token("</image>");
        expansion.grid.push(GridValue::two("grids", rows, columns));
        expansion.grid.push(self.target(overview));
        if grid.is_some() {
            let slice = self.slice(sides, rows, columns);
            let tokens = self.tokens(slice)?;
            for row in 0..rows {
                if row > 0 {
                    expansion.text("\n");
                }
                for _ in 0..columns {
                    expansion.token("<slice>");
                    expansion.placeholders("<|image_pad|>", tokens);
                    expansion.token("</slice>");
                    expansion.grid.push(self.target(slice));
                }
            }
        }
        expansion.grid.push(GridValue::one("num_patches_per_image", rows * columns + 1));
        Ok(expansion)
    }
}

/// The multiple of `divisor` nearest to a length, at least one.
fn to_multiple(length: f64, divisor: f64) -> f64 {
    (round_half_even(length / divisor) * divisor).max(divisor)
}

/// Absent keys: `MiniCPMV4_6ImageProcessor`.
pub(crate) fn minicpm_v4_6(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Image);
    let slicing = Slicing {
        slices: reader.flag("slice_mode", true)?,
        max_slices: reader.uint("max_slice_nums", &[], 9, 1..=1024)?,
        resolution: f64::from(reader.uint("scale_resolution", &[], 448, 1..=1 << 14)?),
        patch: f64::from(reader.uint("patch_size", &[], 14, 1..=1024)?),
        merge: if reader.word("downsample_mode", "16x")? == "4x" { 2.0 } else { 4.0 },
        numbered: reader.flag("use_image_id", true)?,
    };
    Ok(Rules::default().images(Prompt::bare("<|image_pad|>"), move |sides, place| slicing.expand(sides, place)))
}
