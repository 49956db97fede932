//! Parameters of a processor: read from a model folder or a JSON value, looked up by name, class defaults where absent.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::{Map, Value};

use crate::expansion::MediaKind;

/// A processor's settings, in the sections of its files.
///
/// A flat object (`{ "patch_size": 14, "max_pixels": 12845056 }`) serves as every section at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    processor: Map<String, Value>,
    image: Map<String, Value>,
    video: Map<String, Value>,
    audio: Map<String, Value>,
}

/// Why parameters cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamsError {
    /// `media-params`, or `media-family` for an unknown family.
    pub code: &'static str,
    /// What is wrong, with the key's name.
    pub message: String,
}

impl ParamsError {
    pub(crate) fn new(message: String) -> Self {
        ParamsError { code: "media-params", message }
    }
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParamsError {}

impl Params {
    /// From a JSON object: flat, or as `processor_config.json` with its `image_processor`, `video_processor` and
    /// `feature_extractor` inside.
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn from_value(value: &Value) -> Result<Self, ParamsError> {
        let object = match value {
            Value::Null => return Ok(Params::default()),
            Value::Object(object) => object,
            _ => return Err(ParamsError::new("params must be an object".to_owned())),
        };
        let mut params = Params { processor: object.clone(), ..Params::default() };
        params.take_sections();
        Ok(params)
    }

    /// From a model folder: `processor_config.json`, `preprocessor_config.json`, `video_preprocessor_config.json`, as far as
    /// they are there. What stands inside `processor_config.json` wins, as in transformers.
    ///
    /// # Errors
    /// When a file cannot be read or is not a JSON object.
    pub fn from_folder(folder: &Path) -> Result<Self, ParamsError> {
        let mut params = Params::default();
        if let Some(object) = read_object(&folder.join("preprocessor_config.json"))? {
            params.audio = object.clone();
            params.image = object;
        }
        if let Some(object) = read_object(&folder.join("video_preprocessor_config.json"))? {
            params.video = object;
        }
        if let Some(object) = read_object(&folder.join("processor_config.json"))? {
            params.processor = object;
            params.take_sections();
        }
        Ok(params)
    }

    /// From one file, which holds the parameters flat or in `processor_config.json`'s sections.
    ///
    /// # Errors
    /// When the file cannot be read or is not a JSON object.
    pub fn from_file(path: &Path) -> Result<Self, ParamsError> {
        match read_object(path)? {
            Some(object) => Params::from_value(&Value::Object(object)),
            None => Err(ParamsError::new(format!("{}: no such file", path.display()))),
        }
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.processor.is_empty() && self.image.is_empty() && self.video.is_empty() && self.audio.is_empty()
    }

    /// The name of the processor's class, where a file tells it.
    pub fn processor_class(&self) -> Option<&str> {
        [&self.processor, &self.image, &self.video]
            .into_iter()
            .find_map(|section| section.get("processor_class")?.as_str())
    }

    /// The name of the image processor's class, where a file tells it.
    pub fn image_processor_class(&self) -> Option<&str> {
        self.image.get("image_processor_type").or_else(|| self.processor.get("image_processor_type"))?.as_str()
    }

    fn take_sections(&mut self) {
        for (name, section) in [
            ("image_processor", &mut self.image),
            ("video_processor", &mut self.video),
            ("feature_extractor", &mut self.audio),
        ] {
            if let Some(Value::Object(inner)) = self.processor.remove(name) {
                *section = inner;
            }
        }
    }

    /// A view for one kind of media: that kind's section first, then the processor's.
    pub(crate) fn reader(&self, kind: MediaKind) -> Reader<'_> {
        let section = match kind {
            MediaKind::Image => &self.image,
            MediaKind::Video => &self.video,
            MediaKind::Audio => &self.audio,
        };
        Reader { section, processor: &self.processor }
    }
}

impl Params {
    /// A view of what the processor itself sets, past the sections of its parts.
    pub(crate) fn processor_reader(&self) -> Reader<'_> {
        Reader { section: &self.processor, processor: &self.processor }
    }
}

fn read_object(path: &Path) -> Result<Option<Map<String, Value>>, ParamsError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ParamsError::new(format!("{}: {error}", path.display()))),
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => Err(ParamsError::new(format!("{}: not a JSON object", path.display()))),
        Err(error) => Err(ParamsError::new(format!("{}: {error}", path.display()))),
    }
}

/// Looks keys up, with alternatives and bounds.
pub(crate) struct Reader<'a> {
    section: &'a Map<String, Value>,
    processor: &'a Map<String, Value>,
}

impl Reader<'_> {
    /// The first of `key` and its `paths` (`size.longest_edge`) that is set and not null.
    pub(crate) fn find(&self, key: &str, paths: &[&str]) -> Option<&Value> {
        [self.section, self.processor].into_iter().find_map(|object| {
            std::iter::once(&key).chain(paths).find_map(|path| lookup(object, path).filter(|value| !value.is_null()))
        })
    }

    /// A positive number of something. A list or an object of two equal sides counts as that side.
    pub(crate) fn uint(
        &self,
        key: &'static str,
        paths: &[&str],
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, ParamsError> {
        let Some(value) = self.find(key, paths) else { return Ok(default) };
        let number =
            side(value).ok_or_else(|| ParamsError::new(format!("{key}: expected a whole number, found {value}")))?;
        match u32::try_from(number) {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err(ParamsError::new(format!("{key}: {number} is not in {}..={}", range.start(), range.end()))),
        }
    }

    /// A number of pixels.
    pub(crate) fn pixels(&self, key: &'static str, paths: &[&str], default: u64) -> Result<u64, ParamsError> {
        let Some(value) = self.find(key, paths) else { return Ok(default) };
        match side(value) {
            Some(number) if (1..=1 << 48).contains(&number) => Ok(number),
            _ => Err(ParamsError::new(format!("{key}: expected a number of pixels, found {value}"))),
        }
    }

    /// A floating-point number.
    pub(crate) fn float(
        &self,
        key: &'static str,
        default: f64,
        range: RangeInclusive<f64>,
    ) -> Result<f64, ParamsError> {
        let Some(value) = self.find(key, &[]) else { return Ok(default) };
        match value.as_f64() {
            Some(number) if range.contains(&number) => Ok(number),
            _ => Err(ParamsError::new(format!("{key}: expected a number in {range:?}, found {value}"))),
        }
    }

    /// A yes or no.
    pub(crate) fn flag(&self, key: &'static str, default: bool) -> Result<bool, ParamsError> {
        let Some(value) = self.find(key, &[]) else { return Ok(default) };
        value.as_bool().ok_or_else(|| ParamsError::new(format!("{key}: expected true or false, found {value}")))
    }

    /// A word.
    pub(crate) fn word(&self, key: &'static str, default: &'static str) -> Result<&str, ParamsError> {
        let Some(value) = self.find(key, &[]) else { return Ok(default) };
        value.as_str().ok_or_else(|| ParamsError::new(format!("{key}: expected a string, found {value}")))
    }
}

fn lookup<'v>(object: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    match path.split_once('.') {
        None => object.get(path),
        Some((head, rest)) => object.get(head)?.as_object().and_then(|inner| lookup(inner, rest)),
    }
}

/// The side of a square: a number, `[n, n]`, or an object that holds one number or the same number throughout.
fn side(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => {
            number.as_u64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0 && *n >= 0.0).map(|n| n as u64))
        }
        Value::Array(items) => same(items.iter()),
        Value::Object(object) => same(object.values()),
        _ => None,
    }
}

fn same<'v>(mut values: impl Iterator<Item = &'v Value>) -> Option<u64> {
    let first = values.next()?.as_u64()?;
    values.all(|value| value.as_u64() == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sections_win_over_the_processor() {
        let params = Params::from_value(&json!({ "patch_size": 28, "image_processor": { "patch_size": 14 } })).unwrap();
        let read = |kind| params.reader(kind).uint("patch_size", &[], 1, 1..=100).unwrap();
        assert_eq!((read(MediaKind::Image), read(MediaKind::Video)), (14, 28));
    }

    #[test]
    fn squares_are_one_side() {
        for value in
            [json!(336), json!([336, 336]), json!({ "height": 336, "width": 336 }), json!({ "longest_edge": 336 })]
        {
            assert_eq!(side(&value), Some(336), "{value}");
        }
        for value in [json!([336, 224]), json!("336"), json!(-1), json!(1.5), json!({})] {
            assert_eq!(side(&value), None, "{value}");
        }
    }

    #[test]
    fn hostile_values_are_errors() {
        for value in [
            json!({ "patch_size": 0 }),
            json!({ "patch_size": -4 }),
            json!({ "patch_size": 1e300 }),
            json!({ "patch_size": "x" }),
        ] {
            let params = Params::from_value(&value).unwrap();
            assert!(params.reader(MediaKind::Image).uint("patch_size", &[], 14, 1..=1024).is_err(), "{value}");
        }
        assert!(Params::from_value(&json!([1])).is_err());
    }
}
