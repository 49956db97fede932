//! One expansion asked for from outside (JavaScript, the command line) and its answer, as plain data.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::expander::Expander;
use crate::expansion::{Expansion, MediaItem, MediaKind, Refused, Size, Token};
use crate::family::Family;
use crate::params::Params;

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The family's name.
    pub family: String,
    /// The processor's parameters: flat, or as in `processor_config.json`.
    #[serde(default)]
    pub params: Option<Value>,
    /// A model folder, or one of its files, to read parameters from; not together with `params`.
    #[serde(default)]
    pub model: Option<PathBuf>,
    /// Images as `[width, height]`.
    #[serde(default)]
    pub images: Vec<(u64, u64)>,
    /// Videos.
    #[serde(default)]
    pub videos: Vec<RequestedVideo>,
    /// Audio clips, in samples at the processor's sampling rate.
    #[serde(default)]
    pub audio_samples: Vec<u64>,
    /// With the delimiters that the chat template writes, or only what replaces the placeholder.
    #[serde(default)]
    pub prompt: PromptForm,
}

/// Sampled frames.
#[derive(Clone, Debug, Deserialize)]
pub struct RequestedVideo {
    /// Pixels per row.
    pub width: u64,
    /// Rows.
    pub height: u64,
    /// Number of sampled frames.
    pub frames: u64,
    /// Sampled frames per second; frame `k` stands at `k / fps` seconds. Default 24, as in transformers.
    #[serde(default = "default_fps")]
    pub fps: f64,
}

fn default_fps() -> f64 {
    24.0
}

/// What stands around the placeholder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PromptForm {
    /// The family's delimiters, as its chat template writes them.
    #[default]
    Template,
    /// Nothing.
    Bare,
}

/// The answer; lists hold one entry per item: images, then videos, then audio clips.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Runs of tokens by name; plain text as `text:...`.
    pub expanded: Vec<Vec<(String, u32)>>,
    /// Placeholders per item.
    pub counts: Vec<u32>,
    /// The processor's values, as it returns them.
    pub grid: Map<String, Value>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// `media-family`, `media-params`, or as [`Refused::code`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where in the request: `images[1]`.
    pub path: Option<String>,
}

impl RequestError {
    fn at(code: &'static str, message: String, path: &str) -> Self {
        RequestError { code, message, path: Some(path.to_owned()) }
    }
}

impl Request {
    /// Expands what is asked.
    ///
    /// # Errors
    /// An unknown family, bad parameters, or the first item that is refused.
    pub fn answer(&self) -> Result<Answer, RequestError> {
        let family =
            Family::from_name(&self.family).map_err(|error| RequestError::at(error.code, error.message, "family"))?;
        let params = self.params()?;
        let expander =
            Expander::new(family, &params).map_err(|error| RequestError::at(error.code, error.message, "params"))?;
        let items = self.items();
        let expansions = match self.prompt {
            PromptForm::Template => expander.expand_in_prompt(&items),
            PromptForm::Bare => expander.expand(&items),
        };
        let expansions = expansions.map_err(|refused| self.refused(&items, refused))?;
        Ok(Answer {
            expanded: expansions.iter().map(named_runs).collect(),
            counts: expansions.iter().map(|expansion| expansion.placeholder_count).collect(),
            grid: expander.grid_json(&expansions),
        })
    }

    fn params(&self) -> Result<Params, RequestError> {
        let read = match (&self.params, &self.model) {
            (Some(_), Some(_)) => {
                return Err(RequestError::at(
                    "media-params",
                    "params and model exclude each other".to_owned(),
                    "model",
                ));
            }
            (Some(value), None) => Params::from_value(value),
            (None, Some(path)) => Params::from_path(path),
            (None, None) => Ok(Params::default()),
        };
        read.map_err(|error| {
            RequestError::at(error.code, error.message, if self.model.is_some() { "model" } else { "params" })
        })
    }

    fn items(&self) -> Vec<MediaItem> {
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let size = |width, height| Size { width: narrow(width), height: narrow(height) };
        let images = self.images.iter().map(|&(width, height)| MediaItem::Image(size(width, height)));
        let videos = self.videos.iter().map(|video| MediaItem::Video {
            size: size(video.width, video.height),
            frames: narrow(video.frames),
            fps: video.fps,
        });
        let audios = self.audio_samples.iter().map(|&samples| MediaItem::Audio { samples });
        images.chain(videos).chain(audios).collect()
    }

    fn refused(&self, items: &[MediaItem], refused: Refused) -> RequestError {
        let path = items.get(refused.item).map(|item| match item.kind() {
            MediaKind::Image => format!("images[{}]", refused.item),
            MediaKind::Video => format!("videos[{}]", refused.item - self.images.len()),
            MediaKind::Audio => format!("audioSamples[{}]", refused.item - self.images.len() - self.videos.len()),
        });
        RequestError { code: refused.code, message: refused.message, path }
    }
}

impl Params {
    /// From a model folder, or from one JSON file.
    ///
    /// # Errors
    /// As [`Params::from_folder`]; and when nothing is there.
    pub fn from_path(path: &Path) -> Result<Self, crate::params::ParamsError> {
        if path.is_dir() { Params::from_folder(path) } else { Params::from_file(path) }
    }
}

fn named_runs(expansion: &Expansion) -> Vec<(String, u32)> {
    let name = |token: &Token| match token {
        Token::Text(text) => format!("text:{text}"),
        token => token.to_string(),
    };
    expansion.runs.iter().map(|(token, count)| (name(token), *count)).collect()
}
