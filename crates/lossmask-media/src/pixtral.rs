//! Pixtral, Mistral Small 3.1 and Mistral's own encoder: rows of patches with a break behind each.

use crate::arith::refuse_zero_side;
use crate::expander::{Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Refused};
use crate::params::{Params, ParamsError};

#[derive(Clone, Copy)]
struct Cells {
    longest: f64,
    cell: f64,
}

struct Defaults {
    patch: u32,
    merge: u32,
    longest: u32,
}

impl Cells {
    fn read(params: &Params, defaults: &Defaults) -> Result<Self, ParamsError> {
        let reader = params.reader(MediaKind::Image);
        // The processor's patch size counts tokens; the image processor's, which is the same in every checkpoint, resizes.
        let patch = params.processor_reader().uint(
            "patch_size",
            &[],
            reader.uint("patch_size", &[], defaults.patch, 1..=1024)?,
            1..=1024,
        )?;
        let merge = params.processor_reader().uint("spatial_merge_size", &[], defaults.merge, 1..=64)?;
        let longest = reader.uint(
            "longest_edge",
            &["size.longest_edge", "max_image_size", "size"],
            defaults.longest,
            1..=1 << 16,
        )?;
        Ok(Cells { longest: f64::from(longest), cell: f64::from(patch * merge) })
    }

    /// Rows and columns of whole cells that cover a resized image.
    fn cover(&self, h: f64, w: f64) -> (u32, u32) {
        let cells = |side: f64| ((side - 1.0) / self.cell).floor() as u32 + 1;
        (cells(h), cells(w))
    }

    fn rows(rows: u32, columns: u32) -> Expansion {
        let mut expansion = Expansion::with_capacity(2 * rows as usize);
        for row in 1..=rows {
            expansion.placeholders("[IMG]", columns);
            expansion.token(if row == rows { "[IMG_END]" } else { "[IMG_BREAK]" });
        }
        expansion
    }

    /// transformers: sides are cut off, and a side that vanishes is refused.
    fn cut_off(&self, sides: Sides) -> Result<Expansion, Refused> {
        let Sides { mut h, mut w } = sides;
        let ratio = (h / self.longest).max(w / self.longest);
        if ratio > 1.0 {
            h = (h / ratio).floor();
            w = (w / ratio).floor();
        }
        refuse_zero_side(h, w)?;
        let (rows, columns) = self.cover(h, w);
        let mut expansion = Cells::rows(rows, columns);
        let cell = self.cell as u32;
        expansion.grid.push(GridValue::two("image_sizes", rows * cell, columns * cell));
        Ok(expansion)
    }

    /// mistral-common: sides are rounded and never vanish.
    fn rounded(&self, sides: Sides) -> Expansion {
        let Sides { mut h, mut w } = sides;
        let ratio = (h / self.longest).max(w / self.longest);
        if ratio > 1.0 {
            h = (h / ratio).round_ties_even().max(1.0);
            w = (w / ratio).round_ties_even().max(1.0);
        }
        let (rows, columns) = self.cover(h, w);
        Cells::rows(rows, columns)
    }
}

const PROMPT: Prompt = Prompt::bare("[IMG]");

/// Absent keys: `PixtralProcessor` and `PixtralImageProcessor`.
pub(crate) fn pixtral(params: &Params) -> Result<Rules, ParamsError> {
    let cells = Cells::read(params, &Defaults { patch: 16, merge: 1, longest: 1024 })?;
    Ok(Rules::default().images(PROMPT, move |sides, _: Place| cells.cut_off(sides)))
}

/// Absent keys: the released checkpoints of Mistral Small 3.1, whose classes are Pixtral's.
pub(crate) fn mistral3(params: &Params) -> Result<Rules, ParamsError> {
    let cells = Cells::read(params, &Defaults { patch: 14, merge: 2, longest: 1540 })?;
    Ok(Rules::default().images(PROMPT, move |sides, _: Place| cells.cut_off(sides)))
}

/// Absent keys: Mistral Small 3.1.
pub(crate) fn mistral_common(params: &Params) -> Result<Rules, ParamsError> {
    let cells = Cells::read(params, &Defaults { patch: 14, merge: 2, longest: 1540 })?;
    Ok(Rules::default().images(PROMPT, move |sides, _: Place| Ok(cells.rounded(sides))))
}
