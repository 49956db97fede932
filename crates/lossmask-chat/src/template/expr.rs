//! Evaluating expressions.

use std::rc::Rc;
use std::sync::Arc;

use super::args::Args;
use super::attributes::{get_attribute, get_item, iterate, slice};
use super::budget;
use super::builtins::Builtin;
use super::fault::{At, Eval, fault};
use super::interp::Interp;
use super::ir::{Arg, Comparison, Expr, ExprKind, FilterCall, Symbol};
use super::scope::Scope;
use super::text::{Text, TextBuf};
use super::value::{Dict, Missing, Value};
use super::{ops, print};

/// Expressions within expressions, those of called macros included: the stack of a thread holds three times as many.
const MAX_EVALS: usize = 2000;

impl Interp<'_> {
    /// The value of an expression.
    pub fn eval(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Eval<Value> {
        budget::spend(1).at(expr.place)?;
        self.evals += 1;
        if self.evals > MAX_EVALS {
            return fault!("maximum recursion depth exceeded").at(expr.place);
        }
        let value = self.value(expr, scope);
        self.evals -= 1;
        value
    }

    fn value(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Eval<Value> {
        let place = expr.place;
        Ok(match &expr.kind {
            ExprKind::Var(symbol) => self.variable(*symbol, scope),
            ExprKind::None => Value::None,
            ExprKind::Bool(value) => Value::bool(*value),
            ExprKind::Int(value) => Value::Int(*value, 0),
            ExprKind::Float(value) => Value::Float(*value, 0),
            ExprKind::Str(text) => Value::Str(Text::template(text.clone())),
            ExprKind::List(items) => nested(Value::list(self.evals(items, scope)?)).at(place)?,
            ExprKind::Tuple(items) => nested(Value::tuple(self.evals(items, scope)?)).at(place)?,
            ExprKind::Dict(entries) => {
                let mut dict = Dict::default();
                for (key, value) in entries {
                    let key = self.eval(key, scope)?;
                    ops::hashable(&key).at(place)?;
                    dict.set(key, self.eval(value, scope)?);
                }
                nested(Value::dict(dict.entries)).at(place)?
            }
            ExprKind::Not(inner) => Value::bool(!self.eval(inner, scope)?.truth()),
            ExprKind::Neg(inner) => ops::negate(&self.eval(inner, scope)?).at(place)?,
            ExprKind::And(left, right) => {
                let left = self.eval(left, scope)?;
                if left.truth() { self.eval(right, scope)? } else { left }
            }
            ExprKind::Or(left, right) => {
                let left = self.eval(left, scope)?;
                if left.truth() { left } else { self.eval(right, scope)? }
            }
            ExprKind::Arith(op, left, right) => {
                let (left, right) = (self.eval(left, scope)?, self.eval(right, scope)?);
                budget::walk(&left).and_then(|()| budget::walk(&right)).at(place)?;
                ops::arith(*op, &left, &right, self.message).at(place)?
            }
            ExprKind::Concat(parts) => {
                let mut buf = TextBuf::default();
                for part in parts {
                    let value = self.eval(part, scope)?;
                    print::write_str(&value, &mut buf, self.message).at(place)?;
                }
                Value::Str(buf.finish())
            }
            ExprKind::Compare(first, rest) => Value::bool(self.compare(first, rest, scope)?),
            ExprKind::If(condition, then, otherwise) => {
                if self.eval(condition, scope)?.truth() {
                    self.eval(then, scope)?
                } else {
                    match otherwise {
                        Some(otherwise) => self.eval(otherwise, scope)?,
                        None => Value::Undefined(Missing::Hint(
                            "the inline if-expression evaluated to false and no else section was defined.",
                        )),
                    }
                }
            }
            ExprKind::Filter(inner, call) => {
                let value = self.eval(inner, scope)?;
                self.filter(value, call, scope)?
            }
            ExprKind::Test(inner, test, args) => {
                let Some(function) = test.function else {
                    return fault!("No test named '{}'.", test.name).at(place);
                };
                let value = self.eval(inner, scope)?;
                let args = self.args(args, scope)?;
                budget::walk(&value).at(place)?;
                Value::bool(function(&value, &args).at(place)?)
            }
            ExprKind::Attribute(object, name) => get_attribute(&self.eval(object, scope)?, name).at(place)?,
            ExprKind::Item(object, key) => {
                let object = self.eval(object, scope)?;
                let item = get_item(&object, &self.eval(key, scope)?).at(place)?;
                // `messages[i]` in a loop over indices; `messages[i - 1]` only looks back.
                let by_name = matches!(key.kind, ExprKind::Var(_) | ExprKind::Attribute(..));
                if self.plain_loop && by_name && item.message() != 0 {
                    self.message = item.message();
                }
                item
            }
            ExprKind::Slice(object, bounds) => {
                let object = self.eval(object, scope)?;
                let mut values = [Value::None, Value::None, Value::None];
                for (value, bound) in values.iter_mut().zip(bounds.iter()) {
                    if let Some(bound) = bound {
                        *value = self.eval(bound, scope)?;
                    }
                }
                budget::walk(&object).at(place)?;
                slice(&object, &values).at(place)?
            }
            ExprKind::Call(callee, args) => {
                let callee = self.eval(callee, scope)?;
                let args = self.args(args, scope)?;
                self.call(&callee, args).at(place)?
            }
        })
    }

    fn evals(&mut self, exprs: &[Expr], scope: &Rc<Scope>) -> Eval<Vec<Value>> {
        exprs.iter().map(|expr| self.eval(expr, scope)).collect()
    }

    fn variable(&self, symbol: Symbol, scope: &Scope) -> Value {
        scope.get(symbol).unwrap_or_else(|| {
            let name = self.program.names.get(symbol as usize).cloned().unwrap_or_default();
            Builtin::find(&name).map_or(Value::Undefined(Missing::Name(name)), Value::Builtin)
        })
    }

    fn compare(&mut self, first: &Expr, rest: &[(Comparison, Expr)], scope: &Rc<Scope>) -> Eval<bool> {
        let mut left = self.eval(first, scope)?;
        for (op, right) in rest {
            let place = right.place;
            let right = self.eval(right, scope)?;
            budget::walk(&right).and_then(|()| budget::walk(&left)).at(place)?;
            if !ops::compare(*op, &left, &right).at(place)? {
                return Ok(false);
            }
            left = right;
        }
        Ok(true)
    }

    pub fn filters(&mut self, value: Value, filters: &[FilterCall], scope: &Rc<Scope>) -> Eval<Value> {
        filters.iter().try_fold(value, |value, filter| self.filter(value, filter, scope))
    }

    fn filter(&mut self, value: Value, call: &FilterCall, scope: &Rc<Scope>) -> Eval<Value> {
        let Some(function) = call.filter.function else {
            return fault!("No filter named '{}'.", call.filter.name).at(call.place);
        };
        let args = self.args(&call.args, scope)?;
        budget::walk(&value).at(call.place)?;
        function(self, &value, &args).at(call.place)
    }

    pub fn args(&mut self, args: &[Arg], scope: &Rc<Scope>) -> Eval<Args> {
        let mut out = Args::default();
        for arg in args {
            match arg {
                Arg::Pos(expr) => out.pos.push(self.eval(expr, scope)?),
                Arg::Named(name, expr) => out.named.push((name.clone(), self.eval(expr, scope)?)),
                Arg::Splat(expr) => {
                    let value = self.eval(expr, scope)?;
                    out.pos.extend(iterate(&value).at(expr.place)?);
                }
                Arg::NamedSplat(expr) => match self.eval(expr, scope)? {
                    Value::Dict(dict) => out.named.extend(
                        dict.entries
                            .iter()
                            .filter_map(|(key, value)| Some((Arc::from(key.as_text()?.as_str()), value.clone()))),
                    ),
                    _ => return fault!("argument after ** must be a mapping").at(expr.place),
                },
            }
        }
        Ok(out)
    }
}

/// Refuses containers nested so deep that printing them would exhaust the stack.
fn nested(value: Value) -> Eval<Value> {
    match value.depth() {
        0..=200 => Ok(value),
        _ => fault!("maximum recursion depth exceeded"),
    }
}
