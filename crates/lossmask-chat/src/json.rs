//! JSON as Python's `json.loads` reads it: the tools that rows are written for are Python's.
//!
//! `serde_json` holds integers of 64 bits and finite floats, and may miss the last digit of a float. Other numbers (longer integers, `NaN`,
//! `Infinity`, floats that it would read as a neighbour) travel as an object with one private key, as they do inside `serde_json` itself;
//! [`exact`] takes them out again. Its feature `arbitrary_precision` would hold them too, at the price of a string for every number of every
//! file. Rows without floats, most of them, are read once and as fast as ever.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The private key: its value is the number as it is written.
const EXACT: &str = "$lossmask::number";
/// Python converts no longer text to an integer (`sys.get_int_max_str_digits`).
const MAX_DIGITS: usize = 4300;

/// The value of a text of JSON.
///
/// # Errors
/// Where `json.loads` has one, and for nesting beyond 128 levels.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    let doubtful = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = Seed(&doubtful).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    if parsed.is_ok() && !doubtful.get() {
        return parsed;
    }
    match with_exact_numbers(text)? {
        Some(rewritten) => serde_json::from_str(&rewritten),
        None => parsed,
    }
}

/// The text of a number that travels as an object: digits, a float, `NaN`, `Infinity` or `-Infinity`.
pub(crate) fn exact(value: &Value) -> Option<&str> {
    let entries = value.as_object().filter(|entries| entries.len() == 1)?;
    let text = entries.get(EXACT)?.as_str()?;
    (is_constant(text) || is_integer(text) || is_float(text)).then_some(text)
}

/// The nearest float of a number, however it travels.
pub(crate) fn as_f64(value: &Value) -> Option<f64> {
    match exact(value) {
        None => value.as_f64(),
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(text) => Some(text.parse().unwrap_or(f64::NAN)),
    }
}

/// A number that `serde_json` may have none for, by its text.
pub fn number(text: &str) -> Option<Value> {
    if is_constant(text) {
        return Some(exact_value(text));
    }
    if !is_integer(text) {
        return text.parse().ok().and_then(Number::from_f64).map(Value::Number);
    }
    let short = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    Some(short.map_or_else(|_| exact_value(text), Value::Number))
}

/// A float; JSON has no word for those that are not finite, Python's has.
pub fn float(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => exact_value("NaN"),
        None => exact_value(if value > 0.0 { "Infinity" } else { "-Infinity" }),
    }
}

fn exact_value(text: &str) -> Value {
    Value::Object(Map::from_iter([(EXACT.to_owned(), Value::from(text))]))
}

fn is_constant(token: &str) -> bool {
    matches!(token, "NaN" | "Infinity" | "-Infinity")
}

fn is_integer(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// `-1.5e3`; not what Rust alone calls a float.
fn is_float(token: &str) -> bool {
    let begins = token.strip_prefix('-').unwrap_or(token).starts_with(|c: char| c.is_ascii_digit());
    begins && !is_integer(token) && serde_json::from_str::<serde::de::IgnoredAny>(token).is_ok()
}

/// The text with the numbers replaced that `serde_json` would refuse or round; `None` where there are none.
fn with_exact_numbers(text: &str) -> Result<Option<String>, serde_json::Error> {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = string_end(bytes, at),
            b'-' | b'0'..=b'9' | b'N' | b'I' => {
                let length =
                    bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
                let end = at + length.count();
                if let Some(replacement) = replacement(&text[at..end])? {
                    out.push_str(&text[copied..at]);
                    out.push_str(&replacement);
                    copied = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    out.push_str(&text[copied..]);
    Ok((copied > 0).then_some(out))
}

/// Where the string that begins at `at` is over.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() {
        match bytes[end] {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    end
}

fn replacement(token: &str) -> Result<Option<String>, serde_json::Error> {
    if token.len() > MAX_DIGITS && is_integer(token) {
        let message = format!("an integer of {} digits; Python reads {MAX_DIGITS} at most", token.len());
        return Err(serde_json::Error::custom(message));
    }
    if token == "-0" {
        return Ok(Some("0".to_owned()));
    }
    if is_constant(token) || (is_integer(token) && token.parse::<i64>().is_err() && token.parse::<u64>().is_err()) {
        return Ok(Some(exact_value(token).to_string()));
    }
    if !is_float(token) {
        return Ok(None);
    }
    let value: f64 = token.parse().unwrap_or(f64::NAN);
    let differs = value.is_infinite() || serde_json::from_str(token).ok() != Some(value);
    Ok(differs.then(|| match value.is_infinite() {
        true => float(value).to_string(),
        false => exact_value(token).to_string(),
    }))
}

/// Builds a value as `serde_json` does, and notes where a number may not be the one of the text.
struct Seed<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // Its last digit may be off, and integers beyond 64 bits arrive here too, as does `-0`.
        self.0.set(true);
        Ok(float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::with_capacity(items.size_hint().unwrap_or(0));
        while let Some(item) = items.next_element_seed(Seed(self.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.insert(key, entries.next_value_seed(Seed(self.0))?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::{exact, parse};

    #[test]
    fn numbers_are_those_of_the_text() {
        let cases = [
            ("1", None, "1"),
            ("1.0", None, "1.0"),
            ("-0", None, "0"),
            ("-0.0", None, "-0.0"),
            ("0.5", None, "0.5"),
            ("1e16", None, "1e+16"),
            ("18446744073709551615", None, "18446744073709551615"),
            ("18446744073709551616", Some("18446744073709551616"), ""),
            ("-9223372036854775809", Some("-9223372036854775809"), ""),
            ("NaN", Some("NaN"), ""),
            ("-101.97727183301467", Some("-101.97727183301467"), ""),
            ("1e400", Some("Infinity"), ""),
            ("-1e400", Some("-Infinity"), ""),
        ];
        for (text, odd, plain) in cases {
            for whole in [text.to_owned(), format!(" [\"\\\"-0 NaN\", {{\"a\": {text}}}]")] {
                let value = parse(&whole).unwrap();
                let value = value.pointer("/1/a").unwrap_or(&value);
                assert_eq!(exact(value), odd, "{whole}");
                if odd.is_none() {
                    assert_eq!(value.to_string(), plain, "{whole}");
                }
            }
        }
        for text in ["-", "01", "NaNs", "nan", "-NaN", "1e", "[1,]", "1 2", "inf", &"9".repeat(5000)] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
