//! `text % values` and `text.format(...)`, the common part of both.

use super::args::Args;
use super::attributes::{get_attribute, get_item};
use super::fault::{Eval, fault};
use super::print;
use super::text::{Text, TextBuf};
use super::value::Value;

/// `format % values`.
pub(super) fn percent(format: &Text, values: &Value) -> Eval<Text> {
    let single;
    let items = match values {
        Value::Tuple(list) => &list.items[..],
        other => {
            single = [other.clone()];
            &single[..]
        }
    };
    let (s, mut buf, mut used) = (format.as_str(), TextBuf::default(), 0);
    let mut at = 0;
    while let Some(found) = s[at..].find('%').map(|found| at + found) {
        buf.push_slice(format, at..found, 0);
        let spec_end =
            s[found + 1..].find(|c: char| c.is_ascii_alphabetic() || c == '%' || c == '(').map(|end| found + 1 + end);
        let Some(mut end) = spec_end else { return fault!("incomplete format") };
        let mut value = None;
        if s[end..].starts_with('(') {
            let Some(close) = s[end..].find(')').map(|close| end + close) else {
                return fault!("incomplete format key");
            };
            value = Some(get_item(values, &Value::str(&s[end + 1..close]))?);
            let Some(next) = s[close..].find(|c: char| c.is_ascii_alphabetic()).map(|next| close + next) else {
                return fault!("incomplete format");
            };
            end = next;
        }
        at = end + 1;
        let kind = s[end..].chars().next().unwrap_or('%');
        if kind == '%' {
            buf.push_template("%", 0);
            continue;
        }
        let value = match value.or_else(|| items.get(used).cloned()) {
            Some(value) => value,
            None => return fault!("not enough arguments for format string"),
        };
        used += 1;
        let spec = s[found + 1..end].trim_start_matches('(').to_owned();
        write_one(&value, kind, spec.rsplit(')').next().unwrap_or(""), &mut buf)?;
    }
    if used < items.len() && matches!(values, Value::Tuple(_)) {
        return fault!("not all arguments converted during string formatting");
    }
    buf.push_slice(format, at..s.len(), 0);
    Ok(buf.finish())
}

fn write_one(value: &Value, kind: char, spec: &str, buf: &mut TextBuf) -> Eval<()> {
    let mut made = TextBuf::default();
    match (kind, value.as_int(), value.as_number()) {
        ('s', ..) => print::write_str(value, &mut made, 0)?,
        ('r' | 'a', ..) => print::write_repr(value, &mut made, 0)?,
        ('d' | 'i' | 'u', Some(number), _) => made.push_template(&number.to_string(), 0),
        ('d' | 'i' | 'u', None, Some(number)) => made.push_template(&(number.trunc() as i128).to_string(), 0),
        ('x', Some(number), _) => made.push_template(&format!("{number:x}"), 0),
        ('f' | 'F', _, Some(number)) => {
            let precision = spec.split_once('.').and_then(|(_, digits)| digits.parse().ok()).unwrap_or(6usize).min(64);
            made.push_template(&format!("{number:.precision$}"), 0);
        }
        _ => return fault!("%{kind} format: a real number is required, not {}", value.type_name()),
    }
    let width: usize =
        spec.split('.').next().unwrap_or("").trim_start_matches(['-', '+', ' ', '#']).parse().unwrap_or(0);
    let text = made.finish();
    let missing = width.min(1 << 20).saturating_sub(text.as_str().chars().count());
    let zero = spec.starts_with('0') && kind != 's';
    let blanks = if zero { "0" } else { " " }.repeat(missing);
    if !spec.starts_with('-') {
        buf.push_template(&blanks, 0);
    }
    buf.push_text(&text, 0);
    if spec.starts_with('-') {
        buf.push_template(&blanks, 0);
    }
    Ok(())
}

/// `text.format(...)`.
pub(super) fn braces(format: &Text, args: &Args) -> Eval<Text> {
    let (s, mut buf, mut at, mut auto) = (format.as_str(), TextBuf::default(), 0, 0);
    while let Some(found) = s[at..].find(['{', '}']).map(|found| at + found) {
        buf.push_slice(format, at..found, 0);
        let doubled = s[found + 1..].starts_with(&s[found..found + 1]);
        if doubled {
            buf.push_slice(format, found..found + 1, 0);
            at = found + 2;
            continue;
        }
        let Some(end) = s[found..].find('}').map(|end| found + end).filter(|_| s[found..].starts_with('{')) else {
            return fault!("Single '{}' encountered in format string", &s[found..found + 1]);
        };
        let (target, spec) = s[found + 1..end].split_once(':').unwrap_or((&s[found + 1..end], ""));
        let (path, conversion) = target.split_once('!').unwrap_or((target, ""));
        let value = lookup(path, args, &mut auto)?;
        match (conversion, spec.chars().last()) {
            ("r", _) => print::write_repr(&value, &mut buf, 0)?,
            (_, Some(kind)) if kind.is_ascii_alphabetic() => {
                write_one(&value, kind, &spec[..spec.len() - 1], &mut buf)?
            }
            (_, Some(_)) => write_one(&value, 's', spec.trim_start_matches(['<', '>', '^']), &mut buf)?,
            _ => print::write_str(&value, &mut buf, 0)?,
        }
        at = end + 1;
    }
    buf.push_slice(format, at..s.len(), 0);
    Ok(buf.finish())
}

fn lookup(path: &str, args: &Args, auto: &mut usize) -> Eval<Value> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (head, mut rest) = path.split_at(end);
    let found = match head {
        "" => {
            *auto += 1;
            args.pos.get(*auto - 1)
        }
        head => head.parse::<usize>().map_or_else(|_| args.named(head), |at| args.pos.get(at)),
    };
    let Some(mut value) = found.cloned() else {
        return fault!("Replacement index {head} out of range for positional args tuple");
    };
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            value = get_attribute(&value, &name[..end].into())?;
            rest = &name[end..];
        } else {
            let end = rest.find(']').unwrap_or(rest.len());
            let key = rest.get(1..end).unwrap_or("");
            let key = key.parse::<usize>().map_or_else(|_| Value::str(key), Value::int);
            value = get_item(&value, &key)?;
            rest = rest.get(end + 1..).unwrap_or("");
        }
    }
    Ok(value)
}
