//! Functions that every template can call.

use std::cell::{Cell, RefCell};
use std::fmt::Write;
use std::rc::Rc;

use chrono::{Local, NaiveDateTime};

use super::args::Args;
use super::attributes::iterate;
use super::fault::{Eval, Fault, fault};
use super::interp::Interp;
use super::value::{Dict, Value};
use super::{methods, print};

/// What `strftime_now` tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Clock {
    /// The local time.
    #[default]
    System,
    Fixed(NaiveDateTime),
}

impl Clock {
    fn now(self) -> NaiveDateTime {
        match self {
            Clock::System => Local::now().naive_local(),
            Clock::Fixed(time) => time,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builtin {
    Range,
    Dict,
    Namespace,
    Joiner,
    Cycler,
    RaiseException,
    StrftimeNow,
}

impl Builtin {
    pub fn find(name: &str) -> Option<Builtin> {
        Some(match name {
            "range" => Builtin::Range,
            "dict" => Builtin::Dict,
            "namespace" => Builtin::Namespace,
            "joiner" => Builtin::Joiner,
            "cycler" => Builtin::Cycler,
            "raise_exception" => Builtin::RaiseException,
            "strftime_now" => Builtin::StrftimeNow,
            _ => return None,
        })
    }
}

pub(super) fn call(interp: &Interp<'_>, builtin: Builtin, args: &Args) -> Eval<Value> {
    match builtin {
        Builtin::Range => range(args),
        Builtin::Dict => Ok(Value::dict(dict_of(args)?.entries)),
        Builtin::Namespace => Ok(Value::Namespace(Rc::new(RefCell::new(dict_of(args)?)))),
        Builtin::Joiner => {
            let separator = args.get(0, "sep").map_or(Ok(", ".into()), print::to_text)?;
            Ok(Value::Joiner(Rc::new((separator, Cell::new(false)))))
        }
        Builtin::Cycler => Ok(Value::Cycler(Rc::new((args.pos.clone(), Cell::new(0))))),
        Builtin::RaiseException => {
            let message = print::to_text(args.required(0, "message")?)?;
            let mut fault = Fault::new(message.as_str());
            fault.raised = true;
            Err(fault)
        }
        Builtin::StrftimeNow => {
            let mut text = String::new();
            match write!(text, "{}", interp.clock.now().format(args.text(0, "format")?.as_str())) {
                Ok(()) => Ok(Value::Str(text.into())),
                Err(_) => fault!("Invalid format string"),
            }
        }
    }
}

/// transformers' sandbox allows ranges of up to 100000 items.
fn range(args: &Args) -> Eval<Value> {
    let number = |at: usize| args.int_or(at, "stop", 0);
    let (start, stop, step) = match args.pos.len() {
        0 => return fault!("range expected at least 1 argument, got 0"),
        1 => (0, number(0)?, 1),
        2 => (number(0)?, number(1)?, 1),
        _ => (number(0)?, number(1)?, number(2)?),
    };
    if step == 0 {
        return fault!("range() arg 3 must not be zero");
    }
    let count = (stop.saturating_sub(start).saturating_add(step - step.signum()) / step).max(0);
    if count > 100_000 {
        return fault!("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
    }
    Ok(Value::list((0..count).map(|at| Value::Int(start + at * step, 0)).collect()))
}

fn dict_of(args: &Args) -> Eval<Dict> {
    let mut dict = Dict::default();
    match args.pos.first() {
        Some(Value::Dict(other)) => dict.entries.clone_from(&other.entries),
        Some(pairs) => {
            for pair in iterate(pairs)? {
                match iterate(&pair)?.as_slice() {
                    [key, value] => dict.set(key.clone(), value.clone()),
                    _ => return fault!("dictionary update sequence elements must have length 2"),
                }
            }
        }
        None => {}
    }
    args.named.iter().for_each(|(name, value)| dict.set(Value::str(name), value.clone()));
    Ok(dict)
}

/// The `items` filter.
pub(super) fn items(value: &Value) -> Eval<Value> {
    match value {
        Value::Undefined(_) => Ok(Value::iter(Vec::new())),
        Value::Dict(dict) => Ok(Value::iter(methods::pairs(dict))),
        _ => fault!("Can only get item pairs from a mapping."),
    }
}
