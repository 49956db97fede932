//! `text % values` and `text.format(...)`, the common part of both.

use super::args::Args;
use super::attributes::{get_attribute, get_item};
use super::budget;
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
        let spec = s[found + 1..end].rsplit([')', '(']).next().unwrap_or("");
        Spec::of_percent(spec, kind)?.write(&value, &mut buf)?;
    }
    if used < items.len() && matches!(values, Value::Tuple(_)) {
        return fault!("not all arguments converted during string formatting");
    }
    buf.push_slice(format, at..s.len(), 0);
    Ok(buf.finish())
}

/// A format specification: `[[fill]align][sign][0][width][,][.precision][type]`.
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    plus: bool,
    width: usize,
    commas: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(spec: &str) -> Eval<Spec> {
        let mut out = Spec::default();
        let is_align = |c: &char| "<>^=".contains(*c);
        let mut chars = spec.chars().peekable();
        let second = spec.chars().nth(1).filter(|c| is_align(c));
        if let Some(align) = second {
            (out.fill, out.align) = (chars.next(), Some(align));
            chars.next();
        } else {
            out.align = chars.next_if(is_align);
        }
        out.plus = chars.next_if(|c| "+- ".contains(*c)) == Some('+');
        if chars.next_if(|c| *c == '0').is_some() && out.align.is_none() {
            (out.fill, out.align) = (Some('0'), Some('='));
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
            // A width is a few blanks; beyond that it is a mistake.
            digits.parse::<usize>().ok().map(|number| number.min(1 << 16))
        };
        out.width = number(&mut chars).unwrap_or(0);
        out.commas = chars.next_if(|c| *c == ',').is_some();
        if chars.next_if(|c| *c == '.').is_some() {
            out.precision = number(&mut chars);
        }
        out.kind = chars.next();
        match chars.next() {
            None => Ok(out),
            Some(_) => fault!("Invalid format specifier '{spec}'"),
        }
    }

    /// The specification between `%` and the letter.
    fn of_percent(spec: &str, kind: char) -> Eval<Spec> {
        let left = spec.contains('-');
        let mut out = Spec::parse(spec.trim_start_matches(['-', '#', ' ']))?;
        out.kind = Some(kind);
        out.align = if left { Some('<') } else { out.align.or(Some('>')) };
        if left || "sra".contains(kind) {
            out.fill = None;
            out.align = out.align.map(|align| if align == '=' { '>' } else { align });
        }
        Ok(out)
    }

    fn write(&self, value: &Value, buf: &mut TextBuf) -> Eval<()> {
        let text = self.text(value)?;
        let missing = self.width.saturating_sub(text.as_str().chars().count());
        if !budget::may_make(missing) {
            return budget::check();
        }
        let is_number = value.as_number().is_some();
        let (before, after) = match self.align.unwrap_or(if is_number { '>' } else { '<' }) {
            '<' => (0, missing),
            '^' => (missing / 2, missing - missing / 2),
            _ => (missing, 0),
        };
        let pad = |count: usize| self.fill.unwrap_or(' ').to_string().repeat(count);
        let sign = usize::from(self.align == Some('=') && text.as_str().starts_with(['+', '-']));
        buf.push_slice(&text, 0..sign, 0);
        buf.push_template(&pad(before), 0);
        buf.push_slice(&text, sign..text.as_str().len(), 0);
        buf.push_template(&pad(after), 0);
        Ok(())
    }

    fn text(&self, value: &Value) -> Eval<Text> {
        let precision = self.precision.unwrap_or(6).min(64);
        if let (Value::BigInt(digits, _), None | Some('d' | 'i' | 'u')) = (value, self.kind) {
            return Ok(Text::from(&**digits));
        }
        let made = match (self.kind, value.as_int(), value.as_number()) {
            (None | Some('s'), ..) if self.kind.is_some() || !self.commas => return self.plain(value),
            (Some('r' | 'a'), ..) => {
                let mut buf = TextBuf::default();
                print::write_repr(value, &mut buf, 0)?;
                return Ok(buf.finish());
            }
            (None | Some('d' | 'i' | 'u'), Some(number), _) => number.to_string(),
            (Some('d' | 'i' | 'u'), None, Some(number)) => format!("{}", number.trunc()),
            (Some('x'), Some(number), _) => format!("{number:x}"),
            (Some('f' | 'F'), _, Some(number)) => format!("{number:.precision$}"),
            (Some('e'), _, Some(number)) => {
                let text = format!("{number:.precision$e}");
                let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                let exponent: i32 = exponent.parse().unwrap_or(0);
                format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
            }
            (Some('%'), _, Some(number)) => format!("{:.precision$}%", number * 100.0),
            (kind, ..) => {
                let kind = kind.unwrap_or('d');
                return fault!("%{kind} format: a real number is required, not {}", value.type_name());
            }
        };
        let made = if self.commas { with_commas(&made) } else { made };
        Ok(Text::from(if self.plus && !made.starts_with('-') { format!("+{made}") } else { made }))
    }

    fn plain(&self, value: &Value) -> Eval<Text> {
        let text = print::to_text(value)?;
        let end = self.precision.and_then(|chars| text.as_str().char_indices().nth(chars)).map(|(at, _)| at);
        Ok(end.map_or(text.clone(), |end| text.slice(0..end)))
    }
}

/// A comma between every three digits of the whole part.
fn with_commas(number: &str) -> String {
    let start = usize::from(number.starts_with('-'));
    let end = number[start..].find(|c: char| !c.is_ascii_digit()).map_or(number.len(), |at| start + at);
    let digits: Vec<char> = number[start..end].chars().collect();
    let grouped: Vec<String> = digits.rchunks(3).rev().map(|group| group.iter().collect()).collect();
    format!("{}{}{}", &number[..start], grouped.join(","), &number[end..])
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
        let value = match conversion {
            "r" => {
                let mut made = TextBuf::default();
                print::write_repr(&value, &mut made, 0)?;
                Value::Str(made.finish())
            }
            _ => value,
        };
        Spec::parse(spec)?.write(&value, &mut buf)?;
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
