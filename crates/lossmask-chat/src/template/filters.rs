//! jinja2's filters; `tojson` is transformers'.

use std::cmp::Ordering;
use std::sync::Arc;

use super::args::Args;
use super::attributes::{get_item, iterate, length, own_attribute};
use super::builtins;
use super::fault::{Eval, fault};
use super::interp::Interp;
use super::print::{self, JsonStyle, to_text};
use super::sequences::{batch, dictsort, extreme, groupby, slice, sort, sum, unique};
use super::text::{Text, TextBuf};
use super::value::{Missing, Value};
use super::{ops, predicates, text_methods};

pub(super) type FilterFn = fn(&mut Interp<'_>, &Value, &Args) -> Eval<Value>;

/// The filter of that name.
pub(super) fn find(name: &str) -> Option<FilterFn> {
    Some(match name {
        "abs" => |_, value, _| match value {
            Value::Float(number, _) => Ok(Value::Float(number.abs(), 0)),
            other => match other.as_int() {
                Some(number) => Ok(Value::Int(number.saturating_abs(), 0)),
                None => fault!("bad operand type for abs(): '{}'", other.type_name()),
            },
        },
        "attr" => |_, value, args| {
            let name: Arc<str> = Arc::from(args.text(0, "name")?.as_str());
            let found = own_attribute(value, &name)?;
            Ok(found.unwrap_or(Value::Undefined(Missing::Attribute(value.object_name(), name))))
        },
        "batch" => batch,
        "capitalize" => |interp, value, args| text_methods::call(&to_text(value)?, "capitalize", args, interp.message),
        "center" => |interp, value, args| {
            let width = args.get(0, "width").cloned().unwrap_or(Value::Int(80, 0));
            text_methods::call(
                &to_text(value)?,
                "center",
                &Args { pos: vec![width], named: Vec::new() },
                interp.message,
            )
        },
        "count" | "length" => |_, value, _| length(value).map(Value::int),
        "d" | "default" => |_, value, args| {
            let missing = matches!(value, Value::Undefined(_)) || (args.flag(1, "boolean") && !value.truth());
            Ok(if missing { args.get(0, "default_value").cloned().unwrap_or(Value::str("")) } else { value.clone() })
        },
        "dictsort" => dictsort,
        "e" | "escape" | "forceescape" => |interp, value, _| {
            let text = to_text(value)?;
            let mut buf = TextBuf::default();
            match text.markup {
                true => buf.push_text(&text, interp.message),
                false => print::escape_markup(&text, &mut buf, interp.message),
            }
            Ok(Value::Str(buf.finish().with_markup(true)))
        },
        "first" => |_, value, _| {
            let first = match value {
                Value::Iter(items) => items.borrow_mut().pop_front(),
                other => iterate(other)?.into_iter().next(),
            };
            Ok(first.unwrap_or(Value::Undefined(Missing::Hint("No first item, sequence was empty."))))
        },
        "last" => |_, value, _| {
            if let Value::Iter(_) = value {
                return fault!("'generator' object is not reversible");
            }
            let last = iterate(value)?.pop();
            Ok(last.unwrap_or(Value::Undefined(Missing::Hint("No last item, sequence was empty."))))
        },
        "float" => |_, value, args| {
            let parsed = match value {
                Value::Str(text) => text.as_str().trim().parse().ok(),
                other => other.as_number(),
            };
            Ok(parsed.map_or_else(
                || args.get(0, "default").cloned().unwrap_or(Value::Float(0.0, 0)),
                |number| Value::Float(number, 0),
            ))
        },
        "format" => |interp, value, args| {
            ops::arith(
                super::ir::Arith::Rem,
                &Value::Str(to_text(value)?),
                &Value::tuple(args.pos.clone()),
                interp.message,
            )
        },
        "groupby" => groupby,
        "indent" => indent,
        "int" => int,
        "items" => |_, value, _| builtins::items(value),
        "join" => join,
        "list" => |_, value, _| iterate(value).map(Value::list),
        "lower" | "upper" => return Some(if name == "lower" { lower } else { upper }),
        "map" => map,
        "max" => |interp, value, args| extreme(interp, value, args, Ordering::Greater),
        "min" => |interp, value, args| extreme(interp, value, args, Ordering::Less),
        "pprint" => |_, value, _| {
            let mut buf = TextBuf::default();
            print::write_repr(value, &mut buf, 0)?;
            Ok(Value::Str(buf.finish()))
        },
        "reject" => |interp, value, args| select(interp, value, args, false, false),
        "rejectattr" => |interp, value, args| select(interp, value, args, false, true),
        "select" => |interp, value, args| select(interp, value, args, true, false),
        "selectattr" => |interp, value, args| select(interp, value, args, true, true),
        "replace" => |interp, value, args| {
            let (old, new) = (to_text(args.required(0, "old")?)?, to_text(args.required(1, "new")?)?);
            let count = usize::try_from(args.int_or(2, "count", -1)?).ok();
            let text = text_methods::replace(&to_text(value)?, &old, &new, count, interp.message);
            Ok(Value::Str(text.with_markup(false)))
        },
        "reverse" => |_, value, _| match value {
            Value::Str(text) => {
                let mut buf = TextBuf::default();
                text.as_str().char_indices().rev().for_each(|(at, c)| buf.push_slice(text, at..at + c.len_utf8(), 0));
                Ok(Value::Str(buf.finish()))
            }
            other => Ok(Value::iter(iterate(other)?.into_iter().rev().collect())),
        },
        "round" => round,
        "safe" => |_, value, _| Ok(Value::Str(to_text(value)?.with_markup(true))),
        "slice" => slice,
        "sort" => sort,
        "string" => |_, value, _| to_text(value).map(Value::Str),
        "sum" => sum,
        "title" => |interp, value, _| {
            // jinja2 begins a word behind white space and these openers only.
            let opens = |c: char| super::text::is_space(c) || "-({[<".contains(c);
            let text = text_methods::map_chars(&to_text(value)?, interp.message, |before, c, out| {
                match before.is_none_or(opens) {
                    true => out.extend(c.to_uppercase()),
                    false => out.extend(c.to_lowercase()),
                }
            });
            Ok(Value::Str(text))
        },
        "tojson" => tojson,
        "trim" => |_, value, args| {
            let chars = args.text_or_none(0, "chars")?;
            Ok(Value::Str(text_methods::strip(&to_text(value)?, chars.map(Text::as_str), true, true)))
        },
        "truncate" => truncate,
        "unique" => unique,
        "wordcount" => |_, value, _| {
            let text = to_text(value)?;
            Ok(Value::int(
                text.as_str().split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).count(),
            ))
        },
        _ => return None,
    })
}

fn lower(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    text_methods::call(&to_text(value)?, "lower", args, interp.message)
}

fn upper(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    text_methods::call(&to_text(value)?, "upper", args, interp.message)
}

/// `json.dumps` with `ensure_ascii=False` and nothing escaped for HTML.
fn tojson(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let indent = match args.get(1, "indent") {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text.as_str().to_owned()),
        Some(_) => Some(" ".repeat(usize::try_from(args.int_or(1, "indent", 0)?).unwrap_or(0).min(1000))),
    };
    let mut style = JsonStyle {
        item_separator: if indent.is_some() { "," } else { ", " }.to_owned(),
        key_separator: ": ".to_owned(),
        indent,
        ensure_ascii: args.flag(0, "ensure_ascii"),
        sort_keys: args.flag(3, "sort_keys"),
    };
    if let Some(separators) = args.get(2, "separators").filter(|value| !matches!(value, Value::None)) {
        match iterate(separators)?.as_slice() {
            [Value::Str(item), Value::Str(key)] => {
                style.item_separator = item.as_str().to_owned();
                style.key_separator = key.as_str().to_owned();
            }
            _ => return fault!("separators must be two strings"),
        }
    }
    let mut buf = TextBuf::default();
    print::write_json(value, &style, &mut buf, interp.message)?;
    Ok(Value::Str(buf.finish()))
}

/// The value at `a.b.0` of an item, as jinja2's `make_attrgetter`.
pub(super) fn pluck(item: &Value, path: &Value, default: Option<&Value>) -> Eval<Value> {
    let Value::Str(path) = path else { return get_item(item, path) };
    let mut value = item.clone();
    for part in path.as_str().split('.') {
        let key = match part.parse::<usize>() {
            Ok(at) => Value::int(at),
            Err(_) => Value::str(part),
        };
        value = get_item(&value, &key)?;
        if let (Value::Undefined(_), Some(default)) = (&value, default) {
            return Ok(default.clone());
        }
    }
    Ok(value)
}

pub(super) fn attribute_of(item: &Value, args: &Args, at: usize) -> Eval<Value> {
    match args.get(at, "attribute") {
        None | Some(Value::None) => Ok(item.clone()),
        Some(path) => pluck(item, path, None),
    }
}

/// What `map` and `select` go through: nothing at all where the value is false.
fn iterate_true(value: &Value) -> Eval<Vec<Value>> {
    if value.truth() { iterate(value) } else { Ok(Vec::new()) }
}

fn map(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let items = iterate_true(value)?;
    if let (true, Some(path)) = (args.pos.is_empty(), args.named("attribute")) {
        let items = items.iter().map(|item| pluck(item, path, args.named("default"))).collect::<Eval<_>>()?;
        return Ok(Value::iter(items));
    }
    let name = args.text(0, "filter")?;
    let Some(filter) = find(name.as_str()) else { return fault!("No filter named '{}'.", name.as_str()) };
    let rest = args.rest();
    Ok(Value::iter(items.iter().map(|item| filter(interp, item, &rest)).collect::<Eval<_>>()?))
}

fn select(_: &mut Interp<'_>, value: &Value, args: &Args, wanted: bool, by_attribute: bool) -> Eval<Value> {
    let offset = usize::from(by_attribute);
    let path = if by_attribute { Some(args.required(0, "attribute")?) } else { None };
    let test = match args.pos.get(offset) {
        None => None,
        Some(name) => {
            let name = to_text(name)?;
            match predicates::find(name.as_str()) {
                Some(test) => Some(test),
                None => return fault!("No test named '{}'.", name.as_str()),
            }
        }
    };
    let rest = Args { pos: args.pos.iter().skip(offset + 1).cloned().collect(), named: args.named.clone() };
    let mut kept = Vec::new();
    for item in iterate_true(value)? {
        let subject = path.map_or(Ok(item.clone()), |path| pluck(&item, path, None))?;
        if test.map_or(Ok(subject.truth()), |test| test(&subject, &rest))? == wanted {
            kept.push(item);
        }
    }
    Ok(Value::iter(kept))
}

fn join(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let separator = args.get(0, "d").map_or(Ok(Text::from("")), to_text)?;
    let mut buf = TextBuf::default();
    for (at, item) in iterate(value)?.iter().enumerate() {
        if at > 0 {
            buf.push_text(&separator, interp.message);
        }
        print::write_str(&attribute_of(item, args, 1)?, &mut buf, interp.message)?;
    }
    Ok(Value::Str(buf.finish()))
}

fn indent(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let pad = match args.get(0, "width") {
        Some(Value::Str(text)) => text.clone(),
        _ => " ".repeat(usize::try_from(args.int_or(0, "width", 4)?).unwrap_or(0).min(1000)).into(),
    };
    let (first, blank) = (args.flag(1, "first"), args.flag(2, "blank"));
    let text = to_text(value)?;
    let mut buf = TextBuf::default();
    let mut at = 0;
    for (number, line) in text.as_str().split('\n').enumerate() {
        if number > 0 {
            buf.push_slice(&text, at - 1..at, interp.message);
        }
        if (number > 0 && (blank || !line.is_empty())) || (number == 0 && first) {
            buf.push_text(&pad, interp.message);
        }
        buf.push_slice(&text, at..at + line.len(), interp.message);
        at += line.len() + 1;
    }
    Ok(Value::Str(buf.finish()))
}

fn int(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    if let Value::BigInt(..) = value {
        return Ok(value.clone());
    }
    let base = u32::try_from(args.int_or(1, "base", 10)?).unwrap_or(10).clamp(2, 36);
    let parsed = match value {
        Value::Str(text) => {
            let digits = text.as_str().trim();
            i128::from_str_radix(digits, base).ok().or_else(|| digits.parse::<f64>().ok().map(|number| number as i128))
        }
        Value::Float(number, _) if number.is_finite() => Some(number.trunc() as i128),
        other => other.as_int(),
    };
    Ok(parsed
        .map_or_else(|| args.get(0, "default").cloned().unwrap_or(Value::Int(0, 0)), |number| Value::Int(number, 0)))
}

fn round(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    if let Value::BigInt(..) = value {
        return Ok(value.clone());
    }
    let Some(number) = value.as_number() else {
        return fault!("type {} doesn't define __round__ method", value.type_name());
    };
    let precision = args.int_or(0, "precision", 0)?.clamp(-300, 300) as i32;
    let scale = 10f64.powi(precision);
    match args.get(1, "method").and_then(Value::as_text).map(Text::as_str) {
        Some("ceil") => Ok(Value::Float((number * scale).ceil() / scale, 0)),
        Some("floor") => Ok(Value::Float((number * scale).floor() / scale, 0)),
        _ if value.as_int().is_some() && precision >= 0 => Ok(Value::Int(value.as_int().unwrap_or(0), 0)),
        // Decimal digits of the exact value, as Python rounds.
        _ if precision >= 0 => {
            let digits = format!("{number:.*}", precision as usize);
            Ok(Value::Float(digits.parse().unwrap_or(number), 0))
        }
        _ => Ok(Value::Float((number * scale).round_ties_even() / scale, 0)),
    }
}

fn truncate(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let limit = usize::try_from(args.int_or(0, "length", 255)?).unwrap_or(0);
    let end = args.get(2, "end").map_or(Ok(Text::from("...")), to_text)?;
    let leeway = usize::try_from(args.int_or(3, "leeway", 5)?).unwrap_or(0);
    let text = to_text(value)?;
    let s = text.as_str();
    if s.chars().count() <= limit.saturating_add(leeway) {
        return Ok(Value::Str(text));
    }
    let room = limit.saturating_sub(end.as_str().chars().count());
    let cut = s.char_indices().nth(room).map_or(s.len(), |(at, _)| at);
    let cut = if args.flag(1, "killwords") { cut } else { s[..cut].rfind(' ').unwrap_or(cut) };
    let mut buf = TextBuf::default();
    buf.push_slice(&text, 0..cut, interp.message);
    buf.push_text(&end, interp.message);
    Ok(Value::Str(buf.finish()))
}
