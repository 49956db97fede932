//! `str`, `repr` and `json.dumps`.

use super::fault::{Eval, fault};
use super::text::{FieldId, Text, TextBuf};
use super::value::{Dict, List, Value};

/// Writes `str(value)`.
pub(super) fn write_str(value: &Value, buf: &mut TextBuf, message: u32) -> Eval<()> {
    match value {
        Value::Str(text) => buf.push_text(text, message),
        Value::Undefined(_) => {}
        other => write_repr(other, buf, message)?,
    }
    Ok(())
}

/// `str(value)` as a text; a text stays the one it is.
pub(super) fn to_text(value: &Value) -> Eval<Text> {
    if let Value::Str(text) = value {
        return Ok(text.clone());
    }
    let mut buf = TextBuf::default();
    write_str(value, &mut buf, 0)?;
    Ok(buf.finish())
}

/// A writer of one text for one message.
struct Printer<'b> {
    buf: &'b mut TextBuf,
    message: u32,
}

impl Printer<'_> {
    fn made(&mut self, text: &str, field: FieldId) {
        self.buf.push_made(text, field, 0..0, self.message);
    }

    fn scalar(&mut self, value: &Value, names: [&str; 3]) -> Option<()> {
        match value {
            Value::None => self.made(names[0], 0),
            Value::Bool(true, field) => self.made(names[1], *field),
            Value::Bool(false, field) => self.made(names[2], *field),
            Value::Int(number, field) => self.made(&number.to_string(), *field),
            Value::BigInt(digits, field) => self.made(digits, *field),
            _ => return None,
        }
        Some(())
    }

    /// Writes a text, replacing the characters that `escape` has something for.
    fn escaped(&mut self, text: &Text, escape: impl Fn(char) -> Option<String>) {
        let mut from = 0;
        for (at, c) in text.as_str().char_indices() {
            if let Some(replacement) = escape(c) {
                let end = at + c.len_utf8();
                self.buf.push_slice(text, from..at, self.message);
                self.buf.push_derived(&replacement, text, at..end, self.message);
                from = end;
            }
        }
        self.buf.push_slice(text, from..text.as_str().len(), self.message);
    }
}

/// Writes `repr(value)`.
pub(super) fn write_repr(value: &Value, buf: &mut TextBuf, message: u32) -> Eval<()> {
    Printer { buf, message }.repr(value, 0)
}

impl Printer<'_> {
    fn repr(&mut self, value: &Value, depth: usize) -> Eval<()> {
        if depth > 250 {
            return fault!("maximum recursion depth exceeded while getting the repr of an object");
        }
        if self.scalar(value, ["None", "True", "False"]).is_some() {
            return Ok(());
        }
        match value {
            Value::Float(number, field) => self.made(&float_repr(*number), *field),
            Value::Str(text) => self.repr_text(text),
            Value::List(list) => self.repr_items(list, ["[", "]"], depth)?,
            Value::Tuple(list) if list.items.len() == 1 => self.repr_items(list, ["(", ",)"], depth)?,
            Value::Tuple(list) => self.repr_items(list, ["(", ")"], depth)?,
            Value::Dict(dict) => self.repr_dict(dict, depth)?,
            Value::Namespace(namespace) => {
                self.made("<Namespace ", 0);
                self.repr_dict(&namespace.borrow(), depth + 1)?;
                self.made(">", 0);
            }
            Value::Macro(callee) => self.made(&format!("<Macro '{}'>", callee.decl.name), 0),
            Value::Undefined(_) => self.made("Undefined", 0),
            other => self.made(&format!("<{}>", other.type_name()), 0),
        }
        Ok(())
    }

    fn repr_text(&mut self, text: &Text) {
        let quote = if text.as_str().contains('\'') && !text.as_str().contains('"') { '"' } else { '\'' };
        let (open, close) = if text.markup { ("Markup(", ")") } else { ("", "") };
        self.made(&format!("{open}{quote}"), text.first_field());
        self.escaped(text, |c| match c {
            '\\' => Some("\\\\".to_owned()),
            '\n' => Some("\\n".to_owned()),
            '\r' => Some("\\r".to_owned()),
            '\t' => Some("\\t".to_owned()),
            c if c == quote => Some(format!("\\{quote}")),
            ' '..='~' => None,
            c if is_printable(c) => None,
            c => Some(match c as u32 {
                code @ ..0x100 => format!("\\x{code:02x}"),
                code @ ..0x10000 => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        });
        self.made(&format!("{quote}{close}"), text.first_field());
    }

    fn repr_items(&mut self, list: &List, [open, close]: [&str; 2], depth: usize) -> Eval<()> {
        self.made(open, list.field);
        for (at, item) in list.items.iter().enumerate() {
            if at > 0 {
                self.made(", ", list.field);
            }
            self.repr(item, depth + 1)?;
        }
        self.made(close, list.field);
        Ok(())
    }

    fn repr_dict(&mut self, dict: &Dict, depth: usize) -> Eval<()> {
        self.made("{", dict.field);
        for (at, (key, value)) in dict.entries.iter().enumerate() {
            if at > 0 {
                self.made(", ", dict.field);
            }
            self.repr(key, depth + 1)?;
            self.made(": ", dict.field);
            self.repr(value, depth + 1)?;
        }
        self.made("}", dict.field);
        Ok(())
    }
}

/// Python's `str.isprintable` for one character, by the tables that Rust's debug output uses for the same purpose.
fn is_printable(c: char) -> bool {
    // Behind another character, so that a combining mark counts by itself.
    let mut probe = String::from("a");
    probe.push(c);
    probe.escape_debug().eq(probe.chars())
}

/// Python's shortest `repr` of a float.
pub(super) fn float_repr(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = number.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}

/// Settings of `json.dumps`.
pub(super) struct JsonStyle {
    pub indent: Option<String>,
    pub item_separator: String,
    pub key_separator: String,
    pub ensure_ascii: bool,
    pub sort_keys: bool,
}

/// Writes `json.dumps(value)`.
pub(super) fn write_json(value: &Value, style: &JsonStyle, buf: &mut TextBuf, message: u32) -> Eval<()> {
    Printer { buf, message }.json(value, style, 0)
}

impl Printer<'_> {
    fn json(&mut self, value: &Value, style: &JsonStyle, depth: usize) -> Eval<()> {
        if depth > 250 {
            return fault!("maximum recursion depth exceeded");
        }
        if self.scalar(value, ["null", "true", "false"]).is_some() {
            return Ok(());
        }
        match value {
            Value::Float(number, field) => self.made(&json_float(*number), *field),
            Value::Str(text) => self.json_text(text, style),
            Value::List(list) | Value::Tuple(list) => {
                self.json_items(list.items.iter().map(|item| (None, item)), ["[", "]"], list.field, style, depth)?;
            }
            Value::Dict(dict) => {
                let mut entries: Vec<_> =
                    dict.entries.iter().map(|(key, value)| Ok((Some(json_key(key)?), value))).collect::<Eval<_>>()?;
                if style.sort_keys {
                    entries.sort_by(|(a, _), (b, _)| a.as_ref().map(Text::as_str).cmp(&b.as_ref().map(Text::as_str)));
                }
                self.json_items(entries.into_iter(), ["{", "}"], dict.field, style, depth)?;
            }
            other => return fault!("Object of type {} is not JSON serializable", other.type_name()),
        }
        Ok(())
    }

    fn json_items<'v>(
        &mut self,
        items: impl Iterator<Item = (Option<Text>, &'v Value)>,
        [open, close]: [&str; 2],
        field: FieldId,
        style: &JsonStyle,
        depth: usize,
    ) -> Eval<()> {
        self.made(open, field);
        let mut any = false;
        for (key, value) in items {
            if any {
                self.made(&style.item_separator, field);
            }
            any = true;
            self.json_line(style, depth + 1, field);
            if let Some(key) = key {
                self.json_text(&key, style);
                self.made(&style.key_separator, field);
            }
            self.json(value, style, depth + 1)?;
        }
        if any {
            self.json_line(style, depth, field);
        }
        self.made(close, field);
        Ok(())
    }

    fn json_line(&mut self, style: &JsonStyle, depth: usize, field: FieldId) {
        if let Some(indent) = &style.indent {
            self.made(&format!("\n{}", indent.repeat(depth)), field);
        }
    }

    fn json_text(&mut self, text: &Text, style: &JsonStyle) {
        self.made("\"", text.first_field());
        self.escaped(text, |c| match c {
            '"' => Some("\\\"".to_owned()),
            '\\' => Some("\\\\".to_owned()),
            '\n' => Some("\\n".to_owned()),
            '\r' => Some("\\r".to_owned()),
            '\t' => Some("\\t".to_owned()),
            '\x08' => Some("\\b".to_owned()),
            '\x0c' => Some("\\f".to_owned()),
            '\0'..='\x1f' => Some(format!("\\u{:04x}", c as u32)),
            c if style.ensure_ascii && !(' '..='~').contains(&c) => {
                Some(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect())
            }
            _ => None,
        });
        self.made("\"", text.first_field());
    }
}

fn json_float(number: f64) -> String {
    match float_repr(number).as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        plain => plain.to_owned(),
    }
}

fn json_key(key: &Value) -> Eval<Text> {
    match key {
        Value::Str(text) => Ok(text.clone()),
        Value::Float(number, field) => Ok(Text::made(&json_float(*number), *field)),
        Value::None | Value::Bool(..) | Value::Int(..) | Value::BigInt(..) => {
            let mut buf = TextBuf::default();
            Printer { buf: &mut buf, message: 0 }.scalar(key, ["null", "true", "false"]);
            Ok(buf.finish())
        }
        other => fault!("keys must be str, int, float, bool or None, not {}", other.type_name()),
    }
}

/// markupsafe's `escape`.
pub(super) fn escape_markup(text: &Text, buf: &mut TextBuf, message: u32) {
    Printer { buf, message }.escaped(text, |c| match c {
        '&' => Some("&amp;".to_owned()),
        '<' => Some("&lt;".to_owned()),
        '>' => Some("&gt;".to_owned()),
        '\'' => Some("&#39;".to_owned()),
        '"' => Some("&#34;".to_owned()),
        _ => None,
    });
}
