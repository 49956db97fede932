//! Values as Python prints and judges them.

use serde_json::Value;

use crate::{json, template};

/// `str(value)`.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => template::python_repr(other),
    }
}

/// `repr(value)`.
pub(super) fn repr(value: &Value) -> String {
    template::python_repr(value)
}

/// `ascii(value)`.
pub(super) fn ascii(value: &Value) -> String {
    let escaped = |c: char| match c as u32 {
        ..0x80 => c.to_string(),
        code @ ..0x100 => format!("\\x{code:02x}"),
        code @ ..0x10000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    repr(value).chars().map(escaped).collect()
}

/// `bool(value)`.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        // A number that no 64 bits hold is none that is zero; a float's text may say so.
        Value::Object(entries) => match json::exact(value) {
            Some(number) => number.parse::<f64>() != Ok(0.0),
            None => !entries.is_empty(),
        },
    }
}

/// Whether `str.strip` takes the character away.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
