//! Methods of Python's built-in types.

use super::args::Args;
use super::fault::{Eval, fault};
use super::interp::Interp;
use super::value::{Dict, List, Value};
use super::{ops, text_methods};

/// Methods that change their object; transformers' sandbox refuses to call them.
const MUTATING: [(&str, &[&str]); 2] = [
    ("list", &["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"]),
    ("dict", &["clear", "pop", "popitem", "setdefault", "update"]),
];
const LIST: [&str; 3] = ["copy", "count", "index"];
const DICT: [&str; 5] = ["copy", "get", "items", "keys", "values"];

/// Whether the type of `object` has such a method.
pub(super) fn exists(object: &Value, name: &str) -> bool {
    match object {
        Value::Str(_) => text_methods::exists(name),
        Value::List(_) => LIST.contains(&name) || mutates("list", name),
        Value::Tuple(_) => matches!(name, "count" | "index"),
        Value::Dict(_) => DICT.contains(&name) || mutates("dict", name),
        Value::Float(..) => name == "is_integer",
        Value::Loop(_) => matches!(name, "cycle" | "changed"),
        Value::Cycler(_) => matches!(name, "next" | "reset"),
        _ => false,
    }
}

fn mutates(kind: &str, name: &str) -> bool {
    MUTATING.iter().any(|(of, names)| *of == kind && names.contains(&name))
}

/// Calls `object.name(...)`.
pub(super) fn call(interp: &Interp<'_>, object: &Value, name: &str, args: &Args) -> Eval<Value> {
    match object {
        Value::Str(text) => text_methods::call(text, name, args, interp.message),
        Value::List(list) | Value::Tuple(list) => list_method(list, name, args),
        Value::Dict(dict) => dict_method(object, dict, name, args),
        Value::Float(number, _) => Ok(Value::bool(number.fract() == 0.0)),
        Value::Loop(state) if name == "cycle" => match args.pos.len() {
            0 => fault!("no items for cycling given"),
            count => Ok(args.pos[state.index.get() % count].clone()),
        },
        Value::Loop(state) => {
            let same =
                |old: &Vec<Value>| old.len() == args.pos.len() && old.iter().zip(&args.pos).all(|(a, b)| a.equals(b));
            let changed = !state.changed.borrow().as_ref().is_some_and(same);
            state.changed.replace(Some(args.pos.clone()));
            Ok(Value::bool(changed))
        }
        Value::Cycler(cycler) => {
            let at = if name == "next" { cycler.1.get() } else { 0 };
            cycler.1.set(if name == "next" { (at + 1) % cycler.0.len().max(1) } else { 0 });
            Ok(if name == "next" { cycler.0.get(at).cloned().unwrap_or(Value::None) } else { Value::None })
        }
        other => fault!("'{}' object is not callable", other.type_name()),
    }
}

fn unsafe_call<T>(object: &str, name: &str) -> Eval<T> {
    fault!("access to attribute '{name}' of '{object}' object is unsafe.")
}

fn list_method(list: &List, name: &str, args: &Args) -> Eval<Value> {
    match name {
        "copy" => Ok(Value::list(list.items.clone())),
        "count" => {
            let item = args.required(0, "value")?;
            Ok(Value::int(list.items.iter().filter(|value| value.equals(item)).count()))
        }
        "index" => {
            let item = args.required(0, "value")?;
            match list.items.iter().position(|value| value.equals(item)) {
                Some(at) => Ok(Value::int(at)),
                None => fault!("value is not in list"),
            }
        }
        _ => unsafe_call("list", name),
    }
}

fn dict_method(object: &Value, dict: &Dict, name: &str, args: &Args) -> Eval<Value> {
    match name {
        "copy" => Ok(object.clone()),
        "items" => Ok(Value::list(pairs(dict))),
        "keys" => Ok(Value::list(dict.entries.iter().map(|(key, _)| key.clone()).collect())),
        "values" => Ok(Value::list(dict.entries.iter().map(|(_, value)| value.clone()).collect())),
        "get" => {
            let key = args.required(0, "key")?;
            ops::hashable(key)?;
            Ok(dict.get(key).or(args.pos.get(1)).cloned().unwrap_or(Value::None))
        }
        _ => unsafe_call("dict", name),
    }
}

/// The entries of a dict as tuples.
pub(super) fn pairs(dict: &Dict) -> Vec<Value> {
    dict.entries.iter().map(|(key, value)| Value::tuple(vec![key.clone(), value.clone()])).collect()
}
