//! Methods of `str`; what they give knows its origin.

use std::ops::Range;

use super::args::Args;
use super::fault::{Eval, fault};
use super::text::{Text, TextBuf, is_space};
use super::value::Value;
use super::{attributes, format, print};

pub(super) const NAMES: [&str; 41] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
];
const MORE: [&str; 3] = ["title", "upper", "zfill"];

/// Whether `str` has such a method.
pub(super) fn exists(name: &str) -> bool {
    NAMES.contains(&name) || MORE.contains(&name)
}

/// Calls `text.name(...)`.
pub(super) fn call(text: &Text, name: &str, args: &Args, message: u32) -> Eval<Value> {
    let s = text.as_str();
    Ok(match name {
        "strip" | "lstrip" | "rstrip" => {
            let chars = args.text_or_none(0, "chars")?;
            Value::Str(strip(text, chars.map(Text::as_str), name != "rstrip", name != "lstrip"))
        }
        "split" | "rsplit" => {
            let separator = args.text_or_none(0, "sep")?;
            let max = args.int_or(1, "maxsplit", -1)?;
            let ranges =
                split(s, separator.map(Text::as_str), usize::try_from(max).unwrap_or(usize::MAX), name == "rsplit")?;
            Value::list(ranges.into_iter().map(|range| Value::Str(text.slice(range))).collect())
        }
        "splitlines" => {
            let keep = args.flag(0, "keepends");
            Value::list(
                lines(s)
                    .into_iter()
                    .map(|(start, end, next)| Value::Str(text.slice(start..if keep { next } else { end })))
                    .collect(),
            )
        }
        "partition" | "rpartition" => partition(text, args.text(0, "sep")?, name == "rpartition")?,
        "startswith" => Value::bool(affix(s, args, |s, affix| s.starts_with(affix), name)?),
        "endswith" => Value::bool(affix(s, args, |s, affix| s.ends_with(affix), name)?),
        "removeprefix" => {
            let prefix = args.text(0, "prefix")?.as_str();
            Value::Str(if s.starts_with(prefix) { text.slice(prefix.len()..s.len()) } else { text.clone() })
        }
        "removesuffix" => {
            let suffix = args.text(0, "suffix")?.as_str();
            Value::Str(if s.ends_with(suffix) { text.slice(0..s.len() - suffix.len()) } else { text.clone() })
        }
        "replace" => {
            let count = args.int_or(2, "count", -1)?;
            Value::Str(replace(text, args.text(0, "old")?, args.text(1, "new")?, usize::try_from(count).ok(), message))
        }
        "join" => join(text, args.required(0, "iterable")?, message)?,
        "upper" => Value::Str(map_chars(text, message, |_, c, out| out.extend(c.to_uppercase()))),
        "lower" | "casefold" => Value::Str(map_chars(text, message, |_, c, out| out.extend(c.to_lowercase()))),
        "swapcase" => Value::Str(map_chars(text, message, |_, c, out| match c.is_uppercase() {
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        })),
        "capitalize" => Value::Str(map_chars(text, message, |before, c, out| match before {
            None => out.extend(c.to_uppercase()),
            Some(_) => out.extend(c.to_lowercase()),
        })),
        "title" => {
            Value::Str(map_chars(text, message, |before, c, out| match before.is_some_and(char::is_alphabetic) {
                true => out.extend(c.to_lowercase()),
                false => out.extend(c.to_uppercase()),
            }))
        }
        "find" | "index" | "rfind" | "rindex" => find(s, name, args)?,
        "count" => {
            let part = args.text(0, "sub")?.as_str();
            Value::int(if part.is_empty() { s.chars().count() + 1 } else { s.matches(part).count() })
        }
        "center" | "ljust" | "rjust" | "zfill" => justify(text, name, args)?,
        "format" => Value::Str(format::braces(text, args)?),
        "format_map" => {
            let Value::Dict(dict) = args.required(0, "mapping")? else { return fault!("format_map needs a mapping") };
            let named =
                dict.entries.iter().filter_map(|(key, value)| Some((key.as_text()?.as_str().into(), value.clone())));
            Value::Str(format::braces(text, &Args { pos: Vec::new(), named: named.collect() })?)
        }
        "expandtabs" => {
            let size = usize::try_from(args.int_or(0, "tabsize", 8)?).unwrap_or(0);
            let mut column = 0;
            Value::Str(map_chars(text, message, |_, c, out| match c {
                '\t' => {
                    let blanks = if size == 0 { 0 } else { size - column % size };
                    column += blanks;
                    out.extend(std::iter::repeat_n(' ', blanks));
                }
                c => {
                    column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
                    out.push(c);
                }
            }))
        }
        _ => Value::bool(is(s, name)?),
    })
}

fn is(s: &str, name: &str) -> Eval<bool> {
    let all = |test: fn(char) -> bool| !s.is_empty() && s.chars().all(test);
    let cased = |test: fn(char) -> bool, other: fn(char) -> bool| s.chars().any(test) && !s.chars().any(other);
    Ok(match name {
        "isalnum" => all(char::is_alphanumeric),
        "isalpha" => all(char::is_alphabetic),
        "isascii" => s.is_ascii(),
        "isdecimal" | "isdigit" => {
            all(|c| c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && !c.is_alphabetic()))
        }
        "isnumeric" => all(char::is_numeric),
        "isidentifier" => {
            s.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic())
                && s.chars().all(|c| c == '_' || c.is_alphanumeric())
        }
        "islower" => cased(char::is_lowercase, char::is_uppercase),
        "isupper" => cased(char::is_uppercase, char::is_lowercase),
        "isprintable" => s.escape_debug().eq(s.chars()),
        "isspace" => all(is_space),
        "istitle" => {
            let mut before = false;
            let fits = |c: char| {
                let fits = !(c.is_uppercase() && before || c.is_lowercase() && !before);
                before = c.is_alphabetic();
                fits
            };
            s.chars().any(char::is_alphabetic) && s.chars().all(fits)
        }
        _ => return fault!("'str' object has no attribute '{name}'"),
    })
}

/// Removes white space, or the given characters, at the sides asked for.
pub(super) fn strip(text: &Text, chars: Option<&str>, left: bool, right: bool) -> Text {
    let out = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let s = text.as_str();
    let start = if left { s.len() - s.trim_start_matches(out).len() } else { 0 };
    let end = if right { start + s[start..].trim_end_matches(out).len() } else { s.len() };
    text.slice(start..end)
}

fn split(s: &str, separator: Option<&str>, max: usize, from_right: bool) -> Eval<Vec<Range<usize>>> {
    let Some(separator) = separator else { return Ok(split_space(s, max, from_right)) };
    if separator.is_empty() {
        return fault!("empty separator");
    }
    let mut cuts: Vec<usize> = match from_right {
        true => s.rmatch_indices(separator).take(max).map(|(at, _)| at).collect(),
        false => s.match_indices(separator).take(max).map(|(at, _)| at).collect(),
    };
    cuts.sort_unstable();
    let mut start = 0;
    let mut ranges = Vec::with_capacity(cuts.len() + 1);
    for at in cuts {
        ranges.push(start..at);
        start = at + separator.len();
    }
    ranges.push(start..s.len());
    Ok(ranges)
}

fn split_space(s: &str, max: usize, from_right: bool) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in s.char_indices() {
        match (is_space(c), start) {
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            (false, None) => start = Some(at),
            _ => {}
        }
    }
    words.extend(start.map(|from| from..s.len()));
    if words.len() <= max.saturating_add(1) {
        if max == 0 && words.len() == 1 {
            let word = words.remove(0);
            let end = if from_right { word.end } else { s.len() };
            return vec![if from_right { 0..end } else { word.start..end }];
        }
        return words;
    }
    match from_right {
        false => {
            let rest = words[max].start..s.len();
            words.truncate(max);
            words.push(rest);
            words
        }
        true => {
            let keep = words.len() - max;
            let rest = 0..words[keep - 1].end;
            words.drain(..keep);
            words.insert(0, rest);
            words
        }
    }
}

/// Lines as Python cuts them: start, end without the line end, start of the next.
fn lines(s: &str) -> Vec<(usize, usize, usize)> {
    let mut out = Vec::new();
    let (mut start, mut chars) = (0, s.char_indices().peekable());
    while let Some((at, c)) = chars.next() {
        let mut next = at + c.len_utf8();
        match c {
            '\r' if chars.next_if(|(_, c)| *c == '\n').is_some() => next += 1,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}' => {}
            _ => continue,
        }
        out.push((start, at, next));
        start = next;
    }
    if start < s.len() {
        out.push((start, s.len(), s.len()));
    }
    out
}

fn partition(text: &Text, separator: &Text, from_right: bool) -> Eval<Value> {
    let (s, part) = (text.as_str(), separator.as_str());
    if part.is_empty() {
        return fault!("empty separator");
    }
    let found = if from_right { s.rfind(part) } else { s.find(part) };
    let empty = || Value::str("");
    let items = match (found, from_right) {
        (Some(at), _) => {
            let end = at + part.len();
            [0..at, at..end, end..s.len()].map(|range| Value::Str(text.slice(range))).to_vec()
        }
        (None, false) => vec![Value::Str(text.clone()), empty(), empty()],
        (None, true) => vec![empty(), empty(), Value::Str(text.clone())],
    };
    Ok(Value::tuple(items))
}

/// `startswith` and `endswith`, of one affix or a tuple of them, within optional bounds.
fn affix(s: &str, args: &Args, test: impl Fn(&str, &str) -> bool, name: &str) -> Eval<bool> {
    let s = window(s, args)?.map_or("", |range| &s[range]);
    match args.required(0, "prefix")? {
        Value::Str(affix) => Ok(test(s, affix.as_str())),
        Value::Tuple(list) => Ok(list.items.iter().filter_map(Value::as_text).any(|affix| test(s, affix.as_str()))),
        other => fault!("{name} first arg must be str or a tuple of str, not {}", other.type_name()),
    }
}

/// The bytes between the optional second and third argument, which count characters.
fn window(s: &str, args: &Args) -> Eval<Option<Range<usize>>> {
    if args.pos.len() < 2 {
        return Ok(Some(0..s.len()));
    }
    let count = s.chars().count() as i128;
    let bound = |at: usize, default: i128| -> Eval<i128> {
        match args.pos.get(at) {
            None | Some(Value::None) => Ok(default),
            _ => args
                .int_or(at, "bound", default)
                .map(|value| if value < 0 { (value + count).max(0) } else { value.min(count) }),
        }
    };
    let (start, end) = (bound(1, 0)?, bound(2, count)?);
    let byte = |chars: i128| s.char_indices().nth(chars as usize).map_or(s.len(), |(at, _)| at);
    Ok((start <= end).then(|| byte(start)..byte(end)))
}

fn find(s: &str, name: &str, args: &Args) -> Eval<Value> {
    let part = args.text(0, "sub")?.as_str();
    let window = window(s, args)?;
    let found = window.and_then(|range| {
        let inside = &s[range.clone()];
        let at = if name.starts_with('r') { inside.rfind(part) } else { inside.find(part) };
        at.map(|at| range.start + at)
    });
    match found {
        Some(at) => Ok(Value::int(s[..at].chars().count())),
        None if name.ends_with("find") => Ok(Value::Int(-1, 0)),
        None => fault!("substring not found"),
    }
}

/// `text.replace(old, new, count)`.
pub(super) fn replace(text: &Text, old: &Text, new: &Text, count: Option<usize>, message: u32) -> Text {
    let s = text.as_str();
    let mut buf = TextBuf::default();
    let mut from = 0;
    for (at, found) in s.match_indices(old.as_str()).take(count.unwrap_or(usize::MAX)) {
        buf.push_slice(text, from..at, message);
        buf.push_text(new, message);
        from = at + found.len();
    }
    if from == 0 && buf.len() == 0 {
        return text.clone();
    }
    buf.push_slice(text, from..s.len(), message);
    buf.finish().with_markup(text.markup)
}

/// `separator.join(iterable)`.
fn join(separator: &Text, iterable: &Value, message: u32) -> Eval<Value> {
    let mut buf = TextBuf::default();
    for (at, item) in attributes::iterate(iterable)?.iter().enumerate() {
        let Value::Str(item) = item else {
            return fault!("sequence item {at}: expected str instance, {} found", item.type_name());
        };
        if at > 0 {
            buf.push_text(separator, message);
        }
        match separator.markup && !item.markup {
            true => print::escape_markup(item, &mut buf, message),
            false => buf.push_text(item, message),
        }
    }
    Ok(Value::Str(buf.finish().with_markup(separator.markup)))
}

/// Maps every character; `map` gets the one before it, and writes what it becomes.
pub(super) fn map_chars(text: &Text, message: u32, mut map: impl FnMut(Option<char>, char, &mut String)) -> Text {
    let mut buf = TextBuf::default();
    let (mut before, mut made) = (None, String::new());
    let mut from = 0;
    for (at, c) in text.as_str().char_indices() {
        made.clear();
        map(before, c, &mut made);
        before = Some(c);
        let end = at + c.len_utf8();
        if made != text.as_str()[at..end] {
            buf.push_slice(text, from..at, message);
            buf.push_derived(&made, text, at..end, message);
            from = end;
        }
    }
    buf.push_slice(text, from..text.as_str().len(), message);
    buf.finish().with_markup(text.markup)
}

fn justify(text: &Text, name: &str, args: &Args) -> Eval<Value> {
    let width = usize::try_from(args.int_or(0, "width", 0)?).unwrap_or(0);
    let fill = if name == "zfill" { "0" } else { args.text_or_none(1, "fillchar")?.map_or(" ", Text::as_str) };
    let missing = width.saturating_sub(text.as_str().chars().count());
    if missing > 1 << 20 {
        return fault!("the width is too large");
    }
    let sign = usize::from(name == "zfill" && text.as_str().starts_with(['+', '-']));
    let left = match name {
        "ljust" => 0,
        // Python puts the odd blank on the left where the width is odd.
        "center" => missing / 2 + (missing & width & 1),
        _ => missing,
    };
    let mut buf = TextBuf::default();
    buf.push_slice(text, 0..sign, 0);
    buf.push_template(&fill.repeat(left), 0);
    buf.push_slice(text, sign..text.as_str().len(), 0);
    buf.push_template(&fill.repeat(missing - left), 0);
    Ok(Value::Str(buf.finish()))
}
