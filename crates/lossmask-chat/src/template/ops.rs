//! Python's operators.

use std::cmp::Ordering;

use super::attributes::iterate;
use super::budget;
use super::fault::{Eval, Fault, fault};
use super::ir::{Arith, Comparison};
use super::print;
use super::text::{Text, TextBuf};
use super::value::Value;

/// No text grows beyond this: a mistaken `'x' * 10 ** 12` is an error, not the end of the process.
const MAX_LENGTH: usize = 1 << 28;

/// Refuses what cannot be a key of a dict.
pub(super) fn hashable(value: &Value) -> Eval<()> {
    match value {
        Value::List(_) | Value::Dict(_) => fault!("unhashable type: '{}'", value.type_name()),
        _ => Ok(()),
    }
}

pub(super) fn negate(value: &Value) -> Eval<Value> {
    match value {
        Value::Undefined(missing) => Err(Fault::undefined(missing)),
        Value::Float(number, _) => Ok(Value::Float(-number, 0)),
        other => match other.as_int() {
            Some(number) => Ok(Value::Int(number.saturating_neg(), 0)),
            None => fault!("bad operand type for unary -: '{}'", other.type_name()),
        },
    }
}

/// `a op b`; texts written together are written for `message`.
pub(super) fn arith(op: Arith, a: &Value, b: &Value, message: u32) -> Eval<Value> {
    if let Value::Undefined(missing) = a {
        return Err(Fault::undefined(missing));
    }
    if let (Value::Undefined(missing), false) = (b, op == Arith::Rem && matches!(a, Value::Str(_))) {
        return Err(Fault::undefined(missing));
    }
    let beyond = matches!(a, Value::BigInt(..)) || matches!(b, Value::BigInt(..));
    if beyond && a.as_number().is_some() && b.as_number().is_some() {
        return fault!("an integer of more than 128 bits is only printed and compared");
    }
    match (op, a, b) {
        (Arith::Add, Value::Str(a), Value::Str(b)) => Ok(Value::Str(add_texts(a, b, message))),
        (Arith::Add, Value::Str(_) | Value::List(_) | Value::Tuple(_), _) => add_items(a, b),
        (Arith::Mul, Value::Str(_) | Value::List(_) | Value::Tuple(_), _) => repeat(a, b),
        (Arith::Mul, _, Value::Str(_) | Value::List(_) | Value::Tuple(_)) => repeat(b, a),
        (Arith::Rem, Value::Str(format), _) => super::format::percent(format, b).map(Value::Str),
        _ => match (a.as_int(), b.as_int()) {
            (Some(x), Some(y)) => int_arith(op, x, y),
            _ => match (a.as_number(), b.as_number()) {
                (Some(x), Some(y)) => float_arith(op, x, y),
                _ => fault!(
                    "unsupported operand type(s) for {}: '{}' and '{}'",
                    symbol(op),
                    a.type_name(),
                    b.type_name()
                ),
            },
        },
    }
}

fn symbol(op: Arith) -> &'static str {
    match op {
        Arith::Add => "+",
        Arith::Sub => "-",
        Arith::Mul => "*",
        Arith::Div => "/",
        Arith::FloorDiv => "//",
        Arith::Rem => "%",
        Arith::Pow => "** or pow()",
    }
}

/// `a + b`; a plain text added to `Markup` is escaped.
fn add_texts(a: &Text, b: &Text, message: u32) -> Text {
    let markup = a.markup || b.markup;
    let mut buf = TextBuf::default();
    for part in [a, b] {
        match markup && !part.markup {
            true => print::escape_markup(part, &mut buf, message),
            false => buf.push_text(part, message),
        }
    }
    buf.finish().with_markup(markup)
}

fn add_items(a: &Value, b: &Value) -> Eval<Value> {
    let joined = |x: &[Value], y: &[Value]| {
        budget::make_items(x.len() + y.len())?;
        Eval::Ok(x.iter().chain(y).cloned().collect::<Vec<_>>())
    };
    match (a, b) {
        (Value::List(x), Value::List(y)) => Ok(Value::list(joined(&x.items, &y.items)?)),
        (Value::Tuple(x), Value::Tuple(y)) => Ok(Value::tuple(joined(&x.items, &y.items)?)),
        _ => fault!("can only concatenate {0} (not \"{1}\") to {0}", a.type_name(), b.type_name()),
    }
}

fn repeat(value: &Value, times: &Value) -> Eval<Value> {
    let Some(times) = times.as_int() else {
        return fault!("can't multiply sequence by non-int of type '{}'", times.type_name());
    };
    let times = usize::try_from(times).unwrap_or(if times < 0 { 0 } else { usize::MAX });
    let too_long = |length: usize| length.checked_mul(times).is_none_or(|length| length > MAX_LENGTH);
    match value {
        Value::Str(text) if !too_long(text.as_str().len()) => {
            let mut buf = TextBuf::default();
            for _ in (0..times).filter(|_| !text.as_str().is_empty()) {
                budget::check()?;
                buf.push_text(text, 0);
            }
            Ok(Value::Str(buf.finish()))
        }
        Value::List(list) if !too_long(list.items.len() * 64) => repeated(&list.items, times).map(Value::list),
        Value::Tuple(list) if !too_long(list.items.len() * 64) => repeated(&list.items, times).map(Value::tuple),
        _ => fault!("cannot fit the repeated sequence into memory"),
    }
}

fn repeated(items: &[Value], times: usize) -> Eval<Vec<Value>> {
    budget::make_items(items.len() * times)?;
    Ok(items.iter().cycle().take(items.len() * times).cloned().collect())
}

fn int_arith(op: Arith, a: i128, b: i128) -> Eval<Value> {
    let result = match op {
        Arith::Div | Arith::FloorDiv | Arith::Rem if b == 0 => {
            return fault!(
                "{}",
                if op == Arith::Div { "division by zero" } else { "integer division or modulo by zero" }
            );
        }
        Arith::Div => return Ok(Value::Float(a as f64 / b as f64, 0)),
        Arith::Add => a.checked_add(b),
        Arith::Sub => a.checked_sub(b),
        Arith::Mul => a.checked_mul(b),
        Arith::FloorDiv => a.checked_div_euclid(b).map(|_| floor_div(a, b)),
        Arith::Rem => a.checked_rem(b).map(|_| a - b * floor_div(a, b)),
        Arith::Pow if b < 0 => return float_arith(op, a as f64, b as f64),
        Arith::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
    };
    match result {
        Some(value) => Ok(Value::Int(value, 0)),
        None => fault!("the result of {} is too large", symbol(op)),
    }
}

fn floor_div(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if (a % b != 0) && ((a < 0) != (b < 0)) { quotient - 1 } else { quotient }
}

fn float_arith(op: Arith, a: f64, b: f64) -> Eval<Value> {
    let value = match op {
        Arith::Div | Arith::FloorDiv | Arith::Rem if b == 0.0 => {
            return fault!("{}", if op == Arith::Div { "division by zero" } else { "float floor division by zero" });
        }
        Arith::Add => a + b,
        Arith::Sub => a - b,
        Arith::Mul => a * b,
        Arith::Div => a / b,
        Arith::FloorDiv => (a / b).floor(),
        Arith::Rem => a - b * (a / b).floor(),
        Arith::Pow => a.powf(b),
    };
    Ok(Value::Float(value, 0))
}

/// `a op b` of comparisons.
pub(super) fn compare(op: Comparison, a: &Value, b: &Value) -> Eval<bool> {
    let sign = match op {
        Comparison::Eq => return Ok(a.equals(b)),
        Comparison::Ne => return Ok(!a.equals(b)),
        Comparison::In => return contains(b, a),
        Comparison::NotIn => return contains(b, a).map(|found| !found),
        Comparison::Lt => "<",
        Comparison::Le => "<=",
        Comparison::Gt => ">",
        Comparison::Ge => ">=",
    };
    let Some(order) = order(a, b, sign)? else { return Ok(false) };
    Ok(match op {
        Comparison::Lt => order == Ordering::Less,
        Comparison::Le => order != Ordering::Greater,
        Comparison::Gt => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// Python's order of two values, `None` for not-a-number.
pub(super) fn order(a: &Value, b: &Value, sign: &str) -> Eval<Option<Ordering>> {
    if let Value::Undefined(missing) = a {
        return Err(Fault::undefined(missing));
    }
    if let Value::Undefined(missing) = b {
        return Err(Fault::undefined(missing));
    }
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (Value::List(x), Value::List(y)) | (Value::Tuple(x), Value::Tuple(y)) => {
            match x.items.iter().zip(&y.items).find(|(a, b)| !a.equals(b)) {
                Some((a, b)) => order(a, b, sign),
                None => Ok(Some(x.items.len().cmp(&y.items.len()))),
            }
        }
        _ => match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => Ok(Some(a.cmp(&b))),
            _ => match (a.as_number(), b.as_number()) {
                (Some(x), Some(y)) => Ok(x.partial_cmp(&y)),
                _ => {
                    fault!("'{sign}' not supported between instances of '{}' and '{}'", a.type_name(), b.type_name())
                }
            },
        },
    }
}

/// `item in container`.
pub(super) fn contains(container: &Value, item: &Value) -> Eval<bool> {
    match (container, item) {
        (Value::Str(text), Value::Str(part)) => Ok(text.as_str().contains(part.as_str())),
        (Value::Str(_), other) => {
            fault!("'in <string>' requires string as left operand, not {}", other.type_name())
        }
        (Value::Dict(dict), key) => hashable(key).map(|()| dict.get(key).is_some()),
        (Value::List(_) | Value::Tuple(_) | Value::Undefined(_) | Value::Loop(_) | Value::Iter(_), item) => {
            Ok(iterate(container)?.iter().any(|value| value.equals(item)))
        }
        (other, _) => fault!("argument of type '{}' is not iterable", other.type_name()),
    }
}
