//! What goes in (media items) and what comes out (runs of tokens, grid values, refusals).

use std::borrow::Cow;
use std::fmt;

/// Width and height in pixels, as the processor sees them (after any rotation that the loader applies).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// The three kinds of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A still image.
    Image,
    /// A list of frames, already sampled.
    Video,
    /// A clip of sound.
    Audio,
}

impl MediaKind {
    /// `image`, `video`, `audio`.
    pub fn name(self) -> &'static str {
        match self {
            MediaKind::Image => "image",
            MediaKind::Video => "video",
            MediaKind::Audio => "audio",
        }
    }
}

/// One piece of media, reduced to what the arithmetic needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MediaItem {
    /// An image.
    Image(Size),
    /// Sampled frames; frame `k` stands at `k / fps` seconds.
    Video {
        /// Size of every frame.
        size: Size,
        /// Number of sampled frames.
        frames: u32,
        /// Frames per second of the sampled frames.
        fps: f64,
    },
    /// Sound, in samples at the processor's sampling rate.
    Audio {
        /// Number of samples.
        samples: u64,
    },
}

impl MediaItem {
    /// An image of `width` by `height` pixels.
    pub fn image(width: u32, height: u32) -> Self {
        MediaItem::Image(Size { width, height })
    }

    /// What kind of media it is.
    pub fn kind(&self) -> MediaKind {
        match self {
            MediaItem::Image(_) => MediaKind::Image,
            MediaItem::Video { .. } => MediaKind::Video,
            MediaItem::Audio { .. } => MediaKind::Audio,
        }
    }
}

/// One entry of an expansion. [`fmt::Display`] writes the text that stands for it in a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// A control token by name.
    Named(&'static str),
    /// A control token that names a tile, such as `<row_1_col_2>`: text before, row, text between, column, text behind.
    Tile(&'static str, u32, &'static str, u32, &'static str),
    /// A control token with one number, such as `TILE_3`.
    Numbered(&'static str, u32),
    /// Plain text, tokenized together with what stands around it.
    Text(Cow<'static, str>),
}

impl Token {
    /// Appends the text that stands for the token. Numbers of tiles are written by hand: formatting took most of an expansion.
    pub fn write_text(&self, out: &mut String) {
        match self {
            Token::Named(name) => out.push_str(name),
            Token::Tile(before, row, between, col, behind) => {
                out.push_str(before);
                push_number(out, *row);
                out.push_str(between);
                push_number(out, *col);
                out.push_str(behind);
            }
            Token::Numbered(name, number) => {
                out.push_str(name);
                push_number(out, *number);
            }
            Token::Text(text) => out.push_str(text),
        }
    }
}

fn push_number(out: &mut String, number: u32) {
    if number >= 10 {
        push_number(out, number / 10);
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write_text(&mut text);
        f.write_str(&text)
    }
}

/// A value of the image processor that the training collator needs: one number, or a short tuple such as `[t, h, w]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridValue {
    /// Name in the processor's output: `image_grid_thw`, `num_patches`, ...
    pub name: &'static str,
    values: [u32; 3],
    len: u8,
}

impl GridValue {
    pub(crate) fn one(name: &'static str, value: u32) -> Self {
        GridValue { name, values: [value, 0, 0], len: 1 }
    }

    pub(crate) fn two(name: &'static str, a: u32, b: u32) -> Self {
        GridValue { name, values: [a, b, 0], len: 2 }
    }

    pub(crate) fn three(name: &'static str, a: u32, b: u32, c: u32) -> Self {
        GridValue { name, values: [a, b, c], len: 3 }
    }

    /// The numbers; a single one is a scalar in the processor's output.
    pub fn values(&self) -> &[u32] {
        &self.values[..usize::from(self.len)]
    }
}

/// What one placeholder becomes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expansion {
    /// The tokens, run-length coded; neighbours differ.
    pub runs: Vec<(Token, u32)>,
    /// How many of them are placeholders, each of which takes one feature of the media encoder.
    pub placeholder_count: u32,
    /// The processor's values for this item. A name can come several times (one per slice or chunk).
    pub grid: Vec<GridValue>,
}

impl Expansion {
    /// The expansion as text: what the processor puts into the prompt before it is tokenized.
    pub fn write_text(&self, out: &mut String) {
        let mut piece = String::new();
        for (token, count) in &self.runs {
            piece.clear();
            token.write_text(&mut piece);
            out.reserve(piece.len() * *count as usize);
            for _ in 0..*count {
                out.push_str(&piece);
            }
        }
    }

    pub(crate) fn with_capacity(runs: usize) -> Self {
        Expansion { runs: Vec::with_capacity(runs), placeholder_count: 0, grid: Vec::new() }
    }

    /// Appends a control token, `count` times.
    pub(crate) fn push(&mut self, token: Token, count: u32) {
        if count == 0 {
            return;
        }
        match self.runs.last_mut() {
            Some((last, n)) if *last == token => *n += count,
            _ => self.runs.push((token, count)),
        }
    }

    pub(crate) fn token(&mut self, name: &'static str) {
        self.push(Token::Named(name), 1);
    }

    /// Appends `count` placeholders.
    pub(crate) fn placeholders(&mut self, name: &'static str, count: u32) {
        self.placeholder_count += count;
        self.push(Token::Named(name), count);
    }

    /// Appends the text of a control token that the vocabulary does not hold.
    pub(crate) fn spelled(&mut self, token: &Token) {
        match self.runs.last_mut() {
            Some((Token::Text(last), _)) => token.write_text(last.to_mut()),
            _ => {
                let mut text = String::with_capacity(32);
                token.write_text(&mut text);
                self.runs.push((Token::Text(text.into()), 1));
            }
        }
    }

    /// Appends plain text; stretches of text that meet become one.
    pub(crate) fn text(&mut self, text: impl Into<Cow<'static, str>>) {
        match self.runs.last_mut() {
            Some((Token::Text(last), _)) => last.to_mut().push_str(&text.into()),
            _ => self.runs.push((Token::Text(text.into()), 1)),
        }
    }
}

/// Why media cannot be expanded: the processor refuses it, or it is beyond what any loader opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `media-refused` (the processor says so), `media-too-large`, `media-empty`, `media-unsupported`.
    pub code: &'static str,
    /// The processor's reason, word for word where there is one.
    pub message: String,
    /// Which item of the call, counted from 0.
    pub item: usize,
}

impl Refused {
    pub(crate) fn by_processor(message: String) -> Self {
        Refused { code: "media-refused", message, item: 0 }
    }

    pub(crate) fn new(code: &'static str, message: String) -> Self {
        Refused { code, message, item: 0 }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refused {}
