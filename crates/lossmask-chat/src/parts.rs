//! Parts of a message's content, as the chat APIs write them: text under any of its names, and the parts of an agent's work, which become what
//! chat templates read: `tool_calls`, tool messages, `reasoning_content`.

use serde_json::{Map, Value, json};

use crate::message::wrong_type;
use crate::row::RowError;

/// Types of parts that hold text, and the keys it stands under.
const TEXT_TYPES: [&str; 4] = ["text", "input_text", "output_text", "refusal"];
const TEXT_KEYS: [&str; 4] = ["text", "content", "value", "refusal"];
const REASONING_TYPES: [&str; 2] = ["thinking", "reasoning"];
const REASONING_KEYS: [&str; 5] = ["thinking", "reasoning", "text", "content", "summary"];
/// Types of parts that are left to the media step and the template.
const MEDIA_TYPES: [&str; 8] =
    ["image", "image_url", "input_image", "video", "video_url", "audio", "audio_url", "input_audio"];

/// What a message's parts say.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Text and media, in order: what stays the content.
    pub(crate) content: Vec<Value>,
    /// Reasoning, as text parts with the flags they carry.
    pub(crate) reasoning: Vec<Value>,
    /// Calls in the form of `tool_calls`.
    pub(crate) calls: Vec<Value>,
    /// Results of tools, each a message of its own, with the number of content parts in front of it.
    pub(crate) results: Vec<(usize, Value)>,
}

/// What a template makes of parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// It prints reasoning that stands in parts.
    pub(crate) reasoning: bool,
    /// Every word of its source.
    pub(crate) words: std::collections::HashSet<String>,
}

/// Whether a list of parts needs no reading: text and media as templates know them.
fn is_plain(part: &Value) -> bool {
    match part.get("type").and_then(Value::as_str) {
        Some("text") => part.get("text").is_some_and(Value::is_string),
        Some(kind) => MEDIA_TYPES.contains(&kind),
        None => false,
    }
}

/// Reads a message's parts; `None` where they can stay as they are.
///
/// # Errors
/// `unknown-part` for a part that nothing here or in the template can read.
pub(crate) fn read(parts: &[Value], known: &Known, path: &str) -> Result<Option<Parts>, RowError> {
    if parts.iter().all(is_plain) {
        return Ok(None);
    }
    let mut out = Parts::default();
    for (index, part) in parts.iter().enumerate() {
        out.take(part, known, &format!("{path}[{index}]"))?;
    }
    Ok(Some(out))
}

impl Parts {
    fn take(&mut self, part: &Value, known: &Known, path: &str) -> Result<(), RowError> {
        if let Value::String(text) = part {
            self.content.push(json!({"type": "text", "text": text}));
            return Ok(());
        }
        let entries = part
            .as_object()
            .ok_or_else(|| wrong_type("wrong-type", Some(path.to_owned()), "a content part", "an object", part))?;
        match entries.get("type").and_then(Value::as_str) {
            Some(kind) if TEXT_TYPES.contains(&kind) => {
                let text = text_of(entries, &TEXT_KEYS).ok_or_else(|| without_text(kind, path))?;
                self.content.push(text_part(entries, text));
            }
            Some(kind) if REASONING_TYPES.contains(&kind) && !known.reasoning => {
                let text = text_of(entries, &REASONING_KEYS).ok_or_else(|| without_text(kind, path))?;
                self.reasoning.push(text_part(entries, text));
            }
            Some("tool_use") => self.calls.push(call(entries, path)?),
            Some("tool_result") => self.results.push((self.content.len(), result(entries, known, path)?)),
            Some(kind)
                if MEDIA_TYPES.contains(&kind) || REASONING_TYPES.contains(&kind) || known.words.contains(kind) =>
            {
                self.content.push(part.clone());
            }
            Some(kind) => return Err(unknown(kind, path)),
            None if MEDIA_TYPES.iter().any(|kind| entries.contains_key(*kind)) => self.content.push(part.clone()),
            None => match text_of(entries, &TEXT_KEYS) {
                Some(text) => self.content.push(text_part(entries, text)),
                None => return Err(unknown("", path)),
            },
        }
        Ok(())
    }
}

/// The text under one of the keys: a string, `{value}` as OpenAI's assistants have it, or a list of such.
fn text_of(part: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| text_in(part.get(*key)?))
}

fn text_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(entries) => text_of(entries, &TEXT_KEYS),
        Value::Array(items) => items.iter().map(text_in).collect(),
        _ => None,
    }
}

/// A text part with the flags of the part that it was.
fn text_part(part: &Map<String, Value>, text: String) -> Value {
    let mut out = json!({"type": "text", "text": text});
    for flag in ["train", "weight"] {
        if let Some(value) = part.get(flag) {
            out[flag] = value.clone();
        }
    }
    out
}

/// Anthropic's `tool_use` as a call of `tool_calls`.
fn call(part: &Map<String, Value>, path: &str) -> Result<Value, RowError> {
    let Some(name) = part.get("name").and_then(Value::as_str) else {
        return Err(missing(format!("{path}.name"), "the call of a tool has no `name`"));
    };
    let arguments = part.get("input").filter(|input| !input.is_null()).cloned().unwrap_or_else(|| json!({}));
    let mut call = json!({"type": "function", "function": {"name": name, "arguments": arguments}});
    if let Some(id) = part.get("id").filter(|id| !id.is_null()) {
        call["id"] = id.clone();
    }
    Ok(call)
}

/// Anthropic's `tool_result` as a message of the role `tool`.
fn result(part: &Map<String, Value>, known: &Known, path: &str) -> Result<Value, RowError> {
    let path = format!("{path}.content");
    let content = match part.get("content") {
        None | Some(Value::Null) => Value::from(""),
        Some(Value::String(text)) => Value::from(text.as_str()),
        Some(Value::Array(parts)) => match read(parts, known, &path)? {
            None => Value::Array(parts.clone()),
            Some(read) if read.calls.is_empty() && read.results.is_empty() && read.reasoning.is_empty() => {
                Value::Array(read.content)
            }
            Some(_) => return Err(unknown("tool_use", &path)),
        },
        Some(other) => {
            return Err(wrong_type(
                "wrong-type",
                Some(path),
                "the result of a tool",
                "a string or a list of parts",
                other,
            ));
        }
    };
    let mut message = json!({"role": "tool", "content": content});
    if let Some(id) = part.get("tool_use_id").filter(|id| !id.is_null()) {
        message["tool_call_id"] = id.clone();
    }
    Ok(message)
}

fn unknown(kind: &str, path: &str) -> RowError {
    let what = if kind.is_empty() {
        "a content part without a type holds no text".to_owned()
    } else {
        format!("nothing is known of content parts of the type `{kind}`")
    };
    let known = TEXT_TYPES.iter().chain(&REASONING_TYPES).chain(&["tool_use", "tool_result"]).chain(&MEDIA_TYPES);
    let known: Vec<&str> = known.copied().collect();
    RowError {
        code: "unknown-part",
        path: Some(path.to_owned()),
        message: what,
        hint: Some(format!("write it as one of {}, or drop it", known.join(", "))),
    }
}

fn without_text(kind: &str, path: &str) -> RowError {
    missing(path.to_owned(), &format!("the part of the type `{kind}` holds no text"))
}

fn missing(path: String, message: &str) -> RowError {
    let hint = Some("complete the part, or drop it".to_owned());
    RowError { code: "missing-field", path: Some(path), message: message.to_owned(), hint }
}
