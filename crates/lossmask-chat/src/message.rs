//! From a row of data to the messages that a chat template takes.

use serde_json::{Map, Value};

use crate::flags::{self, MessageFlags};
use crate::json;
use crate::row::RowError;
use crate::spec::{FieldSpec, Nulls};
use crate::template::FieldKind;
use crate::thinking;

/// A row's conversation, as the template takes it.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    /// The messages.
    pub(crate) messages: Vec<Value>,
    /// What else is known of each message.
    pub(crate) sources: Vec<Source>,
    /// The tools, if there are any.
    pub(crate) tools: Option<Value>,
    /// Keys of null that were dropped from tools and arguments.
    pub(crate) nulls: usize,
}

/// What the template does not need to know of a message.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Its role as the template sees it.
    pub(crate) role: String,
    /// Where it stands in the row: `messages[2]`.
    pub(crate) path: String,
    /// What the data says about training on it.
    pub(crate) flags: MessageFlags,
}

/// Roles that need no declaration: those of the chat APIs and of the templates that come with models.
const KNOWN_ROLES: [&str; 8] =
    ["system", "developer", "user", "assistant", "tool", "function", "ipython", "environment"];

/// Reads rows of one dataset.
#[derive(Clone, Debug)]
pub(crate) struct MessageReader {
    fields: FieldSpec,
    declared: Vec<String>,
    content: ContentFormat,
}

/// What a template can print as a message's content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContentFormat {
    /// A string.
    pub(crate) strings: bool,
    /// A list of parts.
    pub(crate) parts: bool,
    /// Arguments of tool calls that are a string of JSON, as they are.
    pub(crate) argument_strings: bool,
}

/// Names that hold a message's properties in one row.
struct Keys<'a> {
    role: &'a str,
    content: &'a str,
}

impl MessageReader {
    /// `boundary_roles`: roles that the boundaries declare.
    pub(crate) fn new(
        fields: FieldSpec,
        boundary_roles: impl IntoIterator<Item = String>,
        content: ContentFormat,
    ) -> Self {
        let mut declared: Vec<String> = KNOWN_ROLES.iter().map(|role| (*role).to_owned()).collect();
        declared.extend(boundary_roles);
        declared.extend(fields.roles.values().cloned());
        MessageReader { fields, declared, content }
    }

    /// The row's conversation.
    pub(crate) fn read(&self, row: &Value) -> Result<Conversation, RowError> {
        let row = row.as_object().ok_or_else(|| wrong_type("row-not-an-object", None, "the row", "an object", row))?;
        let (name, list) = self.message_list(row)?;
        let list = list.as_ref();
        let mut conversation = Conversation {
            messages: Vec::with_capacity(list.len()),
            sources: Vec::with_capacity(list.len()),
            tools: None,
            nulls: 0,
        };
        conversation.tools = self.tools(row, &mut conversation.nulls)?;
        for (index, message) in list.iter().enumerate() {
            let path = format!("{name}[{index}]");
            let (message, source) = self.message(message, path, &mut conversation.nulls)?;
            conversation.messages.push(message);
            conversation.sources.push(source);
        }
        if conversation.sources.first().is_some_and(|first| first.role == "system") {
            if self.fields.drop_system_message {
                conversation.messages.remove(0);
                conversation.sources.remove(0);
            }
        } else if let Some(Value::String(system)) = row.get("system") {
            conversation.messages.insert(0, serde_json::json!({"role": "system", "content": system}));
            conversation.sources.insert(
                0,
                Source { role: "system".to_owned(), path: "system".to_owned(), flags: MessageFlags::default() },
            );
        }
        if conversation.messages.is_empty() {
            return Err(RowError {
                code: "no-messages",
                path: Some(name.to_owned()),
                message: "the conversation holds no message".to_owned(),
                hint: Some("drop the row, or look at field_messages".to_owned()),
            });
        }
        Ok(conversation)
    }

    fn message_list<'a>(
        &self,
        row: &'a Map<String, Value>,
    ) -> Result<(String, std::borrow::Cow<'a, [Value]>), RowError> {
        use std::borrow::Cow;
        let named = row
            .get(&self.fields.messages)
            .filter(|value| !value.is_null())
            .map(|value| (&*self.fields.messages, value));
        let share_gpt =
            || row.get("conversations").filter(|value| !value.is_null()).map(|value| ("conversations", value));
        let (name, value) = named.or_else(share_gpt).ok_or_else(|| {
            let keys: Vec<&str> = row.keys().map(String::as_str).collect();
            RowError {
                code: "missing-field",
                path: Some(self.fields.messages.clone()),
                message: format!("the row has no field `{}`", self.fields.messages),
                hint: Some(format!("name the list of messages with field_messages; the row has: {}", keys.join(", "))),
            }
        })?;
        let list = match value {
            Value::Array(list) => Cow::Borrowed(list.as_slice()),
            Value::String(text) => match json::parse(text) {
                Ok(Value::Array(list)) => Cow::Owned(list),
                Ok(other) => {
                    return Err(wrong_type(
                        "wrong-type",
                        Some(name.to_owned()),
                        "the list of messages",
                        "a list",
                        &other,
                    ));
                }
                Err(error) => return Err(not_json(name.to_owned(), &error)),
            },
            other => {
                return Err(wrong_type("wrong-type", Some(name.to_owned()), "the list of messages", "a list", other));
            }
        };
        Ok((name.to_owned(), list))
    }

    fn keys<'a>(&'a self, message: &Map<String, Value>) -> Keys<'a> {
        let named = |property: &str| self.fields.message_properties.get(property).map(String::as_str);
        // ShareGPT, unless the config says where things stand.
        let share_gpt = !message.contains_key("role") && message.contains_key("from");
        Keys {
            role: named("role").unwrap_or(if share_gpt { "from" } else { "role" }),
            content: named("content").unwrap_or(if share_gpt && message.contains_key("value") {
                "value"
            } else {
                "content"
            }),
        }
    }

    fn message(&self, message: &Value, path: String, nulls: &mut usize) -> Result<(Value, Source), RowError> {
        let given = message
            .as_object()
            .ok_or_else(|| wrong_type("wrong-type", Some(path.clone()), "a message", "an object", message))?;
        let keys = self.keys(given);
        let role = self.role(given, keys.role, &path)?;
        let mut flags = flags::of_message(given, &self.fields, keys.content, &path)?;

        let mut out = Map::with_capacity(given.len());
        out.insert("role".to_owned(), Value::String(role.clone()));
        if let Some(content) = self.content(given, keys.content, &path)? {
            out.insert("content".to_owned(), content);
        }
        let mapped: Vec<&str> = self.fields.message_properties.values().map(String::as_str).collect();
        for (property, key) in &self.fields.message_properties {
            if let Some(value) =
                given.get(key).filter(|value| !value.is_null() && property != "role" && property != "content")
            {
                out.insert(property.clone(), value.clone());
            }
        }
        for (key, value) in given {
            let taken = key == keys.role
                || key == keys.content
                || mapped.contains(&key.as_str())
                || flags::is_flag(key, &self.fields);
            if !taken && !value.is_null() && !out.contains_key(key) {
                out.insert(key.clone(), value.clone());
            }
        }
        for (key, value) in &mut out {
            let is_call = FieldKind::of(key) == FieldKind::ToolCall;
            if is_call && self.fields.nulls == Nulls::Drop {
                *nulls += drop_nulls(value);
            } else if !is_call {
                drop_nulls(value);
            }
        }
        if let Some(calls) = out.get_mut("tool_calls").filter(|_| !self.content.argument_strings) {
            parse_arguments(calls, &path)?;
        }
        for field in ["content", "reasoning_content"] {
            self.settle_parts(&mut out, field, &mut flags, &path)?;
        }
        if self.fields.split_thinking && role == "assistant" {
            thinking::split(&mut out);
        }
        Ok((Value::Object(out), Source { role, path, flags }))
    }

    /// Gives the template a list of parts or a string, whichever it can print.
    fn settle_parts(
        &self,
        message: &mut Map<String, Value>,
        field: &str,
        flags: &mut MessageFlags,
        path: &str,
    ) -> Result<(), RowError> {
        let takes = if field == "content" {
            self.content
        } else {
            ContentFormat { strings: true, parts: false, argument_strings: false }
        };
        match message.get(field) {
            Some(Value::Array(parts)) => {
                let wants_string = takes.strings && (!takes.parts || flags::has_part_flags(parts));
                let joined = flags::joined_text(parts).filter(|_| wants_string);
                flags.take_parts(field, parts, joined.is_some(), path)?;
                if let Some(text) = joined {
                    message.insert(field.to_owned(), Value::String(text));
                }
            }
            Some(Value::String(text)) if !takes.strings && takes.parts => {
                let parts = serde_json::json!([{"type": "text", "text": text}]);
                flags.details.iter_mut().filter(|detail| detail.field == field).for_each(|detail| {
                    detail.field = format!("{field}[0].text");
                });
                message.insert(field.to_owned(), parts);
            }
            _ => {}
        }
        Ok(())
    }

    fn role(&self, message: &Map<String, Value>, key: &str, path: &str) -> Result<String, RowError> {
        let path = format!("{path}.{key}");
        let given = match message.get(key) {
            Some(Value::String(role)) => role,
            Some(other) if !other.is_null() => {
                return Err(wrong_type("wrong-type", Some(path), "the role", "a string", other));
            }
            _ => {
                return Err(RowError {
                    code: "missing-field",
                    path: Some(path),
                    message: format!("the message has no `{key}`"),
                    hint: Some("name the role's key with message_property_mappings".to_owned()),
                });
            }
        };
        let role = self.map_role(given);
        if self.declared.iter().any(|known| known == role) {
            return Ok(role.to_owned());
        }
        Err(RowError {
            code: "unknown-role",
            path: Some(path),
            message: format!("nobody declared the role `{given}`"),
            hint: Some(format!("map it in the dataset's roles, as in `roles: {{ user: [{given}] }}`")),
        })
    }

    /// A role's name in the data, as the template names it.
    pub(crate) fn map_role<'a>(&'a self, given: &'a str) -> &'a str {
        match self.fields.roles.get(given) {
            Some(role) => role,
            None if self.fields.roles.is_empty() && given == "human" => "user",
            None if self.fields.roles.is_empty() && given == "gpt" => "assistant",
            None => given,
        }
    }

    fn content(&self, message: &Map<String, Value>, key: &str, path: &str) -> Result<Option<Value>, RowError> {
        let has_other_text = ["tool_calls", "reasoning_content", "thinking", "function_call"]
            .iter()
            .any(|key| message.get(*key).is_some_and(|value| !value.is_null()));
        match message.get(key) {
            Some(content @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => Ok(Some(content.clone())),
            Some(Value::Null) | None if has_other_text => Ok(None),
            Some(Value::Null) | None => Err(RowError {
                code: "missing-field",
                path: Some(format!("{path}.{key}")),
                message: format!("the message has no `{key}`"),
                hint: Some("name the content's key with message_property_mappings, or drop the message".to_owned()),
            }),
            Some(other) => Err(wrong_type(
                "wrong-type",
                Some(format!("{path}.{key}")),
                "the content",
                "a string or a list of parts",
                other,
            )),
        }
    }

    fn tools(&self, row: &Map<String, Value>, nulls: &mut usize) -> Result<Option<Value>, RowError> {
        let name = &self.fields.tools;
        let mut tools = match row.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => json::parse(text).map_err(|error| not_json(name.clone(), &error))?,
            Some(other) => {
                let mut tools = other.clone();
                if self.fields.nulls == Nulls::Drop {
                    *nulls += drop_nulls(&mut tools);
                }
                tools
            }
        };
        let list = match &mut tools {
            Value::Array(list) => list,
            Value::Null => return Ok(None),
            other => return Err(wrong_type("wrong-type", Some(name.clone()), "the list of tools", "a list", other)),
        };
        for (index, tool) in list.iter_mut().enumerate() {
            if let Some(parameters) = tool.get_mut("function").and_then(|function| function.get_mut("parameters")) {
                parse_in_place(parameters, || format!("{name}[{index}].function.parameters"))?;
            }
        }
        Ok((!list.is_empty()).then_some(tools))
    }
}

/// Takes out keys that hold null, as axolotl's `remove_none_values`, and counts them. Items of lists stay.
fn drop_nulls(value: &mut Value) -> usize {
    match value {
        Value::Object(entries) => {
            let before = entries.len();
            entries.retain(|_, value| !value.is_null());
            before - entries.len() + entries.values_mut().map(drop_nulls).sum::<usize>()
        }
        Value::Array(items) => items.iter_mut().map(drop_nulls).sum(),
        _ => 0,
    }
}

/// Arguments that are JSON in a string become values, as axolotl does: templates print them as JSON themselves.
fn parse_arguments(calls: &mut Value, path: &str) -> Result<(), RowError> {
    for (index, call) in calls.as_array_mut().into_iter().flatten().enumerate() {
        if let Some(arguments) = call.get_mut("function").and_then(|function| function.get_mut("arguments")) {
            parse_in_place(arguments, || format!("{path}.tool_calls[{index}].function.arguments"))?;
        }
    }
    Ok(())
}

fn parse_in_place(value: &mut Value, path: impl Fn() -> String) -> Result<(), RowError> {
    if let Value::String(text) = value {
        *value = json::parse(text).map_err(|error| not_json(path(), &error))?;
    }
    Ok(())
}

fn not_json(path: String, error: &serde_json::Error) -> RowError {
    RowError {
        code: "invalid-json",
        path: Some(path),
        message: format!("the string is no JSON: {error}"),
        hint: Some("write it as a value, or as valid JSON in a string".to_owned()),
    }
}

pub(crate) fn wrong_type(
    code: &'static str,
    path: Option<String>,
    what: &str,
    expected: &str,
    found: &Value,
) -> RowError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) if json::exact(found).is_some() => "a number",
        Value::Object(_) => "an object",
    };
    RowError { code, path, message: format!("{what} is {found}, not {expected}"), hint: None }
}
