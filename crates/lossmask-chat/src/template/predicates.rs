//! jinja2's tests (`x is ...`).

use super::args::Args;
use super::fault::{Eval, fault};
use super::ir::Comparison;
use super::value::Value;
use super::{filters, ops};

pub(super) type TestFn = fn(&Value, &Args) -> Eval<bool>;

/// The test of that name.
pub(super) fn find(name: &str) -> Option<TestFn> {
    Some(match name {
        "defined" => |value, _| Ok(!matches!(value, Value::Undefined(_))),
        "undefined" => |value, _| Ok(matches!(value, Value::Undefined(_))),
        "none" => |value, _| Ok(matches!(value, Value::None)),
        "boolean" => |value, _| Ok(matches!(value, Value::Bool(..))),
        "true" => |value, _| Ok(matches!(value, Value::Bool(true, _))),
        "false" => |value, _| Ok(matches!(value, Value::Bool(false, _))),
        "integer" => |value, _| Ok(matches!(value, Value::Int(..) | Value::BigInt(..))),
        "float" => |value, _| Ok(matches!(value, Value::Float(..))),
        "number" => |value, _| Ok(value.as_number().is_some()),
        "string" => |value, _| Ok(matches!(value, Value::Str(_))),
        "mapping" => |value, _| Ok(matches!(value, Value::Dict(_))),
        "sequence" => |value, _| Ok(has_length(value) && !matches!(value, Value::Loop(_))),
        "iterable" => |value, _| Ok(has_length(value) || matches!(value, Value::Iter(_))),
        "callable" => |value, _| {
            Ok(matches!(
                value,
                Value::Macro(_)
                    | Value::Method(_)
                    | Value::Builtin(_)
                    | Value::Joiner(_)
                    | Value::Loop(_)
                    | Value::Undefined(_)
            ))
        },
        "lower" => |value, _| cased(value, char::is_lowercase, char::is_uppercase),
        "upper" => |value, _| cased(value, char::is_uppercase, char::is_lowercase),
        "escaped" => |value, _| Ok(value.as_text().is_some_and(|text| text.markup)),
        "odd" => |value, _| remainder(value, 2).map(|rest| rest == 1),
        "even" => |value, _| remainder(value, 2).map(|rest| rest == 0),
        "divisibleby" => |value, args| match args.int_or(0, "num", 0)? {
            0 => fault!("integer modulo by zero"),
            number => remainder(value, number).map(|rest| rest == 0),
        },
        "sameas" => |value, args| same(value, args.required(0, "other")?),
        "in" => |value, args| ops::contains(args.required(0, "seq")?, value),
        "==" | "eq" | "equalto" => |value, args| Ok(value.equals(args.required(0, "other")?)),
        "!=" | "ne" => |value, args| Ok(!value.equals(args.required(0, "other")?)),
        ">" | "gt" | "greaterthan" => |value, args| ops::compare(Comparison::Gt, value, args.required(0, "other")?),
        ">=" | "ge" => |value, args| ops::compare(Comparison::Ge, value, args.required(0, "other")?),
        "<" | "lt" | "lessthan" => |value, args| ops::compare(Comparison::Lt, value, args.required(0, "other")?),
        "<=" | "le" => |value, args| ops::compare(Comparison::Le, value, args.required(0, "other")?),
        "filter" => |value, _| Ok(value.as_text().is_some_and(|text| filters::find(text.as_str()).is_some())),
        "test" => |value, _| Ok(value.as_text().is_some_and(|text| find(text.as_str()).is_some())),
        _ => return None,
    })
}

/// Undefined counts: it has a length of nothing.
fn has_length(value: &Value) -> bool {
    matches!(
        value,
        Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Undefined(_) | Value::Loop(_)
    )
}

fn cased(value: &Value, test: fn(char) -> bool, other: fn(char) -> bool) -> Eval<bool> {
    let text = super::print::to_text(value)?;
    Ok(text.as_str().chars().any(test) && !text.as_str().chars().any(other))
}

fn remainder(value: &Value, by: i128) -> Eval<i128> {
    match value.as_int() {
        Some(number) => Ok(number.checked_rem_euclid(by).unwrap_or(0)),
        None => fault!("unsupported operand type(s) for %: '{}' and 'int'", value.type_name()),
    }
}

fn same(a: &Value, b: &Value) -> Eval<bool> {
    use std::rc::Rc;
    Ok(match (a, b) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => Rc::ptr_eq(a, b),
        (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
        _ => a.type_name() == b.type_name() && a.equals(b),
    })
}
