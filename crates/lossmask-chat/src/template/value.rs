//! The values of Python that a chat template meets.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use super::builtins::Builtin;
use super::interp::{LoopState, MacroValue};
use super::text::{FieldId, Text};

/// A value. Containers are immutable, as in transformers' sandbox; only a namespace changes.
#[derive(Clone)]
pub(super) enum Value {
    Undefined(Missing),
    None,
    Bool(bool, FieldId),
    Int(i128, FieldId),
    /// Digits of an integer beyond 128 bits: it is printed and compared, and not reckoned with.
    BigInt(Rc<str>, FieldId),
    Float(f64, FieldId),
    Str(Text),
    List(Rc<List>),
    Tuple(Rc<List>),
    Dict(Rc<Dict>),
    /// A generator: it can be gone through once, and is true whatever it holds.
    Iter(Rc<RefCell<VecDeque<Value>>>),
    Namespace(Rc<RefCell<Dict>>),
    Macro(Rc<MacroValue>),
    Loop(Rc<LoopState>),
    Method(Rc<(Value, Arc<str>)>),
    Builtin(Builtin),
    Joiner(Rc<(Text, Cell<bool>)>),
    Cycler(Rc<(Vec<Value>, Cell<usize>)>),
}

/// What a missing value was asked for; jinja2's messages are made from it.
#[derive(Clone)]
pub(super) enum Missing {
    Name(Arc<str>),
    Attribute(&'static str, Arc<str>),
    Element(&'static str, String),
    Parameter(Arc<str>),
    Hint(&'static str),
}

impl Missing {
    pub fn message(&self) -> String {
        match self {
            Missing::Name(name) => format!("'{name}' is undefined"),
            Missing::Attribute(kind, name) => format!("'{kind}' has no attribute '{name}'"),
            Missing::Element(kind, element) => format!("{kind} has no element {element}"),
            Missing::Parameter(name) => format!("parameter '{name}' was not provided"),
            Missing::Hint(hint) => (*hint).to_owned(),
        }
    }
}

/// A list or a tuple.
#[derive(Default)]
pub(super) struct List {
    pub items: Vec<Value>,
    pub field: FieldId,
    /// How deep containers are nested in it.
    pub depth: u16,
}

/// A dict; keys keep their order.
#[derive(Default)]
pub(super) struct Dict {
    pub entries: Vec<(Value, Value)>,
    pub field: FieldId,
    /// 1 + the index of the message that this dict is, or 0.
    pub message: u32,
    pub depth: u16,
}

impl Dict {
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find_map(|(k, v)| match k {
            Value::Str(text) if text.as_str() == key => Some(v),
            _ => None,
        })
    }

    pub fn get(&self, key: &Value) -> Option<&Value> {
        match key {
            Value::Str(text) => self.get_str(text.as_str()),
            _ => self.entries.iter().find_map(|(k, v)| k.equals(key).then_some(v)),
        }
    }

    pub fn set(&mut self, key: Value, value: Value) {
        match self.entries.iter_mut().find(|(k, _)| k.equals(&key)) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((key, value)),
        }
    }
}

impl Value {
    pub fn bool(value: bool) -> Value {
        Value::Bool(value, 0)
    }

    pub fn int(value: usize) -> Value {
        Value::Int(value as i128, 0)
    }

    pub fn str(text: &str) -> Value {
        Value::Str(Text::from(text))
    }

    pub fn list(items: Vec<Value>) -> Value {
        let depth = depth_of(items.iter());
        Value::List(Rc::new(List { items, field: 0, depth }))
    }

    pub fn tuple(items: Vec<Value>) -> Value {
        let depth = depth_of(items.iter());
        Value::Tuple(Rc::new(List { items, field: 0, depth }))
    }

    pub fn iter(items: Vec<Value>) -> Value {
        Value::Iter(Rc::new(RefCell::new(items.into())))
    }

    pub fn dict(entries: Vec<(Value, Value)>) -> Value {
        let depth = depth_of(entries.iter().map(|(_, value)| value));
        Value::Dict(Rc::new(Dict { entries, field: 0, message: 0, depth }))
    }

    pub fn depth(&self) -> u16 {
        match self {
            Value::List(list) | Value::Tuple(list) => list.depth,
            Value::Dict(dict) => dict.depth,
            _ => 0,
        }
    }

    /// `type(x).__name__`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(..) => "bool",
            Value::Int(..) | Value::BigInt(..) => "int",
            Value::Float(..) => "float",
            Value::Str(text) if text.markup => "Markup",
            Value::Str(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Iter(_) => "generator",
            Value::Namespace(_) => "Namespace",
            Value::Macro(_) => "Macro",
            Value::Loop(_) => "LoopContext",
            Value::Method(_) => "builtin_function_or_method",
            Value::Builtin(_) => "function",
            Value::Joiner(_) => "Joiner",
            Value::Cycler(_) => "Cycler",
        }
    }

    /// jinja2's `object_type_repr`.
    pub fn object_name(&self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(..) => "bool object",
            Value::Int(..) | Value::BigInt(..) => "int object",
            Value::Float(..) => "float object",
            Value::Str(text) if text.markup => "markupsafe.Markup object",
            Value::Str(_) => "str object",
            Value::List(_) => "list object",
            Value::Tuple(_) => "tuple object",
            Value::Dict(_) => "dict object",
            Value::Iter(_) => "generator object",
            Value::Namespace(_) => "jinja2.utils.Namespace object",
            Value::Macro(_) => "jinja2.runtime.Macro object",
            Value::Loop(_) => "jinja2.runtime.LoopContext object",
            _ => "function object",
        }
    }

    pub fn truth(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(value, _) => *value,
            Value::Int(value, _) => *value != 0,
            Value::Float(value, _) => *value != 0.0,
            Value::Str(text) => !text.as_str().is_empty(),
            Value::List(list) | Value::Tuple(list) => !list.items.is_empty(),
            Value::Dict(dict) => !dict.entries.is_empty(),
            _ => true,
        }
    }

    pub fn as_int(&self) -> Option<i128> {
        match self {
            Value::Bool(value, _) => Some(i128::from(*value)),
            Value::Int(value, _) => Some(*value),
            _ => None,
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Float(value, _) => Some(*value),
            Value::BigInt(digits, _) => digits.parse().ok(),
            _ => self.as_int().map(|value| value as f64),
        }
    }

    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// 1 + the message that this value is, or 0.
    pub fn message(&self) -> u32 {
        match self {
            Value::Dict(dict) => dict.message,
            _ => 0,
        }
    }

    /// Python's `==`.
    pub fn equals(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
            (Value::Str(a), Value::Str(b)) => a.as_str() == b.as_str(),
            (Value::BigInt(a, _), Value::BigInt(b, _)) => a == b,
            (Value::BigInt(..), Value::Int(..)) | (Value::Int(..), Value::BigInt(..)) => false,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
                a.items.len() == b.items.len() && a.items.iter().zip(&b.items).all(|(a, b)| a.equals(b))
            }
            (Value::Dict(a), Value::Dict(b)) => {
                a.entries.len() == b.entries.len()
                    && a.entries.iter().all(|(key, value)| b.get(key).is_some_and(|other| other.equals(value)))
            }
            (Value::Namespace(a), Value::Namespace(b)) => Rc::ptr_eq(a, b),
            (Value::Macro(a), Value::Macro(b)) => Rc::ptr_eq(a, b),
            (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
            _ => match (self.as_int(), other.as_int()) {
                (Some(a), Some(b)) => a == b,
                _ => matches!((self.as_number(), other.as_number()), (Some(a), Some(b)) if a == b),
            },
        }
    }
}

fn depth_of<'a>(items: impl Iterator<Item = &'a Value>) -> u16 {
    items.map(Value::depth).max().unwrap_or(0).saturating_add(1)
}
