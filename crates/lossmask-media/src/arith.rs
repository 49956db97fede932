//! Python's arithmetic where it differs from Rust's, and the resize rules that several families share.
//!
//! Sizes are at most 2^24 a side and 2^40 in area (see [`crate::Expander`]), so every integer here is exact as an `f64`.

use crate::expansion::Refused;

/// Python's `round()` of a float: halves go to the even neighbour.
pub(crate) fn round_half_even(value: f64) -> f64 {
    value.round_ties_even()
}

/// Python's `a // b` on floats, which goes through the remainder and differs from `(a / b).floor()`.
pub(crate) fn floor_div(a: f64, b: f64) -> f64 {
    let mut quotient = (a - a % b) / b;
    if a % b != 0.0 && (a % b < 0.0) != (b < 0.0) {
        quotient -= 1.0;
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

/// `ceil(a / b)` on positive integers.
pub(crate) fn ceil_div(a: u64, b: u64) -> u64 {
    a.div_ceil(b)
}

/// Python's `repr` of a float, as it stands in error messages.
pub(crate) fn repr(value: f64) -> String {
    format!("{value:?}")
}

/// A count of tokens as it is stored; more than `u32::MAX` of them is nothing a model can read.
pub(crate) fn count(tokens: f64) -> Result<u32, Refused> {
    if (0.0..=f64::from(u32::MAX)).contains(&tokens) {
        Ok(tokens as u32)
    } else {
        Err(Refused::new("media-too-large", format!("{tokens} tokens for one item")))
    }
}

/// The smallest sides a processor's `resize` accepts; a side of 0 is refused with transformers' words.
pub(crate) fn refuse_zero_side(height: f64, width: f64) -> Result<(), Refused> {
    if height > 0.0 && width > 0.0 {
        return Ok(());
    }
    Err(Refused::by_processor(format!(
        "Size must contain 'height' and 'width' keys, or 'max_height' and 'max_width', or 'shortest_edge' key. Got SizeDict(height={height}, \
         width={width}, longest_edge=None, shortest_edge=None, max_height=None, max_width=None, min_pixels=None, max_pixels=None)."
    )))
}

/// Refuses what is more than 200 times as long as it is wide.
pub(crate) fn refuse_extreme_ratio(height: f64, width: f64) -> Result<(), Refused> {
    let ratio = height.max(width) / height.min(width);
    if ratio > 200.0 {
        return Err(Refused::by_processor(format!(
            "absolute aspect ratio must be smaller than 200, got {}",
            repr(ratio)
        )));
    }
    Ok(())
}

/// Between how many pixels a resized image may have, and the multiple its sides must be of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PixelBudget {
    pub factor: f64,
    pub min: f64,
    pub max: f64,
}

impl PixelBudget {
    /// The resize of the Qwen family: sides rounded to multiples of `factor`, then scaled into the budget.
    ///
    /// The rounded size is compared, the original size is scaled. `frames` multiplies the pixels (1 for images), and
    /// `rounded_frames` is what the comparison uses of it.
    pub(crate) fn fit(&self, height: f64, width: f64, frames: f64, rounded_frames: f64) -> (f64, f64) {
        let rounded = |side: f64| round_half_even(side / self.factor) * self.factor;
        self.scale((height, width), (rounded(height), rounded(width)), frames, rounded_frames)
    }

    /// The second half of [`PixelBudget::fit`]: `rounded` where its area is within the budget, else `sides` scaled into it.
    pub(crate) fn scale(&self, sides: (f64, f64), rounded: (f64, f64), frames: f64, rounded_frames: f64) -> (f64, f64) {
        let PixelBudget { factor, min, max } = *self;
        let (height, width) = sides;
        let area = rounded_frames * rounded.0 * rounded.1;
        if area > max {
            let beta = ((frames * height * width) / max).sqrt();
            let shrink = |side: f64| factor.max((side / beta / factor).floor() * factor);
            (shrink(height), shrink(width))
        } else if area < min {
            let beta = (min / (frames * height * width)).sqrt();
            let grow = |side: f64| (side * beta / factor).ceil() * factor;
            (grow(height), grow(width))
        } else {
            rounded
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_as_python() {
        let cases =
            [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (3.5, 4.0), (2.4999999999999996, 2.0), (0.49999999999999994, 0.0)];
        for (value, expected) in cases {
            assert_eq!(round_half_even(value), expected, "{value}");
        }
    }

    #[test]
    fn floor_division_as_python() {
        // From CPython: 1.0 // 0.1 is 9.0 although 1.0 / 0.1 is 10.0.
        let cases = [(1.0, 0.1, 9.0), (7.0, 2.0, 3.0), (-7.0, 2.0, -4.0), (6.0, 3.0, 2.0), (81.0, 1.1, 73.0)];
        for (a, b, expected) in cases {
            assert_eq!(floor_div(a, b), expected, "{a} // {b}");
        }
    }

    #[test]
    fn floats_print_as_python() {
        for (value, expected) in [(201.0, "201.0"), (200.1, "200.1"), (200.07142857142858, "200.07142857142858")] {
            assert_eq!(repr(value), expected);
        }
    }
}
