//! Filters that order, group and cut sequences.

use std::cmp::Ordering;

use super::args::Args;
use super::attributes::{get_item, iterate};
use super::fault::{Eval, Fault, fault};
use super::filters::{attribute_of, pluck};
use super::interp::Interp;
use super::ir::Arith;
use super::text::Text;
use super::value::{Missing, Value};
use super::{methods, ops, text_methods};

/// What a value is sorted by: text without case, unless case counts.
fn sort_key(value: &Value, case_sensitive: bool) -> Eval<Value> {
    match value {
        Value::Str(text) if !case_sensitive => text_methods::call(text, "lower", &Args::default(), 0),
        other => Ok(other.clone()),
    }
}

fn sort_by_keys(mut items: Vec<(Value, Value)>, reverse: bool) -> Eval<Vec<Value>> {
    let mut failed: Option<Box<Fault>> = None;
    items.sort_by(|(a, _), (b, _)| {
        let order = ops::order(a, b, "<").unwrap_or_else(|fault| {
            failed.get_or_insert(fault);
            None
        });
        let order = order.unwrap_or(Ordering::Equal);
        if reverse { order.reverse() } else { order }
    });
    match failed {
        Some(fault) => Err(fault),
        None => Ok(items.into_iter().map(|(_, item)| item).collect()),
    }
}

pub(super) fn sort(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let case_sensitive = args.flag(1, "case_sensitive");
    let keyed = |item: Value| Ok((sort_key(&attribute_of(&item, args, 2)?, case_sensitive)?, item));
    let items = iterate(value)?.into_iter().map(keyed).collect::<Eval<_>>()?;
    sort_by_keys(items, args.flag(0, "reverse")).map(Value::list)
}

pub(super) fn dictsort(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let pairs = match value {
        Value::Dict(dict) => methods::pairs(dict),
        Value::Undefined(missing) => return Err(Fault::undefined(missing)),
        other => return fault!("'{}' object has no attribute 'items'", other.object_name()),
    };
    let case_sensitive = args.flag(0, "case_sensitive");
    let by = match args.get(1, "by").and_then(Value::as_text).map(Text::as_str) {
        None | Some("key") => 0,
        Some("value") => 1,
        Some(_) => return fault!("You can only sort by either \"key\" or \"value\""),
    };
    let keyed = |pair: Value| Ok((sort_key(&get_item(&pair, &Value::int(by))?, case_sensitive)?, pair));
    let items = pairs.into_iter().map(keyed).collect::<Eval<_>>()?;
    sort_by_keys(items, args.flag(2, "reverse")).map(Value::list)
}

pub(super) fn groupby(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let path = args.required(0, "attribute")?;
    let case_sensitive = args.flag(2, "case_sensitive");
    let keyed = |item: Value| Ok((sort_key(&pluck(&item, path, args.get(1, "default"))?, case_sensitive)?, item));
    let items = iterate(value)?.into_iter().map(keyed).collect::<Eval<Vec<_>>>()?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for item in sort_by_keys(items, false)? {
        let label = pluck(&item, path, args.get(1, "default"))?;
        let key = sort_key(&label, case_sensitive)?;
        match groups.last_mut().filter(|(last, ..)| last.equals(&key)) {
            Some((_, _, members)) => members.push(item),
            None => groups.push((key, label, vec![item])),
        }
    }
    Ok(Value::list(
        groups.into_iter().map(|(_, label, members)| Value::tuple(vec![label, Value::list(members)])).collect(),
    ))
}

pub(super) fn extreme(_: &mut Interp<'_>, value: &Value, args: &Args, wanted: Ordering) -> Eval<Value> {
    let case_sensitive = args.flag(0, "case_sensitive");
    let mut best: Option<(Value, Value)> = None;
    for item in iterate(value)? {
        let key = sort_key(&attribute_of(&item, args, 1)?, case_sensitive)?;
        let better = match &best {
            None => true,
            Some((old, _)) => ops::order(&key, old, if wanted == Ordering::Less { "<" } else { ">" })? == Some(wanted),
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(Value::Undefined(Missing::Hint("No aggregated item, sequence was empty.")), |(_, item)| item))
}

pub(super) fn unique(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let case_sensitive = args.flag(0, "case_sensitive");
    let (mut seen, mut kept): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for item in iterate(value)? {
        let key = sort_key(&attribute_of(&item, args, 1)?, case_sensitive)?;
        if !seen.iter().any(|other| other.equals(&key)) {
            seen.push(key);
            kept.push(item);
        }
    }
    Ok(Value::iter(kept))
}

pub(super) fn sum(interp: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let start = args.get(1, "start").cloned().unwrap_or(Value::Int(0, 0));
    let message = interp.message;
    iterate(value)?.iter().try_fold(start, |total, item| {
        let item = match args.get(0, "attribute") {
            None | Some(Value::None) => item.clone(),
            Some(path) => pluck(item, path, None)?,
        };
        ops::arith(Arith::Add, &total, &item, message)
    })
}

pub(super) fn batch(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let size = usize::try_from(args.int_or(0, "linecount", 1)?).unwrap_or(1).max(1);
    let mut rows: Vec<Vec<Value>> = iterate(value)?.chunks(size).map(<[Value]>::to_vec).collect();
    if let (Some(fill), Some(last)) = (args.get(1, "fill_with"), rows.last_mut()) {
        last.resize(size.min(100_000), fill.clone());
    }
    Ok(Value::iter(rows.into_iter().map(Value::list).collect()))
}

pub(super) fn slice(_: &mut Interp<'_>, value: &Value, args: &Args) -> Eval<Value> {
    let columns = usize::try_from(args.int_or(0, "slices", 1)?).unwrap_or(1).clamp(1, 100_000);
    let items = iterate(value)?;
    let (size, extra) = (items.len() / columns, items.len() % columns);
    let mut at = 0;
    let mut out = Vec::with_capacity(columns);
    for column in 0..columns {
        let end = at + size + usize::from(column < extra);
        let mut part = items[at..end].to_vec();
        if let (Some(fill), true) = (args.get(1, "fill_with"), column >= extra) {
            part.push(fill.clone());
        }
        out.push(Value::list(part));
        at = end;
    }
    Ok(Value::iter(out))
}
