//! What the data itself says about training: per message, per part of a message, per stretch of characters.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::json;
use crate::message::wrong_type;
use crate::row::RowError;
use crate::spec::FieldSpec;

/// A message's flags.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MessageFlags {
    /// A flag that says yes or no: decides whatever the role.
    pub(crate) train: Option<bool>,
    /// `weight`: 0 takes the message out, other values weigh it.
    pub(crate) weight: Option<f32>,
    /// Stretches of the message's text. Where there are any, text outside of them is not trained.
    pub(crate) details: Vec<Detail>,
}

/// A flagged stretch of one field of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Detail {
    /// Where the text stands in the message: `content`, `content[1].text`.
    pub(crate) field: String,
    /// Code points of the field.
    pub(crate) chars: Range<usize>,
    /// Whether it is trained.
    pub(crate) train: bool,
    /// Its weight, if it is trained.
    pub(crate) weight: f32,
}

/// What a flag says.
#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    /// True or 1: the message is trained.
    Train,
    /// True: the message is not trained. A number would be read as its opposite by half of the tools, and is refused.
    Masked,
    /// 0 takes the message out, another number weighs it.
    Weight,
}

/// Flags of a message, by the tools that read them; the first that is there counts. `message_field_training` wins over them.
const FLAGS: [(&str, Meaning); 11] = [
    ("training", Meaning::Train),      // axolotl
    ("train", Meaning::Train),         // allenai/open-instruct#283
    ("loss_mask", Meaning::Train),     // verl, slime
    ("trainable", Meaning::Train),     // verl-project/verl#5472
    ("train_on_turn", Meaning::Train), // NVIDIA NeMo's and Together's chat data
    ("loss", Meaning::Train),          // ms-swift
    ("masked", Meaning::Masked),       // torchtune's Message
    ("mask", Meaning::Masked),
    ("weight", Meaning::Weight), // OpenAI, Together
    ("loss_weight", Meaning::Weight),
    ("loss_scale", Meaning::Weight), // ms-swift
];
/// Lists beside the messages, with an item for each of them or for each answer.
const ROW_FLAGS: [(&str, Meaning); 7] = [
    ("loss_mask", Meaning::Train),
    ("train_mask", Meaning::Train),
    ("loss", Meaning::Train),
    ("weights", Meaning::Weight),
    ("weight", Meaning::Weight),
    ("loss_weights", Meaning::Weight),
    ("loss_scale", Meaning::Weight),
];
const DETAIL_KEY: &str = "training_detail";

/// Whether a message's key is a flag, which no template needs to see.
pub(crate) fn is_flag(key: &str, fields: &FieldSpec) -> bool {
    FLAGS.iter().any(|(flag, _)| *flag == key)
        || key == DETAIL_KEY
        || fields.training.as_deref() == Some(key)
        || fields.training_detail.as_deref() == Some(key)
}

/// The flags of a message.
pub(crate) fn of_message(
    message: &Map<String, Value>,
    fields: &FieldSpec,
    content_key: &str,
    path: &str,
) -> Result<MessageFlags, RowError> {
    let mut flags = MessageFlags::default();
    let named = fields.training.as_deref().map(|key| (key, Meaning::Train));
    for (key, meaning) in named.into_iter().chain(FLAGS) {
        // A list of weights is one for each part of the content: `spread_weights`.
        let value = message.get(key).map(|value| match value.as_array() {
            Some(list) if list.len() == 1 => &list[0],
            _ => value,
        });
        if let Some(value) = value.filter(|value| !value.is_null() && !value.is_array()) {
            flags.take(meaning, value, || format!("{path}.{key}"))?;
        }
    }
    let key = fields.training_detail.as_deref().unwrap_or(DETAIL_KEY);
    if let Some(value) = message.get(key).filter(|value| !value.is_null()) {
        let length = message.get(content_key).and_then(Value::as_str).map_or(0, |text| text.chars().count());
        flags.details = details(value, length, &format!("{path}.{key}"))?;
    }
    Ok(flags)
}

/// Flags that stand in a list beside the messages, one set for each message.
pub(crate) fn of_row<'m>(
    row: &Map<String, Value>,
    messages: &'m [Value],
    role: impl Fn(&'m Value) -> Option<&'m str>,
) -> Result<Vec<MessageFlags>, RowError> {
    let mut flags = vec![MessageFlags::default(); messages.len()];
    let answers: Vec<usize> = messages
        .iter()
        .enumerate()
        .filter(|(_, message)| role(message) == Some("assistant"))
        .map(|(at, _)| at)
        .collect();
    for (key, meaning) in ROW_FLAGS {
        let Some(items) = row.get(key).and_then(Value::as_array) else { continue };
        let places: Vec<usize> = match items.len() {
            length if length == messages.len() => (0..length).collect(),
            length if length == answers.len() => answers.clone(),
            length => {
                return Err(RowError {
                    code: "flag-count",
                    path: Some(key.to_owned()),
                    message: format!(
                        "{length} flags for {} messages, {} of them answers",
                        messages.len(),
                        answers.len()
                    ),
                    hint: Some("give one for each message, or one for each answer".to_owned()),
                });
            }
        };
        for (place, (index, value)) in places.into_iter().zip(items.iter().enumerate()) {
            if !value.is_null() {
                flags[place].take(meaning, value, || format!("{key}[{index}]"))?;
            }
        }
    }
    Ok(flags)
}

/// Gives each part of a content its weight out of a message's list of weights (`loss_scale: [1, 0]`).
pub(crate) fn spread_weights(
    given: &Map<String, Value>,
    message: &mut Map<String, Value>,
    path: &str,
) -> Result<(), RowError> {
    for (key, _) in FLAGS {
        let list = given.get(key).and_then(Value::as_array).filter(|list| list.len() != 1);
        let Some(weights) = list else { continue };
        let parts =
            message.get_mut("content").and_then(Value::as_array_mut).filter(|parts| parts.len() == weights.len());
        let Some(parts) = parts else {
            return Err(RowError {
                code: "flag-count",
                path: Some(format!("{path}.{key}")),
                message: format!("a list of {} weights for a content that has no such number of parts", weights.len()),
                hint: Some("give one number, or one for each part of the content".to_owned()),
            });
        };
        for (part, weight) in parts.iter_mut().zip(weights) {
            if let Some(part) = part.as_object_mut() {
                part.insert("weight".to_owned(), weight.clone());
            }
        }
    }
    Ok(())
}

impl MessageFlags {
    fn take(&mut self, meaning: Meaning, value: &Value, path: impl Fn() -> String) -> Result<(), RowError> {
        match meaning {
            Meaning::Train if self.train.is_none() => self.train = Some(truth(value, path)?),
            Meaning::Masked if self.train.is_none() => match value {
                Value::Bool(masked) => self.train = Some(!masked),
                other => return Err(wrong_type("wrong-type", Some(path()), "the flag", "true or false", other)),
            },
            Meaning::Weight if self.weight.is_none() => self.weight = Some(weight(value, path)?),
            _ => {}
        }
        Ok(())
    }

    /// These flags, and those of `other` where these say nothing.
    pub(crate) fn or(self, other: MessageFlags) -> MessageFlags {
        MessageFlags { train: self.train.or(other.train), weight: self.weight.or(other.weight), ..self }
    }

    /// The flags of content parts. `joined`: their texts stand in one string, `field`.
    pub(crate) fn take_parts(
        &mut self,
        field: &str,
        parts: &[Value],
        joined: bool,
        path: &str,
    ) -> Result<(), RowError> {
        if !has_part_flags(parts) {
            return Ok(());
        }
        let mut start = 0;
        for (index, part) in parts.iter().enumerate() {
            let Some((key, text)) = part_text(part) else { continue };
            let end = start + text.chars().count();
            let at = |key: &str| format!("{path}.{field}[{index}].{key}");
            let weight = part_flag(part, "weight").map(|value| weight(value, || at("weight"))).transpose()?;
            let train = part_flag(part, "train").map(|value| truth(value, || at("train"))).transpose()?;
            let train = train.unwrap_or(weight != Some(0.0));
            let weight = weight.filter(|weight| *weight != 0.0).unwrap_or(1.0);
            let (field, chars) = match joined {
                true => (field.to_owned(), start..end),
                false => (format!("{field}[{index}].{key}"), 0..end - start),
            };
            self.details.push(Detail { field, chars, train, weight });
            start = end;
        }
        Ok(())
    }
}

/// The text of a list of text parts, joined. `None` where a part is no text.
pub(crate) fn joined_text(parts: &[Value]) -> Option<String> {
    parts.iter().map(|part| part_text(part).map(|(_, text)| text)).collect::<Option<String>>()
}

/// Whether any part carries a flag.
pub(crate) fn has_part_flags(parts: &[Value]) -> bool {
    parts.iter().any(|part| part_flag(part, "train").or(part_flag(part, "weight")).is_some())
}

fn part_text(part: &Value) -> Option<(&'static str, &str)> {
    let part = part.as_object()?;
    if part.get("type").is_some_and(|kind| kind != "text") {
        return None;
    }
    ["text", "content", "value"].into_iter().find_map(|key| Some((key, part.get(key)?.as_str()?)))
}

fn part_flag<'a>(part: &'a Value, key: &str) -> Option<&'a Value> {
    part.get(key).filter(|value| !value.is_null())
}

fn truth(value: &Value, path: impl Fn() -> String) -> Result<bool, RowError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Number(number) if number.as_f64() == Some(0.0) => Ok(false),
        Value::Number(number) if number.as_f64() == Some(1.0) => Ok(true),
        other => Err(wrong_type("wrong-type", Some(path()), "the flag", "true, false, 0 or 1", other)),
    }
}

fn weight(value: &Value, path: impl Fn() -> String) -> Result<f32, RowError> {
    match (value, json::as_f64(value)) {
        (Value::Bool(value), _) => Ok(f32::from(u8::from(*value))),
        (_, Some(number)) => {
            let weight = number as f32;
            if weight.is_finite() && weight >= 0.0 {
                return Ok(weight);
            }
            Err(RowError {
                code: "invalid-weight",
                path: Some(path()),
                message: format!("{number} is no weight"),
                hint: Some("a weight is 0 or more".to_owned()),
            })
        }
        (other, None) => Err(wrong_type("wrong-type", Some(path()), "the weight", "a number", other)),
    }
}

/// axolotl's `training_detail`: `begin_offset` and `end_offset`, both included, in code points of the content.
fn details(value: &Value, length: usize, path: &str) -> Result<Vec<Detail>, RowError> {
    let list = value
        .as_array()
        .ok_or_else(|| wrong_type("wrong-type", Some(path.to_owned()), "the detail", "a list", value))?;
    let mut details = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let offset = |key: &str| {
            item.get(key).and_then(Value::as_u64).map(|offset| offset as usize).ok_or_else(|| RowError {
                code: "missing-field",
                path: Some(format!("{path}.{key}")),
                message: format!("the detail has no whole number `{key}`"),
                hint: Some("offsets count code points of the content; both are included".to_owned()),
            })
        };
        let (start, end) = (offset("begin_offset")?, offset("end_offset")? + 1);
        if start >= end || end > length {
            return Err(RowError {
                code: "detail-out-of-range",
                path: Some(path),
                message: format!("the detail covers characters {start} to {} of a content of {length}", end - 1),
                hint: Some("offsets count code points of the content from 0; both are included".to_owned()),
            });
        }
        let train = item.get("train").map_or(Ok(true), |value| truth(value, || format!("{path}.train")))?;
        let weight = item.get("weight").map_or(Ok(1.0), |value| weight(value, || format!("{path}.weight")))?;
        details.push(Detail { field: "content".to_owned(), chars: start..end, train: train && weight != 0.0, weight });
    }
    Ok(details)
}
