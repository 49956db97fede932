//! Calling macros, loops, methods and functions.

use std::rc::Rc;
use std::sync::Arc;

use super::args::Args;
use super::attributes::iterate;
use super::budget;
use super::builtins;
use super::fault::{Eval, Fault, fault};
use super::interp::{Interp, LoopState, MacroValue};
use super::ir::Macro;
use super::methods;
use super::scope::Scope;
use super::text::TextBuf;
use super::value::{Missing, Value};

/// Calls that may be nested; jinja2 ends at Python's recursion limit.
const MAX_CALLS: usize = 64;

impl Interp<'_> {
    /// Calls a value.
    pub fn call(&mut self, callee: &Value, args: Args) -> Eval<Value> {
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return fault!("maximum recursion depth exceeded");
        }
        let value = match callee {
            Value::Macro(callee) => self.call_macro(callee, args),
            Value::Method(method) => {
                budget::walk(&method.0).and_then(|()| methods::call(self, &method.0, &method.1, &args))
            }
            Value::Builtin(builtin) => builtins::call(self, *builtin, &args),
            Value::Loop(state) => self.call_loop(state, &args),
            Value::Joiner(joiner) => Ok(match joiner.1.replace(true) {
                true => Value::Str(joiner.0.clone()),
                false => Value::str(""),
            }),
            Value::Undefined(missing) => Err(Fault::undefined(missing)),
            other => fault!("'{}' object is not callable", other.type_name()),
        };
        self.calls -= 1;
        value
    }

    fn call_macro(&mut self, callee: &MacroValue, mut args: Args) -> Eval<Value> {
        let decl = &callee.decl;
        let scope = Scope::child(&callee.scope);
        let message = self.message;
        if message == 0 {
            self.message = args.pos.iter().map(Value::message).find(|&of_arg| of_arg != 0).unwrap_or(0);
        }
        let extra = args.pos.split_off(args.pos.len().min(decl.params.len()));
        let mut given = args.pos.into_iter();
        for (at, &param) in decl.params.iter().enumerate() {
            let name = self.program.names.get(param as usize).cloned().unwrap_or_default();
            let named = args.named.iter().position(|(key, _)| *key == name).map(|at| args.named.remove(at).1);
            let value = match (given.next(), named) {
                (Some(_), Some(_)) => return fault!("macro '{}' got multiple values for argument '{name}'", decl.name),
                (Some(value), None) | (None, Some(value)) => value,
                (None, None) => {
                    match (at + decl.defaults.len()).checked_sub(decl.params.len()).and_then(|at| decl.defaults.get(at))
                    {
                        Some(default) => self.eval(default, &scope)?,
                        None => Value::Undefined(Missing::Parameter(name)),
                    }
                }
            };
            scope.set(param, value);
        }
        self.bind_extra(decl, &scope, extra, args.named)?;
        let text = self.capture(&decl.body, &scope)?;
        self.message = message;
        Ok(Value::Str(text))
    }

    fn bind_extra(
        &mut self,
        decl: &Macro,
        scope: &Scope,
        extra: Vec<Value>,
        mut named: Vec<(Arc<str>, Value)>,
    ) -> Eval<()> {
        if let Some(symbol) = decl.caller {
            if let Some(at) = named.iter().position(|(name, _)| &**name == "caller") {
                scope.set(symbol, named.remove(at).1);
            } else if !decl.params.contains(&symbol) {
                scope.set(symbol, Value::Undefined(Missing::Hint("No caller defined")));
            }
        }
        match decl.varargs {
            Some(symbol) => scope.set(symbol, Value::tuple(extra)),
            None if !extra.is_empty() => {
                return fault!("macro '{}' takes not more than {} argument(s)", decl.name, decl.params.len());
            }
            None => {}
        }
        match decl.kwargs {
            Some(symbol) => {
                scope.set(
                    symbol,
                    Value::dict(named.into_iter().map(|(name, value)| (Value::str(&name), value)).collect()),
                );
            }
            None => {
                if let Some((name, _)) = named.first() {
                    return fault!("macro '{}' takes no keyword argument '{name}'", decl.name);
                }
            }
        }
        Ok(())
    }

    fn call_loop(&mut self, state: &Rc<LoopState>, args: &Args) -> Eval<Value> {
        if !state.node.recursive {
            return fault!("The loop must have the 'recursive' marker to be called recursively.");
        }
        let items = iterate(args.pos.first().unwrap_or(&Value::None))?;
        self.out.push(TextBuf::default());
        self.for_loop(&state.node, items, &state.scope, state.depth0 + 1)?;
        Ok(Value::Str(self.out.pop().unwrap_or_default().finish()))
    }
}
