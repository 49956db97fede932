//! Media of a row: found in its messages and columns, measured, and put in the place of their placeholders.
//!
//! Three steps around the rendering. *Collect*: media are taken out of the row and measured. *Place*: in the rendered text, each
//! placeholder that the template wrote becomes what the processor writes there; a run of equal control tokens stands only once.
//! *Unfold*: once the row is encoded and decided, that one token becomes its run, and the record grows with it. So a route never
//! sees thousands of equal tokens, and every other token keeps its role, kind and label.

mod collect;
mod place;
mod unfold;

use std::collections::HashSet;

use lossmask::{Diagnosis, Severity};
use lossmask_media::{Expander, Expansion, Family, Locator, MediaFault, MediaItem, MediaKind, Params, ParamsError};
use serde_json::Value;

use crate::row::{RowError, SpecError};
use crate::spec::MediaSpec;
use crate::tokenizer::Tokenizer;

pub(crate) use place::Placed;
pub(crate) use unfold::unfold;

/// The media side of an encoder.
pub(crate) struct MediaStep {
    /// Why there is none is told to the first row that has media: rows of text need none.
    expander: Result<Expander, RowError>,
    locator: Locator,
    sampling_rate: u32,
}

/// What a row says whose media nobody expands: in its messages, or in its columns where it has none.
pub(crate) fn unexpanded(row: &Value, messages: &[Value]) -> Option<Diagnosis> {
    let holds = messages.iter().any(collect::holds_media) || (messages.is_empty() && collect::has_columns(row));
    holds.then(|| Diagnosis {
        code: "media-not-expanded",
        severity: Severity::Warning,
        span: None,
        message: "the row has media, and their placeholders are not expanded".to_owned(),
        hint: Some(
            "use a model folder with processor_config.json or preprocessor_config.json, or set media.family".to_owned(),
        ),
    })
}

/// One piece of a row's media, measured.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measured {
    pub(crate) item: MediaItem,
    /// As [`crate::RowMedia::reference`].
    pub(crate) reference: String,
    /// Where it stands in the row.
    pub(crate) path: String,
}

impl MediaStep {
    pub(crate) fn new(spec: &MediaSpec) -> Result<Self, SpecError> {
        let params = match (&spec.params, &spec.model) {
            (Some(value), _) => Params::from_value(value),
            (None, Some(folder)) => Params::from_path(folder),
            (None, None) => Ok(Params::default()),
        };
        let params = params.map_err(|error| unusable(&error))?;
        let family = match &spec.family {
            Some(name) => Some(Family::from_name(name).map_err(|error| unusable(&error))?),
            None => Family::detect(&params),
        };
        let expander = match family {
            Some(family) => Ok(Expander::new(family, &params).map_err(|error| unusable(&error))?),
            None => Err(no_family()),
        };
        let locator = Locator::new(spec.root.as_deref(), spec.exif_orientation, &spec.allow_remote)
            .map_err(|error| located(&error))?;
        Ok(MediaStep { expander, locator, sampling_rate: spec.sampling_rate.unwrap_or(16_000) })
    }

    /// Takes the media out of a conversation's messages, in the order in which their placeholders will stand, and measures them.
    /// `paths` are the messages' places in the row.
    pub(crate) fn collect(
        &self,
        row: &Value,
        messages: &mut [Value],
        paths: &[&str],
    ) -> Result<Vec<Measured>, RowError> {
        collect::collect(self, row, messages, paths)
    }

    /// Takes the media out of a row's columns, for a row whose text is not made of messages.
    pub(crate) fn collect_columns(&self, row: &Value) -> Result<Vec<Measured>, RowError> {
        collect::from_columns(self, row)
    }

    /// What each item's placeholder becomes.
    pub(crate) fn expand(&self, media: &[Measured]) -> Result<Vec<Expansion>, RowError> {
        let items: Vec<MediaItem> = media.iter().map(|measured| measured.item).collect();
        self.expander.as_ref().map_err(Clone::clone)?.expand(&items).map_err(|refused| {
            let measured = media.get(refused.item);
            let name = measured.map_or("media", |measured| measured.reference.as_str());
            RowError {
                code: refused.code,
                path: measured.map(|measured| measured.path.clone()),
                message: format!("{name}: {}", refused.message),
                hint: Some("the model's own processor refuses it too: drop the row, or replace the file".to_owned()),
            }
        })
    }

    fn placeholder(&self, kind: MediaKind) -> Option<&'static str> {
        self.expander.as_ref().ok()?.placeholder(kind)
    }

    /// The control tokens of expansions that the tokenizer holds as added tokens: only they stand for one id wherever they are.
    fn folds(&self, tokenizer: &Tokenizer, expansions: &[Expansion]) -> HashSet<String> {
        let named = expansions.iter().flat_map(|expansion| &expansion.runs).filter(|(_, count)| *count > 1);
        let names: HashSet<String> = named.map(|(token, _)| token.to_string()).collect();
        names.into_iter().filter(|name| tokenizer.token_to_id(name).is_some_and(|id| tokenizer.is_added(id))).collect()
    }
}

fn no_family() -> RowError {
    RowError {
        code: "media-family",
        path: None,
        message: "the row has media, and it is not known how the model's processor expands them".to_owned(),
        hint: Some(
            "use a model folder with processor_config.json or preprocessor_config.json, or set media.family".to_owned(),
        ),
    }
}

fn unusable(error: &ParamsError) -> SpecError {
    SpecError { code: error.code, message: error.message.clone(), hint: None }
}

fn located(error: &MediaFault) -> SpecError {
    SpecError { code: error.code, message: error.message.clone(), hint: error.hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests;
