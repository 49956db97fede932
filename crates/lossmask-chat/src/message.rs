//! From a row of data to the messages that a chat template takes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::calls;
use crate::flags::{self, MessageFlags};
use crate::json;
use crate::parts;
use crate::roles;
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
    /// What was left out of the row on the way.
    pub(crate) notes: Notes,
}

/// Data that is not in the messages as the template takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// Keys of null that were dropped from tools and arguments.
    pub(crate) nulls: usize,
    /// Keys of messages that nothing reads.
    pub(crate) unread: BTreeSet<String>,
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
const KNOWN_ROLES: [&str; 7] = ["system", "developer", "user", "assistant", "tool", "ipython", "environment"];
/// Names of reasoning in a message, the one that templates read first: transformers' `_REASONING_FIELDS`.
const REASONING_KEYS: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];
/// What a message has beside its content for the media step.
const MEDIA_KEYS: [&str; 6] = ["images", "image", "videos", "video", "audios", "audio"];

/// Reads rows of one dataset.
#[derive(Clone, Debug)]
pub(crate) struct MessageReader {
    fields: FieldSpec,
    declared: Vec<String>,
    content: ContentFormat,
}

/// What a template can print of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContentFormat {
    /// Content that is a string.
    pub(crate) strings: bool,
    /// Content that is a list of parts.
    pub(crate) parts: bool,
    /// Arguments of tool calls that are values.
    pub(crate) argument_objects: bool,
    /// Arguments of tool calls that are a string of JSON, as they are.
    pub(crate) argument_strings: bool,
    /// What it takes for a content that is not there.
    pub(crate) missing: Missing,
    /// Which parts it knows.
    pub(crate) known: parts::Known,
}

/// What stands for a content that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Nothing, as in axolotl and transformers.
    #[default]
    Absent,
    /// Null, for templates that cannot do without the key.
    Null,
    /// An empty text, for templates that take neither.
    Empty,
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
            notes: Notes::default(),
        };
        conversation.tools = self.tools(row, &mut conversation.notes)?;
        let mut flags = flags::of_row(row, list, |message| self.given_role(message))?.into_iter();
        for (index, message) in list.iter().enumerate() {
            let path = format!("{name}[{index}]");
            let row_flags = flags.next().unwrap_or_default();
            for (message, source) in self.message(message, path, row_flags, &mut conversation.notes)? {
                conversation.messages.push(message);
                conversation.sources.push(source);
            }
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

    /// A message of the row, with the results of tools in its parts as messages of their own.
    fn message(
        &self,
        message: &Value,
        path: String,
        row_flags: MessageFlags,
        notes: &mut Notes,
    ) -> Result<Vec<(Value, Source)>, RowError> {
        let given = message
            .as_object()
            .ok_or_else(|| wrong_type("wrong-type", Some(path.clone()), "a message", "an object", message))?;
        let keys = self.keys(given);
        let role = self.role(given, keys.role, &path)?;
        let flags = flags::of_message(given, &self.fields, keys.content, &path)?.or(row_flags);
        let mut out = self.properties(given, &keys, &path)?;
        out.insert("role".to_owned(), Value::String(role.clone()));
        flags::spread_weights(given, &mut out, &path)?;
        self.drop_nulls(&mut out, notes);
        let has_reader = |key: &String| {
            FieldKind::of(key) != FieldKind::Property
                || self.content.known.words.contains(key)
                || self.fields.message_properties.contains_key(key)
                || MEDIA_KEYS.contains(&key.as_str())
        };
        notes.unread.extend(out.keys().filter(|key| !has_reader(key)).cloned());

        let mut messages = Vec::with_capacity(1);
        for mut message in self.split_parts(out, &path)? {
            let mut flags = flags.clone();
            let own_role = message.get("role").and_then(Value::as_str).unwrap_or(&role).to_owned();
            calls::settle(&mut message, &self.content, self.fields.arguments, &path)?;
            self.settle_parts(&mut message, "content", &mut flags, &path)?;
            if self.fields.split_thinking && own_role == "assistant" {
                thinking::split(&mut message);
            }
            self.settle_reasoning(&mut message, &mut flags, &path)?;
            match self.content.missing {
                _ if message.contains_key("content") => {}
                Missing::Absent => {}
                Missing::Null => drop(message.insert("content".to_owned(), Value::Null)),
                Missing::Empty => drop(message.insert("content".to_owned(), Value::from(""))),
            }
            messages.push((Value::Object(message), Source { role: own_role, path: path.clone(), flags }));
        }
        Ok(messages)
    }

    /// The message's properties under their own names, flags and nulls left out.
    fn properties(
        &self,
        given: &Map<String, Value>,
        keys: &Keys<'_>,
        path: &str,
    ) -> Result<Map<String, Value>, RowError> {
        let mut out = Map::with_capacity(given.len() + 1);
        out.insert("role".to_owned(), Value::Null);
        if let Some(content) = self.content(given, keys.content, path)? {
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
                || flags::is_flag(key, &self.fields)
                || (key == "refusal" && given.get(keys.content).is_none_or(Value::is_null));
            if !taken && !value.is_null() && !out.contains_key(key) {
                out.insert(key.clone(), value.clone());
            }
        }
        Ok(out)
    }

    /// Null is absent in a message; in its calls it may be meant, and is counted.
    fn drop_nulls(&self, message: &mut Map<String, Value>, notes: &mut Notes) {
        for (key, value) in message {
            let is_call = FieldKind::of(key) == FieldKind::ToolCall;
            if is_call && self.fields.nulls == Nulls::Drop {
                notes.nulls += drop_nulls(value);
            } else if !is_call {
                drop_nulls(value);
            }
        }
    }

    /// Takes calls, reasoning and results of tools out of the parts of a content.
    fn split_parts(&self, mut message: Map<String, Value>, path: &str) -> Result<Vec<Map<String, Value>>, RowError> {
        if let Some(part) = message.get_mut("content").filter(|content| content.get("type").is_some()) {
            *part = Value::Array(vec![part.take()]);
        }
        let Some(Value::Array(given)) = message.get("content") else { return Ok(vec![message]) };
        let Some(read) = parts::read(given, &self.content.known, &format!("{path}.content"))? else {
            return Ok(vec![message]);
        };
        message.shift_remove("content");
        let rest = message.clone();
        let says_more = !read.calls.is_empty() || !read.reasoning.is_empty();
        append(&mut message, "tool_calls", read.calls);
        if let Some(Value::String(text)) = message.get("reasoning_content").filter(|_| !read.reasoning.is_empty()) {
            let part = serde_json::json!([{"type": "text", "text": text}]);
            message.insert("reasoning_content".to_owned(), part);
        }
        append(&mut message, "reasoning_content", read.reasoning);
        let mut content = read.content.into_iter();
        let (mut out, mut at, mut pending) = (Vec::new(), 0, Some(message));
        for (end, result) in read.results {
            let piece: Vec<Value> = content.by_ref().take(end - at).collect();
            at = end;
            if !piece.is_empty() || (says_more && pending.is_some()) {
                out.push(with_content(pending.take().unwrap_or_else(|| rest.clone()), piece));
            }
            out.extend(result.as_object().cloned());
        }
        let piece: Vec<Value> = content.collect();
        if !piece.is_empty() || out.is_empty() || (says_more && pending.is_some()) {
            out.push(with_content(pending.take().unwrap_or(rest), piece));
        }
        Ok(out)
    }

    /// Reasoning under any of its names is there under all that templates read, as in transformers.
    fn settle_reasoning(
        &self,
        message: &mut Map<String, Value>,
        flags: &mut MessageFlags,
        path: &str,
    ) -> Result<(), RowError> {
        let Some(key) = REASONING_KEYS.into_iter().find(|key| message.contains_key(*key)) else { return Ok(()) };
        let reasoning = message.get(key).cloned().unwrap_or_default();
        message.insert(REASONING_KEYS[0].to_owned(), reasoning);
        self.settle_parts(message, REASONING_KEYS[0], flags, path)?;
        let reasoning = message.get(REASONING_KEYS[0]).cloned().unwrap_or_default();
        if key == "thinking" || !message.contains_key("thinking") {
            message.insert("thinking".to_owned(), reasoning);
        }
        Ok(())
    }

    /// Gives the template a list of parts or a string, whichever it can print.
    fn settle_parts(
        &self,
        message: &mut Map<String, Value>,
        field: &str,
        flags: &mut MessageFlags,
        path: &str,
    ) -> Result<(), RowError> {
        let (strings, lists) =
            if field == "content" { (self.content.strings, self.content.parts) } else { (true, false) };
        match message.get(field) {
            Some(Value::Array(parts)) => {
                let wants_string = strings && (!lists || flags::has_part_flags(parts));
                let joined = flags::joined_text(parts).filter(|_| wants_string);
                flags.take_parts(field, parts, joined.is_some(), path)?;
                if let Some(text) = joined {
                    message.insert(field.to_owned(), Value::String(text));
                }
            }
            Some(Value::String(text)) if !strings && lists => {
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
        if role == "function" {
            return Ok("tool".to_owned());
        }
        let fitting = roles::fitting(given);
        Err(RowError {
            code: "unknown-role",
            path: Some(path),
            message: format!("the role `{given}` is not declared"),
            hint: Some(match fitting {
                Some(role) => format!("map it in the dataset's roles, as in `roles: {{ {role}: [{given}] }}`"),
                None => format!(
                    "map it in the dataset's roles, as in `roles: {{ ROLE: [{given}] }}`, ROLE one of system, user, assistant and tool"
                ),
            }),
        })
    }

    /// A message's role as far as it can be told.
    fn given_role<'a>(&'a self, message: &'a Value) -> Option<&'a str> {
        let message = message.as_object()?;
        message.get(self.keys(message).role)?.as_str().map(|role| self.map_role(role))
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
        let given = |key: &str| message.get(key).filter(|value| !value.is_null());
        let has_other_text =
            ["tool_calls", "function_call"].iter().chain(&REASONING_KEYS).any(|key| given(key).is_some());
        match message.get(key) {
            Some(content @ (Value::String(_) | Value::Array(_) | Value::Object(_))) => Ok(Some(content.clone())),
            Some(Value::Null) | None if given("refusal").is_some() => Ok(given("refusal").cloned()),
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

    /// Whether the row has tools, so far as they can be read.
    pub(crate) fn has_tools(&self, row: &Value) -> bool {
        let tools = row.as_object().map(|row| self.tools(row, &mut Notes::default()));
        matches!(tools, Some(Ok(Some(_))))
    }

    fn tools(&self, row: &Map<String, Value>, notes: &mut Notes) -> Result<Option<Value>, RowError> {
        let there =
            |name: &'static str| row.get(name).filter(|value| !value.is_null()).map(|value| (name, true, value));
        let named = row.get(&self.fields.tools).filter(|value| !value.is_null());
        let found = named.map(|value| (&*self.fields.tools, false, value)).or_else(|| there("functions"));
        let Some((name, legacy, value)) = found else { return Ok(None) };
        if self.fields.nulls == Nulls::Keep {
            return calls::tools(value, name, legacy);
        }
        let mut value = value.clone();
        notes.nulls += drop_nulls(&mut value);
        calls::tools(&value, name, legacy)
    }
}

/// Items at the end of a list that may not be there yet.
fn append(message: &mut Map<String, Value>, key: &str, items: Vec<Value>) {
    if items.is_empty() {
        return;
    }
    match message.get_mut(key) {
        Some(Value::Array(list)) => list.extend(items),
        _ => drop(message.insert(key.to_owned(), Value::Array(items))),
    }
}

fn with_content(mut message: Map<String, Value>, content: Vec<Value>) -> Map<String, Value> {
    if !content.is_empty() {
        message.insert("content".to_owned(), Value::Array(content));
    }
    message
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

pub(crate) fn not_json(path: String, error: &serde_json::Error) -> RowError {
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
