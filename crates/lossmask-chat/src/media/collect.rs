//! Where data sets put media: content parts (OpenAI, transformers), columns (axolotl, TRL), markers in text (LLaVA, ShareGPT).

use lossmask_media::{MediaItem, MediaKind, Reference, Size};
use serde_json::{Map, Value, json};

use super::{Measured, MediaStep};
use crate::row::RowError;

/// A piece of media as the row has it, not yet measured.
#[derive(Clone, Debug)]
struct Found<'r> {
    kind: MediaKind,
    source: Source<'r>,
    path: String,
}

#[derive(Clone, Copy, Debug)]
enum Source<'r> {
    /// A path or URL, and the object around it, which may state sizes.
    Url(&'r str, Option<&'r Map<String, Value>>),
    Base64(&'r str, Option<&'r Map<String, Value>>),
    /// Frames of a video, one reference each.
    Frames(&'r [Value], &'r Map<String, Value>),
    /// Nothing but sizes.
    Stated(&'r Map<String, Value>),
}

const KINDS: [MediaKind; 3] = [MediaKind::Image, MediaKind::Video, MediaKind::Audio];

pub(super) fn collect(
    step: &MediaStep,
    row: &Value,
    messages: &mut [Value],
    paths: &[&str],
) -> Result<Vec<Measured>, RowError> {
    let mut columns = Columns::of(row);
    if !columns.any_left() && !messages.iter().any(holds_media) {
        return Ok(Vec::new());
    }
    if let Err(error) = &step.expander {
        return Err(error.clone());
    }
    let taken: Vec<Value> = messages.to_vec();
    let mut found = Vec::new();
    for ((message, original), path) in messages.iter_mut().zip(&taken).zip(paths) {
        match original.get("content") {
            Some(Value::Array(parts)) => {
                let content = content_of(message);
                for (index, part) in parts.iter().enumerate() {
                    let Some(kind) = part_kind(part) else { continue };
                    let path = format!("{path}.content[{index}]");
                    let media = match source_of(part, kind) {
                        Some(source) => Found { kind, source, path: path.clone() },
                        None => columns.next(kind, &path)?,
                    };
                    found.push(media);
                    content[index] = bare_part(kind);
                }
            }
            Some(Value::String(text)) if columns.any_left() => {
                if let Some(parts) = split_markers(text, &columns) {
                    for part in &parts {
                        if let Some(kind) = part_kind(part) {
                            found.push(columns.next(kind, &format!("{path}.content"))?);
                        }
                    }
                    message["content"] = Value::Array(parts);
                }
            }
            _ => {}
        }
    }
    if found.is_empty() && columns.any_left() {
        append_to_first_user(messages, &mut columns, &mut found);
    }
    columns.check_used_up()?;
    found.into_iter().map(|found| measure(step, found)).collect()
}

/// The media of a row's columns alone, by kind and in their order: for rows whose text is not made of messages.
pub(super) fn from_columns(step: &MediaStep, row: &Value) -> Result<Vec<Measured>, RowError> {
    let mut columns = Columns::of(row);
    let mut found = Vec::new();
    for kind in KINDS {
        while columns.left(kind) > 0 {
            found.push(columns.next(kind, "")?);
        }
    }
    match &step.expander {
        Err(error) if !found.is_empty() => Err(error.clone()),
        _ => found.into_iter().map(|found| measure(step, found)).collect(),
    }
}

/// Whether a row has columns of media.
pub(super) fn has_columns(row: &Value) -> bool {
    Columns::of(row).any_left()
}

/// Whether a message's content has a part that is media.
pub(super) fn holds_media(message: &Value) -> bool {
    let parts = message.get("content").and_then(Value::as_array);
    parts.is_some_and(|parts| parts.iter().any(|part| part_kind(part).is_some()))
}

fn content_of(message: &mut Value) -> &mut Vec<Value> {
    match &mut message["content"] {
        Value::Array(parts) => parts,
        _ => unreachable!("the original's content is a list"),
    }
}

/// A part as every multimodal template knows it.
fn bare_part(kind: MediaKind) -> Value {
    json!({ "type": kind.name() })
}

/// The kind of a content part, by its `type` or by the key that holds its media.
fn part_kind(part: &Value) -> Option<MediaKind> {
    let part = part.as_object()?;
    let kind = match part.get("type").and_then(Value::as_str) {
        Some("text") => return None,
        Some(kind) => kind,
        None => {
            ["image", "image_url", "video", "video_url", "audio"].into_iter().find(|key| part.contains_key(*key))?
        }
    };
    match kind {
        "image" | "image_url" | "input_image" => Some(MediaKind::Image),
        "video" | "video_url" => Some(MediaKind::Video),
        "audio" | "audio_url" | "input_audio" => Some(MediaKind::Audio),
        _ => None,
    }
}

/// What a part, or an entry of a column, names; `None` for a bare placeholder.
fn source_of(value: &Value, kind: MediaKind) -> Option<Source<'_>> {
    let object = match value {
        Value::String(url) => return Some(Source::Url(url, None)),
        Value::Object(object) => object,
        _ => return None,
    };
    if let Some(text) = ["base64", "bytes"].iter().find_map(|key| object.get(*key)?.as_str()) {
        return Some(Source::Base64(text, Some(object)));
    }
    let keys = [kind.name(), "image_url", "video_url", "audio_url", "input_audio", "url", "path", "file"];
    for inner in keys.iter().filter_map(|key| object.get(*key)) {
        match inner {
            Value::String(url) => return Some(Source::Url(url, Some(object))),
            Value::Array(frames) if kind == MediaKind::Video => return Some(Source::Frames(frames, object)),
            Value::Object(nested) => {
                let url = ["url", "path"].iter().find_map(|key| nested.get(*key)?.as_str());
                let data = ["data", "base64", "bytes"].iter().find_map(|key| nested.get(*key)?.as_str());
                if let Some(data) = data {
                    return Some(Source::Base64(data, Some(object)));
                }
                if let Some(url) = url {
                    return Some(Source::Url(url, Some(object)));
                }
            }
            _ => {}
        }
    }
    ["width", "samples"].iter().any(|key| object.contains_key(*key)).then_some(Source::Stated(object))
}

/// `images`, `image` and their like: media that the messages only point to.
struct Columns<'r> {
    /// Per kind: the column's name, its entries, and how many are taken.
    lists: [Option<(&'static str, Vec<&'r Value>, usize)>; 3],
}

impl<'r> Columns<'r> {
    fn of(row: &'r Value) -> Self {
        let names = [["images", "image"], ["videos", "video"], ["audios", "audio"]];
        let lists = names.map(|names| {
            let (name, value) =
                names.iter().find_map(|name| Some((*name, row.get(*name).filter(|value| !value.is_null())?)))?;
            let entries: Vec<&Value> = match value {
                Value::Array(entries) => entries.iter().collect(),
                single => vec![single],
            };
            Some((name, entries, 0))
        });
        Columns { lists }
    }

    fn left(&self, kind: MediaKind) -> usize {
        self.lists[kind as usize].as_ref().map_or(0, |(_, entries, taken)| entries.len() - taken)
    }

    fn any_left(&self) -> bool {
        KINDS.iter().any(|kind| self.left(*kind) > 0)
    }

    fn next(&mut self, kind: MediaKind, path: &str) -> Result<Found<'r>, RowError> {
        let missing = || RowError {
            code: "media-count",
            path: Some(path.to_owned()),
            message: format!("there is no {} left for this placeholder", kind.name()),
            hint: Some("name the file in the part, or add it to the row's column of media".to_owned()),
        };
        let (name, entries, taken) = self.lists[kind as usize].as_mut().ok_or_else(missing)?;
        let value = *entries.get(*taken).ok_or_else(missing)?;
        let path = format!("{name}[{taken}]");
        *taken += 1;
        let source = source_of(value, kind).ok_or_else(|| RowError {
            code: "media-reference",
            path: Some(path.clone()),
            message: format!("this names no {}", kind.name()),
            hint: Some("expected a path, a URL, or an object with path, url or bytes".to_owned()),
        })?;
        Ok(Found { kind, source, path })
    }

    fn check_used_up(&self) -> Result<(), RowError> {
        for kind in KINDS {
            let left = self.left(kind);
            if let (1.., Some((name, entries, _))) = (left, &self.lists[kind as usize]) {
                return Err(RowError {
                    code: "media-count",
                    path: Some((*name).to_owned()),
                    message: format!(
                        "{left} of {} {}s have no placeholder in the messages",
                        entries.len(),
                        kind.name()
                    ),
                    hint: Some(format!("write <{}> where it belongs, or drop it from the column", kind.name())),
                });
            }
        }
        Ok(())
    }
}

/// A text with `<image>` and its like as parts; `None` without any marker that the columns have media for.
fn split_markers(text: &str, columns: &Columns<'_>) -> Option<Vec<Value>> {
    let marker = |kind: MediaKind| format!("<{}>", kind.name());
    let mut parts = Vec::new();
    let mut rest = text;
    let next = |rest: &str| {
        let kinds = KINDS.into_iter().filter(|kind| columns.left(*kind) > 0);
        kinds.filter_map(|kind| Some((rest.find(&marker(kind))?, kind))).min_by_key(|(at, _)| *at)
    };
    while let Some((at, kind)) = next(rest) {
        if at > 0 {
            parts.push(json!({ "type": "text", "text": &rest[..at] }));
        }
        parts.push(bare_part(kind));
        rest = &rest[at + marker(kind).len()..];
    }
    if parts.is_empty() {
        return None;
    }
    if !rest.is_empty() {
        parts.push(json!({ "type": "text", "text": rest }));
    }
    Some(parts)
}

/// Media that no message mentions stand at the end of the first user message, as in axolotl.
fn append_to_first_user<'r>(messages: &mut [Value], columns: &mut Columns<'r>, found: &mut Vec<Found<'r>>) {
    let is_user = |message: &Value| message.get("role").and_then(Value::as_str) == Some("user");
    let at = messages.iter().position(is_user).unwrap_or(0);
    let Some(Value::Object(message)) = messages.get_mut(at) else { return };
    let mut parts = match message.remove("content") {
        Some(Value::String(text)) => vec![json!({ "type": "text", "text": text })],
        Some(Value::Array(parts)) => parts,
        _ => Vec::new(),
    };
    for kind in KINDS {
        while let Ok(media) = columns.next(kind, "") {
            parts.push(bare_part(kind));
            found.push(media);
        }
    }
    message.insert("content".to_owned(), Value::Array(parts));
}

fn measure(step: &MediaStep, Found { kind, source, path }: Found<'_>) -> Result<Measured, RowError> {
    let fault = |error: lossmask_media::MediaFault| RowError {
        code: error.code,
        path: Some(path.clone()),
        message: error.message,
        hint: error.hint.map(str::to_owned),
    };
    let reference = match source {
        Source::Url(url, _) if !url.starts_with("data:") => url.to_owned(),
        _ => path.clone(),
    };
    let around = match source {
        Source::Url(_, object) | Source::Base64(_, object) => object,
        Source::Frames(_, object) | Source::Stated(object) => Some(object),
    };
    let stated = |key: &str| around.and_then(|object| object.get(key)?.as_u64());
    let stated_size = match (stated("width"), stated("height")) {
        (Some(width), Some(height)) => Some(Size { width: narrow(width), height: narrow(height) }),
        _ => None,
    };
    let located = match source {
        Source::Url(url, _) => Some(Reference::Url(url)),
        Source::Base64(text, _) => Some(Reference::Base64(text)),
        Source::Frames(..) | Source::Stated(_) => None,
    };
    let unknown = |what: &str| RowError {
        code: "media-unmeasured",
        path: Some(path.clone()),
        message: format!("the size of the {} is not known", kind.name()),
        hint: Some(what.to_owned()),
    };
    let item = match kind {
        MediaKind::Image => match (stated_size, located) {
            (Some(size), _) => MediaItem::Image(size),
            (None, Some(located)) => MediaItem::Image(step.locator.image_size(located).map_err(fault)?),
            (None, None) => return Err(unknown("name its file, or state width and height")),
        },
        MediaKind::Audio => match (stated("samples"), located) {
            (Some(samples), _) => MediaItem::Audio { samples },
            (None, Some(located)) => {
                let samples = step.locator.audio_samples(located, step.sampling_rate).map_err(fault)?;
                MediaItem::Audio { samples }
            }
            (None, None) => return Err(unknown("name its file, or state samples")),
        },
        MediaKind::Video => {
            let frames = match source {
                Source::Frames(frames, _) => Some(frames.len() as u64),
                _ => stated("frames").or_else(|| stated("num_frames")),
            };
            let fps = around.and_then(|object| object.get("fps")?.as_f64()).unwrap_or(24.0);
            let size = match (stated_size, source) {
                (Some(size), _) => Some(size),
                (None, Source::Frames([Value::String(first), ..], _)) => {
                    Some(step.locator.image_size(Reference::Url(first)).map_err(fault)?)
                }
                _ => None,
            };
            match (size, frames) {
                (Some(size), Some(frames)) => MediaItem::Video { size, frames: narrow(frames), fps },
                _ => {
                    return Err(unknown(
                        "videos are not opened: state width, height, frames and fps, or list the frames' files",
                    ));
                }
            }
        }
    };
    Ok(Measured { item, reference, path })
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
