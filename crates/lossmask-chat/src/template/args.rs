//! Arguments of filters, tests, methods and functions.

use std::sync::Arc;

use super::fault::{Eval, fault};
use super::text::Text;
use super::value::Value;

/// Positional and named arguments.
#[derive(Default)]
pub(super) struct Args {
    pub pos: Vec<Value>,
    pub named: Vec<(Arc<str>, Value)>,
}

impl Args {
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.named.iter().find(|(key, _)| &**key == name).map(|(_, value)| value)
    }

    /// The argument at a position or under its name.
    pub fn get(&self, at: usize, name: &str) -> Option<&Value> {
        self.pos.get(at).or_else(|| self.named(name))
    }

    pub fn flag(&self, at: usize, name: &str) -> bool {
        self.get(at, name).is_some_and(Value::truth)
    }

    pub fn required(&self, at: usize, name: &str) -> Eval<&Value> {
        match self.get(at, name) {
            Some(value) => Ok(value),
            None => fault!("missing 1 required positional argument: '{name}'"),
        }
    }

    pub fn text(&self, at: usize, name: &str) -> Eval<&Text> {
        match self.required(at, name)? {
            Value::Str(text) => Ok(text),
            other => fault!("{name} must be str, not {}", other.type_name()),
        }
    }

    /// A text argument that may be left out or `None`.
    pub fn text_or_none(&self, at: usize, name: &str) -> Eval<Option<&Text>> {
        match self.get(at, name) {
            None | Some(Value::None) => Ok(None),
            Some(_) => self.text(at, name).map(Some),
        }
    }

    pub fn int_or(&self, at: usize, name: &str, default: i128) -> Eval<i128> {
        match self.get(at, name) {
            None => Ok(default),
            Some(value) => match value.as_int() {
                Some(value) => Ok(value),
                None => fault!("'{}' object cannot be interpreted as an integer", value.type_name()),
            },
        }
    }

    /// The arguments behind the first one.
    pub fn rest(&self) -> Args {
        Args { pos: self.pos.iter().skip(1).cloned().collect(), named: self.named.clone() }
    }
}
