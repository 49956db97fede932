//! Tools and calls of tools, in the shapes that data files have: JSON in a text, OpenAI's old `functions`, calls with and without a wrapper.

use serde_json::{Map, Value, json};

use crate::json;
use crate::message::{ContentFormat, not_json, wrong_type};
use crate::row::RowError;
use crate::spec::Arguments;
use crate::template;

/// The tools of a row: a list, or none. `legacy`: they are OpenAI's old `functions`.
pub(crate) fn tools(value: &Value, name: &str, legacy: bool) -> Result<Option<Value>, RowError> {
    let mut tools = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => json::parse(text).map_err(|error| not_json(name.to_owned(), &error))?,
        other => other.clone(),
    };
    let list = match &mut tools {
        Value::Array(list) => list,
        Value::Null => return Ok(None),
        other => return Err(wrong_type("wrong-type", Some(name.to_owned()), "the list of tools", "a list", other)),
    };
    for (index, tool) in list.iter_mut().enumerate() {
        let path = || format!("{name}[{index}]");
        parse_in_place(tool, path)?;
        if !tool.is_object() {
            return Err(wrong_type("wrong-type", Some(path()), "a tool", "an object", tool));
        }
        if legacy && tool.get("function").is_none() {
            *tool = json!({"type": "function", "function": tool.take()});
        }
        for pointer in ["/function/parameters", "/parameters", "/input_schema"] {
            if let Some(parameters) = tool.pointer_mut(pointer) {
                parse_in_place(parameters, || format!("{name}[{index}]{}", pointer.replace('/', ".")))?;
            }
        }
    }
    Ok((!list.is_empty()).then_some(tools))
}

/// Brings a message's calls into the shape of `tool_calls`: lists in a text are parsed, an old `function_call` is one call.
pub(crate) fn settle(
    message: &mut Map<String, Value>,
    format: &ContentFormat,
    arguments: Arguments,
    path: &str,
) -> Result<(), RowError> {
    if let Some(calls) = message.get_mut("tool_calls") {
        match calls.as_str().map(str::trim) {
            Some("") => drop(message.shift_remove("tool_calls")),
            _ => parse_in_place(calls, || format!("{path}.tool_calls"))?,
        }
    }
    if !message.contains_key("tool_calls")
        && let Some(mut call) = message.shift_remove("function_call")
    {
        parse_in_place(&mut call, || format!("{path}.function_call"))?;
        message.insert("tool_calls".to_owned(), json!([{"type": "function", "function": call}]));
    }
    for (index, call) in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten().enumerate() {
        let wrapped = call.get("function").is_some_and(Value::is_object);
        let (call, inner) = if wrapped { (&mut call["function"], ".function") } else { (call, "") };
        if let Some(given) = call.get_mut("arguments") {
            settle_arguments(given, format, arguments, || format!("{path}.tool_calls[{index}]{inner}.arguments"))?;
        }
    }
    Ok(())
}

/// Gives the template what it prints as JSON: a value, or a text.
fn settle_arguments(
    value: &mut Value,
    format: &ContentFormat,
    arguments: Arguments,
    path: impl Fn() -> String,
) -> Result<(), RowError> {
    let text_only = format.argument_strings && !format.argument_objects;
    match value {
        Value::String(text) if text.trim().is_empty() => {
            *value = if text_only { Value::from("{}") } else { json!({}) };
        }
        Value::String(_) if text_only || (format.argument_strings && arguments == Arguments::Keep) => {}
        Value::String(_) => parse_in_place(value, path)?,
        Value::Object(_) if text_only => {
            if let Some(text) = template::to_json(value) {
                *value = Value::String(text);
            }
        }
        _ => {}
    }
    Ok(())
}

/// JSON in a string becomes its value.
fn parse_in_place(value: &mut Value, path: impl Fn() -> String) -> Result<(), RowError> {
    if let Value::String(text) = value {
        *value = json::parse(text).map_err(|error| not_json(path(), &error))?;
    }
    Ok(())
}
