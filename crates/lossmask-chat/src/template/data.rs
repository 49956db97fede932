//! From JSON to the values a template sees, each leaf knowing its place in the conversation.

use std::fmt::Write;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::json;

use super::text::{FieldId, Text};
use super::value::{Dict, List, Value};

/// What part of a message a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// The message itself: text made from the dict as a whole.
    Message,
    /// `role`.
    Role,
    /// `content`, or a part of it.
    Content,
    /// `reasoning_content`, `reasoning`, `thinking`, or a content part of that type.
    Reasoning,
    /// `tool_calls` or `function_call`.
    ToolCall,
    /// Any other property of a message: `name`, `tool_call_id`.
    Property,
    /// A tool declaration, a document: outside the messages.
    Declaration,
}

/// A place in the data: a string, number, list or dict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The message it belongs to.
    pub message: Option<usize>,
    /// What part of it.
    pub kind: FieldKind,
    parent: FieldId,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// All fields of one rendering; index 0 stands for the template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields {
    list: Vec<Field>,
}

impl FieldKind {
    /// What a message's property is, by its name.
    pub fn of(key: &str) -> Self {
        match key {
            "role" => FieldKind::Role,
            "content" => FieldKind::Content,
            "reasoning_content" | "reasoning" | "thinking" | "thinking_content" => FieldKind::Reasoning,
            "tool_calls" | "function_call" => FieldKind::ToolCall,
            _ => FieldKind::Property,
        }
    }
}

impl Fields {
    pub fn get(&self, field: FieldId) -> Option<&Field> {
        self.list.get((field as usize).checked_sub(1)?)
    }

    /// `messages[2].content[0].text`.
    pub fn path(&self, field: FieldId) -> String {
        let mut steps = Vec::new();
        let mut at = field;
        while let Some(entry) = self.get(at) {
            steps.push(&entry.step);
            at = entry.parent;
        }
        let mut path = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    let _ = write!(path, ".{key}");
                }
                Step::Index(at) => {
                    let _ = write!(path, "[{at}]");
                }
            }
        }
        path
    }

    fn add(&mut self, message: Option<usize>, kind: FieldKind, parent: FieldId, step: Step) -> FieldId {
        self.list.push(Field { message, kind, parent, step });
        self.list.len() as FieldId
    }

    /// The conversation.
    pub fn messages(&mut self, messages: &[Json]) -> Value {
        let root = self.add(None, FieldKind::Declaration, 0, Step::Key("messages".to_owned()));
        let convert = |(at, message): (usize, &Json)| {
            let field = self.add(Some(at), FieldKind::Message, root, Step::Index(at));
            match message {
                Json::Object(properties) => {
                    let entry = |(key, value): (&String, &Json)| {
                        let own = self.add(Some(at), FieldKind::of(key), field, Step::Key(key.clone()));
                        (Value::Str(Text::made(key, field)), self.value(value, own))
                    };
                    let entries: Vec<_> = properties.iter().map(entry).collect();
                    let depth = entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0).saturating_add(1);
                    Value::Dict(Rc::new(Dict { entries, field, message: at as u32 + 1, depth }))
                }
                other => self.value(other, field),
            }
        };
        let items: Vec<_> = messages.iter().enumerate().map(convert).collect();
        Value::list(items)
    }

    /// Data beside the messages: tools, documents.
    pub fn declaration(&mut self, name: &str, value: &Json) -> Value {
        let field = self.add(None, FieldKind::Declaration, 0, Step::Key(name.to_owned()));
        self.value(value, field)
    }

    /// `value`, which stands at `field`.
    fn value(&mut self, value: &Json, field: FieldId) -> Value {
        let child = |this: &mut Self, value: &Json, step: Step| {
            let (message, kind) =
                this.get(field).map_or((None, FieldKind::Declaration), |parent| (parent.message, parent.kind));
            let thinks = kind == FieldKind::Content && is_reasoning(value);
            let own = this.add(message, if thinks { FieldKind::Reasoning } else { kind }, field, step);
            this.value(value, own)
        };
        match value {
            Json::Array(items) => {
                let items: Vec<_> =
                    items.iter().enumerate().map(|(at, item)| child(self, item, Step::Index(at))).collect();
                let depth = items.iter().map(Value::depth).max().unwrap_or(0).saturating_add(1);
                Value::List(Rc::new(List { items, field, depth }))
            }
            Json::Object(entries) if json::exact(value).is_none() => {
                let entry = |(key, value): (&String, &Json)| {
                    (Value::Str(Text::made(key, field)), child(self, value, Step::Key(key.clone())))
                };
                let entries: Vec<_> = entries.iter().map(entry).collect();
                let depth = entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0).saturating_add(1);
                Value::Dict(Rc::new(Dict { entries, field, message: 0, depth }))
            }
            scalar => plain(scalar, field),
        }
    }
}

/// A content part that holds reasoning.
fn is_reasoning(part: &Json) -> bool {
    matches!(part.get("type").and_then(Json::as_str), Some("thinking" | "reasoning"))
}

/// A number that `serde_json` has none for.
fn exact_number(text: &str, field: FieldId) -> Value {
    match text {
        "NaN" => Value::Float(f64::NAN, field),
        "Infinity" => Value::Float(f64::INFINITY, field),
        "-Infinity" => Value::Float(f64::NEG_INFINITY, field),
        float if float.contains(['.', 'e', 'E']) => Value::Float(float.parse().unwrap_or(f64::NAN), field),
        digits => {
            digits.parse().map_or_else(|_| Value::BigInt(digits.into(), field), |number| Value::Int(number, field))
        }
    }
}

/// A scalar with its field, or any value of a template variable with none.
pub(super) fn plain(value: &Json, field: FieldId) -> Value {
    match value {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value, field),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(i128::from(number), field),
            (None, Some(number)) => Value::Int(i128::from(number), field),
            _ => Value::Float(number.as_f64().unwrap_or(f64::NAN), field),
        },
        Json::String(text) => Value::Str(if field == 0 { Text::from(text.as_str()) } else { Text::field(text, field) }),
        Json::Array(items) => Value::list(items.iter().map(|item| plain(item, 0)).collect()),
        Json::Object(entries) => match json::exact(value) {
            Some(number) => exact_number(number, field),
            None => Value::dict(entries.iter().map(|(key, value)| (Value::str(key), plain(value, 0))).collect()),
        },
    }
}
