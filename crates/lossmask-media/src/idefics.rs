//! Idefics3, SmolVLM, Granite Docling: every image is scaled to the same longest side and cut into tiles.

use std::borrow::Cow;

use crate::expander::{Frames, Place, Prompt, Rules, Sides};
use crate::expansion::{Expansion, GridValue, MediaKind, Token};
use crate::params::{Params, ParamsError};

const FAKE: &str = "<fake_token_around_image>";

struct Defaults {
    longest: u32,
    tile: u32,
    tokens: u32,
    /// Whether the vocabulary holds `<row_1_col_1>` and `<global-img>` as tokens.
    special: bool,
}

#[derive(Clone, Copy)]
struct Tiling {
    splits: bool,
    longest: f64,
    max_side: f64,
    tile: f64,
    tokens: u32,
    special: bool,
}

impl Tiling {
    fn read(params: &Params, defaults: &Defaults) -> Result<Self, ParamsError> {
        let reader = params.reader(MediaKind::Image);
        let tile = reader.uint("max_image_size", &["max_image_size.longest_edge"], defaults.tile, 16..=1 << 14)?;
        let longest = reader.uint("longest_edge", &["size.longest_edge"], defaults.longest, 1..=1 << 14)?;
        if longest.div_ceil(tile) > 64 {
            return Err(ParamsError::new(format!("longest_edge {longest} makes too many tiles of {tile}")));
        }
        Ok(Tiling {
            splits: reader.flag("do_image_splitting", true)?,
            longest: f64::from(longest),
            max_side: f64::from(reader.uint("max_image_side", &[], 4096, 1..=1 << 14)?),
            tile: f64::from(tile),
            tokens: params.processor_reader().uint("image_seq_len", &[], defaults.tokens, 1..=1 << 16)?,
            special: reader.flag("row_col_tokens_special", defaults.special)?,
        })
    }

    /// Rows and columns of tiles; 0 and 0 for an image in one piece.
    fn grid(&self, sides: Sides) -> (u32, u32) {
        if !self.splits {
            return (0, 0);
        }
        let (h, w) = self.scaled(sides);
        let ratio = w / h;
        let up = |side: f64| (side / self.tile).ceil() * self.tile;
        let (h, w) = if w >= h {
            let w = up(w);
            (up((w / ratio).trunc()), w)
        } else {
            let h = up(h);
            (h, up((h * ratio).trunc()))
        };
        if h > self.tile || w > self.tile { ((h / self.tile) as u32, (w / self.tile) as u32) } else { (0, 0) }
    }

    /// The size with its longest side at `longest`, the other side even, then within the cap.
    fn scaled(&self, Sides { h, w }: Sides) -> (f64, f64) {
        let even = |side: f64| (side + side % 2.0).max(1.0);
        let ratio = w / h;
        let (mut h, mut w) = if w >= h {
            (even((self.longest / ratio).trunc()), self.longest)
        } else {
            (self.longest, even((self.longest * ratio).trunc()))
        };
        if h.max(w) > self.max_side {
            let ratio = w / h;
            if w >= h {
                w = self.max_side;
                h = (w / ratio).trunc().max(1.0);
            } else {
                h = self.max_side;
                w = (h * ratio).trunc().max(1.0);
            }
        }
        (h, w)
    }

    fn label(&self, expansion: &mut Expansion, token: Token) {
        if self.special { expansion.push(token, 1) } else { expansion.spelled(&token) }
    }

    fn whole(&self, expansion: &mut Expansion) {
        expansion.token(FAKE);
        self.label(expansion, Token::Named("<global-img>"));
        expansion.placeholders("<image>", self.tokens);
        expansion.token(FAKE);
    }

    fn expand(&self, sides: Sides) -> Expansion {
        let (rows, columns) = self.grid(sides);
        let mut expansion = Expansion::with_capacity((3 * rows * columns + rows) as usize + 4);
        for row in 1..=rows {
            for column in 1..=columns {
                expansion.token(FAKE);
                self.label(&mut expansion, Token::Tile("<row_", row, "_col_", column, ">"));
                expansion.placeholders("<image>", self.tokens);
            }
            // One line end per row, and one more in front of the whole image.
            expansion.text(Cow::Borrowed(if row == rows { "\n\n" } else { "\n" }));
        }
        self.whole(&mut expansion);
        expansion.grid.push(GridValue::one("rows", rows));
        expansion.grid.push(GridValue::one("cols", columns));
        expansion
    }

    fn video(&self, frames: Frames) -> Expansion {
        let mut expansion = Expansion::with_capacity(5 * frames.count as usize + 1);
        let duration = (f64::from(frames.count) / frames.fps).trunc() as u64;
        expansion.text(format!(
            "You are provided the following series of {} frames from a {} [H:MM:SS] video.\n",
            in_words(frames.count),
            duration_text(duration)
        ));
        for frame in 0..frames.count {
            let seconds = f64::from(frame) / frames.fps;
            expansion.text(format!(
                "\nFrame from {:02}:{:02}:",
                (seconds / 60.0).floor() as u64,
                (seconds % 60.0) as u64
            ));
            self.whole(&mut expansion);
        }
        expansion.text("\n\n");
        expansion
    }
}

/// Python's `str(timedelta(seconds=...))`.
fn duration_text(seconds: u64) -> String {
    let clock = format!("{}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match seconds / 86_400 {
        0 => clock,
        1 => format!("1 day, {clock}"),
        days => format!("{days} days, {clock}"),
    }
}

/// A number in English words, as num2words writes it.
fn in_words(number: u32) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    match number {
        0..20 => SMALL[number as usize].to_owned(),
        20..100 if number.is_multiple_of(10) => TENS[number as usize / 10].to_owned(),
        20..100 => format!("{}-{}", TENS[number as usize / 10], SMALL[number as usize % 10]),
        100..1000 => {
            let rest =
                if number.is_multiple_of(100) { String::new() } else { format!(" and {}", in_words(number % 100)) };
            format!("{} hundred{rest}", SMALL[number as usize / 100])
        }
        _ => {
            let rest = match number % 1000 {
                0 => String::new(),
                rest @ 1..100 => format!(" and {}", in_words(rest)),
                rest => format!(", {}", in_words(rest)),
            };
            format!("{} thousand{rest}", in_words(number / 1000))
        }
    }
}

fn rules(tiling: Tiling) -> Rules {
    let mut rules = Rules::default().images(Prompt::bare("<image>"), move |sides, _: Place| Ok(tiling.expand(sides)));
    rules.nested_grid = &["rows", "cols"];
    rules
}

/// Absent keys: `Idefics3ImageProcessor` and `Idefics3Processor`.
pub(crate) fn idefics3(params: &Params) -> Result<Rules, ParamsError> {
    Ok(rules(Tiling::read(params, &Defaults { longest: 1456, tile: 364, tokens: 169, special: false })?))
}

/// Absent keys: `SmolVLMImageProcessor` and `SmolVLMProcessor`.
pub(crate) fn smolvlm(params: &Params) -> Result<Rules, ParamsError> {
    let tiling = Tiling::read(params, &Defaults { longest: 1456, tile: 364, tokens: 169, special: true })?;
    Ok(rules(tiling).videos(Prompt::bare("<video>"), move |frames, _: Place| Ok(tiling.video(frames))))
}

/// Absent keys: the released checkpoint, whose classes are Idefics3's.
pub(crate) fn granite_docling(params: &Params) -> Result<Rules, ParamsError> {
    Ok(rules(Tiling::read(params, &Defaults { longest: 2048, tile: 512, tokens: 64, special: true })?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_out() {
        let cases = [
            (0, "zero"),
            (16, "sixteen"),
            (40, "forty"),
            (64, "sixty-four"),
            (100, "one hundred"),
            (150, "one hundred and fifty"),
            (768, "seven hundred and sixty-eight"),
            (1000, "one thousand"),
            (1001, "one thousand and one"),
            (2125, "two thousand, one hundred and twenty-five"),
        ];
        for (number, words) in cases {
            assert_eq!(in_words(number), words);
        }
    }

    #[test]
    fn durations_are_timedeltas() {
        for (seconds, text) in
            [(0, "0:00:00"), (3661, "1:01:01"), (90_000, "1 day, 1:00:00"), (180_000, "2 days, 2:00:00")]
        {
            assert_eq!(duration_text(seconds), text);
        }
    }
}
