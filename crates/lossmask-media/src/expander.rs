//! The one entry point: a family's rules with their parameters, applied to media.

use crate::expansion::{Expansion, GridValue, MediaItem, MediaKind, Refused, Size, Token};
use crate::family::Family;
use crate::params::{Params, ParamsError};

/// The longest side that is looked at. No loader opens more, and up to here every product is exact.
const MAX_SIDE: u32 = 1 << 24;
/// The largest area, for the same reasons.
const MAX_AREA: u64 = 1 << 40;
/// The most frames of one video.
const MAX_FRAMES: u32 = 1 << 16;
/// The longest sound: a day at 96 kHz.
const MAX_SAMPLES: u64 = 96_000 * 86_400;

/// Height and width as exact floating-point numbers, in the order in which processors take them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides {
    pub h: f64,
    pub w: f64,
}

impl From<Size> for Sides {
    fn from(size: Size) -> Self {
        Sides { h: f64::from(size.height), w: f64::from(size.width) }
    }
}

/// Sampled frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frames {
    pub sides: Sides,
    pub count: u32,
    pub fps: f64,
}

/// Where an item stands among those of its kind in the row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub index: u32,
    pub of: u32,
}

type Outcome = Result<Expansion, Refused>;
type ImageRule = Box<dyn Fn(Sides, Place) -> Outcome + Send + Sync>;
type VideoRule = Box<dyn Fn(Frames, Place) -> Outcome + Send + Sync>;
type AudioRule = Box<dyn Fn(u64, Place) -> Outcome + Send + Sync>;

/// What stands in a prompt for one item before expansion.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prompt {
    /// The text that the processor replaces.
    pub placeholder: &'static str,
    /// What the chat template writes in front of it.
    pub before: &'static [Token],
    /// What the chat template writes behind it.
    pub after: &'static [Token],
}

impl Prompt {
    pub(crate) const fn bare(placeholder: &'static str) -> Self {
        Prompt { placeholder, before: &[], after: &[] }
    }
}

/// A family's rules, one per kind of media that it reads.
#[derive(Default)]
pub(crate) struct Rules {
    image: Option<(Prompt, ImageRule)>,
    video: Option<(Prompt, VideoRule)>,
    audio: Option<(Prompt, AudioRule)>,
    /// Names of grid columns that the processor nests in one more list.
    pub nested_grid: &'static [&'static str],
}

impl Rules {
    pub(crate) fn images(
        mut self,
        prompt: Prompt,
        rule: impl Fn(Sides, Place) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.image = Some((prompt, Box::new(rule)));
        self
    }

    pub(crate) fn videos(
        mut self,
        prompt: Prompt,
        rule: impl Fn(Frames, Place) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.video = Some((prompt, Box::new(rule)));
        self
    }

    pub(crate) fn audios(
        mut self,
        prompt: Prompt,
        rule: impl Fn(u64, Place) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        self.audio = Some((prompt, Box::new(rule)));
        self
    }
}

/// A family and its parameters, ready to expand any number of rows. Shared freely between threads.
pub struct Expander {
    family: Family,
    rules: Rules,
}

/// Expands the media of one row in one call.
///
/// # Errors
/// [`Refused`] for bad parameters (`media-params`) and for media that the processor refuses.
pub fn expand(family: Family, params: &Params, items: &[MediaItem]) -> Result<Vec<Expansion>, Refused> {
    let expander = Expander::new(family, params).map_err(|error| Refused::new(error.code, error.message))?;
    expander.expand(items)
}

impl Expander {
    /// Reads the family's parameters.
    ///
    /// # Errors
    /// When a parameter has the wrong type or a value that no processor could work with.
    pub fn new(family: Family, params: &Params) -> Result<Self, ParamsError> {
        Ok(Expander { family, rules: family.rules(params)? })
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// What stands in the prompt for an item of this kind and is replaced; `None` when the family does not read the kind.
    pub fn placeholder(&self, kind: MediaKind) -> Option<&'static str> {
        self.prompt(kind).map(|prompt| prompt.placeholder)
    }

    /// What each placeholder becomes. `items` are all media of one row, in order.
    ///
    /// # Errors
    /// The first item that is refused, with the processor's reason.
    pub fn expand(&self, items: &[MediaItem]) -> Result<Vec<Expansion>, Refused> {
        let count = |kind| u32::try_from(items.iter().filter(|item| item.kind() == kind).count()).unwrap_or(u32::MAX);
        let totals = [count(MediaKind::Image), count(MediaKind::Video), count(MediaKind::Audio)];
        let mut seen = [0; 3];
        let mut expansions = Vec::with_capacity(items.len());
        for (item_index, item) in items.iter().enumerate() {
            let kind = item.kind() as usize;
            let place = Place { index: seen[kind], of: totals[kind] };
            seen[kind] += 1;
            expansions.push(self.expand_item(item, place).map_err(|refused| Refused { item: item_index, ..refused })?);
        }
        Ok(expansions)
    }

    /// As [`Expander::expand`], with the delimiters that the family's chat template writes around the placeholder.
    ///
    /// # Errors
    /// As [`Expander::expand`].
    pub fn expand_in_prompt(&self, items: &[MediaItem]) -> Result<Vec<Expansion>, Refused> {
        let mut expansions = self.expand(items)?;
        for (item, expansion) in items.iter().zip(&mut expansions) {
            let Some(prompt) = self.prompt(item.kind()) else { continue };
            if prompt.before.is_empty() && prompt.after.is_empty() {
                continue;
            }
            let bare = std::mem::take(&mut expansion.runs);
            let before = prompt.before.iter().map(|token| (token.clone(), 1));
            let after = prompt.after.iter().map(|token| (token.clone(), 1));
            expansion.runs.reserve(bare.len() + prompt.before.len() + prompt.after.len());
            for (token, count) in before.chain(bare).chain(after) {
                match token {
                    Token::Text(text) => expansion.text(text),
                    token => expansion.push(token, count),
                }
            }
        }
        Ok(expansions)
    }

    /// The processor's values for a row, as columns: name, whether the processor nests the column in one more list, values.
    pub fn grid_columns<'e>(&self, expansions: &'e [Expansion]) -> Vec<(&'static str, bool, Vec<&'e GridValue>)> {
        let mut columns: Vec<(&'static str, bool, Vec<&GridValue>)> = Vec::new();
        for value in expansions.iter().flat_map(|expansion| &expansion.grid) {
            match columns.iter_mut().find(|(name, ..)| *name == value.name) {
                Some((_, _, values)) => values.push(value),
                None => columns.push((value.name, self.rules.nested_grid.contains(&value.name), vec![value])),
            }
        }
        columns
    }

    /// [`Expander::grid_columns`] as a JSON object, shaped as the processor returns it.
    pub fn grid_json(&self, expansions: &[Expansion]) -> serde_json::Map<String, serde_json::Value> {
        let json = |value: &GridValue| match value.values() {
            [single] => serde_json::Value::from(*single),
            several => serde_json::Value::from(several.to_vec()),
        };
        let columns = self.grid_columns(expansions).into_iter().map(|(name, nested, values)| {
            let column = serde_json::Value::Array(values.into_iter().map(json).collect());
            (name.to_owned(), if nested { serde_json::Value::Array(vec![column]) } else { column })
        });
        columns.collect()
    }

    fn prompt(&self, kind: MediaKind) -> Option<Prompt> {
        match kind {
            MediaKind::Image => self.rules.image.as_ref().map(|(prompt, _)| *prompt),
            MediaKind::Video => self.rules.video.as_ref().map(|(prompt, _)| *prompt),
            MediaKind::Audio => self.rules.audio.as_ref().map(|(prompt, _)| *prompt),
        }
    }

    fn expand_item(&self, item: &MediaItem, place: Place) -> Outcome {
        let unsupported = || {
            let message = format!("{} reads no {}", self.family.name(), item.kind().name());
            Refused::new("media-unsupported", message)
        };
        match *item {
            MediaItem::Image(size) => {
                let (_, rule) = self.rules.image.as_ref().ok_or_else(unsupported)?;
                rule(check_size(size)?, place)
            }
            MediaItem::Video { size, frames, fps } => {
                let (_, rule) = self.rules.video.as_ref().ok_or_else(unsupported)?;
                rule(check_frames(size, frames, fps)?, place)
            }
            MediaItem::Audio { samples } => {
                let (_, rule) = self.rules.audio.as_ref().ok_or_else(unsupported)?;
                match samples {
                    0 => Err(Refused::new("media-empty", "the audio has no samples".to_owned())),
                    MAX_SAMPLES.. => Err(Refused::new("media-too-large", format!("{samples} samples of audio"))),
                    samples => rule(samples, place),
                }
            }
        }
    }
}

fn check_size(size: Size) -> Result<Sides, Refused> {
    let Size { width, height } = size;
    if width == 0 || height == 0 {
        return Err(Refused::new("media-empty", format!("{width} x {height} has no pixels")));
    }
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_AREA {
        return Err(Refused::new("media-too-large", format!("{width} x {height} is more than any processor opens")));
    }
    Ok(size.into())
}

fn check_frames(size: Size, frames: u32, fps: f64) -> Result<Frames, Refused> {
    let sides = check_size(size)?;
    if frames == 0 {
        return Err(Refused::new("media-empty", "the video has no frames".to_owned()));
    }
    if frames > MAX_FRAMES {
        return Err(Refused::new("media-too-large", format!("{frames} frames")));
    }
    if !(1e-6..=1e6).contains(&fps) {
        return Err(Refused::new("media-refused", format!("{fps} is no frame rate")));
    }
    Ok(Frames { sides, count: frames, fps })
}
