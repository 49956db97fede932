//! Runs a [`Program`] as jinja2 does, writing text that knows its origin.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::args::Args;
use super::attributes::{get_attribute, get_item, iterate, slice};
use super::builtins::{self, Builtin, Clock};
use super::fault::{At, Eval, Fault, fault};
use super::ir::{Arg, Comparison, Expr, ExprKind, FilterCall, For, Macro, Program, Stmt, Symbol, Target};
use super::text::{Text, TextBuf};
use super::value::{Missing, Value};
use super::{methods, ops, print};

/// Calls that may be nested; jinja2 ends at Python's recursion limit.
const MAX_CALLS: usize = 64;
/// Blocks that may be nested, calls included.
const MAX_BLOCKS: usize = 400;

/// Variables of one block, and where to look further.
pub(super) struct Scope {
    vars: RefCell<Vec<(Symbol, Value)>>,
    parent: Option<Rc<Scope>>,
}

impl Scope {
    fn child(parent: &Rc<Scope>) -> Rc<Scope> {
        Rc::new(Scope { vars: RefCell::default(), parent: Some(parent.clone()) })
    }

    fn get(&self, symbol: Symbol) -> Option<Value> {
        let found = self.vars.borrow().iter().find(|(name, _)| *name == symbol).map(|(_, value)| value.clone());
        found.or_else(|| self.parent.as_ref().and_then(|parent| parent.get(symbol)))
    }

    fn set(&self, symbol: Symbol, value: Value) {
        let mut vars = self.vars.borrow_mut();
        match vars.iter_mut().find(|(name, _)| *name == symbol) {
            Some(entry) => entry.1 = value,
            None => vars.push((symbol, value)),
        }
    }
}

/// A macro, and the block it was declared in.
pub(super) struct MacroValue {
    pub decl: Arc<Macro>,
    scope: Rc<Scope>,
}

/// `loop`.
pub(super) struct LoopState {
    pub items: Vec<Value>,
    pub index: Cell<usize>,
    pub depth0: usize,
    pub changed: RefCell<Option<Vec<Value>>>,
    node: Arc<For>,
    scope: Rc<Scope>,
}

enum Flow {
    Next,
    Break,
    Continue,
}

/// A generation block that was rendered.
struct Block {
    /// Bytes of the output in front of it.
    start: usize,
    bytes: usize,
    /// For a block inside a capture, whose text need not follow there: its length in characters, as transformers counts.
    chars: Option<usize>,
}

pub(super) struct Interp<'t> {
    program: &'t Program,
    pub clock: &'t Clock,
    /// The output, and above it the captures under way.
    out: Vec<TextBuf>,
    /// 1 + the message being written, or 0.
    pub message: u32,
    /// In a loop that does not run over messages: a message put into a variable is the one being written.
    plain_loop: bool,
    calls: usize,
    blocks: usize,
    generation: Vec<Block>,
    /// Scopes that macros hold on to: they are emptied at the end, so that nothing refers to itself.
    held: Vec<Rc<Scope>>,
}

impl Drop for Interp<'_> {
    fn drop(&mut self) {
        for scope in self.held.drain(..) {
            scope.vars.take();
        }
    }
}

/// Runs `program`; gives the text and the spans of its generation blocks.
pub(super) fn run<'v>(
    program: &Program,
    clock: &Clock,
    variables: impl Iterator<Item = (&'v str, Value)>,
) -> Eval<(TextBuf, Vec<Range<usize>>)> {
    let root = Rc::new(Scope { vars: RefCell::default(), parent: None });
    for (name, value) in variables {
        if let Some(symbol) = program.names.iter().position(|known| &**known == name) {
            root.set(symbol as Symbol, value);
        }
    }
    let mut interp = Interp {
        program,
        clock,
        out: vec![TextBuf::default()],
        message: 0,
        plain_loop: false,
        calls: 0,
        blocks: 0,
        generation: Vec::new(),
        held: vec![root.clone()],
    };
    interp.block(&program.body, &root)?;
    let out = interp.out.pop().unwrap_or_default();
    let spans = interp.generation.iter().map(|block| block.span(&out.text)).collect();
    Ok((out, spans))
}

impl Block {
    fn span(&self, text: &str) -> Range<usize> {
        let end = match self.chars {
            None => self.start + self.bytes,
            Some(chars) => text[self.start..].char_indices().nth(chars).map_or(text.len(), |(at, _)| self.start + at),
        };
        self.start..end
    }
}

impl Interp<'_> {
    fn block(&mut self, stmts: &[Stmt], scope: &Rc<Scope>) -> Eval<Flow> {
        self.blocks += 1;
        if self.blocks > MAX_BLOCKS {
            return fault!("maximum recursion depth exceeded");
        }
        for stmt in stmts {
            match self.stmt(stmt, scope)? {
                Flow::Next => {}
                flow => {
                    self.blocks -= 1;
                    return Ok(flow);
                }
            }
        }
        self.blocks -= 1;
        Ok(Flow::Next)
    }

    fn stmt(&mut self, stmt: &Stmt, scope: &Rc<Scope>) -> Eval<Flow> {
        match stmt {
            Stmt::Raw(raw) => {
                let message = self.message;
                self.sink().push_template(raw, message);
            }
            Stmt::Emit(expr) => {
                let value = self.eval(expr, scope)?;
                self.emit(&value).at(expr.place)?;
            }
            Stmt::For(node) => {
                let iter = self.eval(&node.iter, scope)?;
                let items = iterate(&iter).at(node.iter.place)?;
                self.for_loop(node, items, scope, 0)?;
            }
            Stmt::If(condition, then, otherwise) => {
                let branch = if self.eval(condition, scope)?.truth() { then } else { otherwise };
                return self.block(branch, scope);
            }
            Stmt::With(assignments, body) => {
                let inner = Scope::child(scope);
                for (target, expr) in assignments {
                    let value = self.eval(expr, scope)?;
                    self.assign(target, value, &inner)?;
                }
                return self.block(body, &inner);
            }
            Stmt::Set(target, expr) => {
                let value = self.eval(expr, scope)?;
                if self.plain_loop && value.message() != 0 {
                    self.message = value.message();
                }
                self.assign(target, value, scope)?;
            }
            Stmt::SetBlock(target, filters, body) => {
                let text = self.capture(body, &Scope::child(scope))?;
                let value = self.filters(Value::Str(text), filters, scope)?;
                self.assign(target, value, scope)?;
            }
            Stmt::FilterBlock(filters, body) => {
                let text = self.capture(body, &Scope::child(scope))?;
                let value = self.filters(Value::Str(text), filters, scope)?;
                self.emit(&value)?;
            }
            Stmt::Macro(decl) => {
                let value = self.make_macro(decl, scope);
                if let Some(at) = self.program.names.iter().position(|name| *name == decl.name) {
                    scope.set(at as Symbol, value);
                }
            }
            Stmt::CallBlock(call, decl) => {
                let caller = self.make_macro(decl, scope);
                let ExprKind::Call(callee, args) = &call.kind else { return Ok(Flow::Next) };
                let callee = self.eval(callee, scope)?;
                let mut args = self.args(args, scope)?;
                args.named.push((Arc::from("caller"), caller));
                let value = self.call(&callee, args).at(call.place)?;
                self.emit(&value)?;
            }
            Stmt::Generation(body) => self.generation_block(body, scope)?,
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// As transformers' tag: the body is rendered on its own, its span begins where the output stands then.
    fn generation_block(&mut self, body: &[Stmt], scope: &Rc<Scope>) -> Eval<()> {
        let text = self.capture(body, &Scope::child(scope))?;
        let start = self.out.first().map_or(0, TextBuf::len);
        let chars = (self.out.len() > 1).then(|| text.as_str().chars().count());
        self.generation.push(Block { start, bytes: text.as_str().len(), chars });
        let message = self.message;
        self.sink().push_text(&text, message);
        Ok(())
    }

    fn sink(&mut self) -> &mut TextBuf {
        if self.out.is_empty() {
            self.out.push(TextBuf::default());
        }
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    fn emit(&mut self, value: &Value) -> Eval<()> {
        let message = self.message;
        print::write_str(value, self.sink(), message)
    }

    fn capture(&mut self, body: &[Stmt], scope: &Rc<Scope>) -> Eval<Text> {
        self.out.push(TextBuf::default());
        self.block(body, scope)?;
        Ok(self.out.pop().unwrap_or_default().finish())
    }

    fn make_macro(&mut self, decl: &Arc<Macro>, scope: &Rc<Scope>) -> Value {
        self.held.push(scope.clone());
        Value::Macro(Rc::new(MacroValue { decl: decl.clone(), scope: scope.clone() }))
    }

    fn assign(&mut self, target: &Target, value: Value, scope: &Rc<Scope>) -> Eval<()> {
        match target {
            Target::Name(symbol) => scope.set(*symbol, value),
            Target::Attribute(object, name, place) => match self.eval(object, scope)? {
                Value::Namespace(namespace) => namespace.borrow_mut().set(Value::str(name), value),
                _ => return fault!("cannot assign attribute on non-namespace object").at(*place),
            },
            Target::List(targets, place) => {
                let items = iterate(&value).at(*place)?;
                if items.len() > targets.len() {
                    return fault!("too many values to unpack (expected {})", targets.len()).at(*place);
                }
                if items.len() < targets.len() {
                    return fault!("not enough values to unpack (expected {}, got {})", targets.len(), items.len())
                        .at(*place);
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, scope)?;
                }
            }
        }
        Ok(())
    }

    fn for_loop(&mut self, node: &Arc<For>, items: Vec<Value>, scope: &Rc<Scope>, depth0: usize) -> Eval<()> {
        let state = match node.state {
            None => None,
            Some(symbol) => Some((symbol, self.loop_state(node, &items, scope, depth0)?)),
        };
        let items = state.as_ref().map_or(items, |(_, state)| state.items.clone());
        let (message, plain_loop) = (self.message, self.plain_loop);
        let mut empty = true;
        for (index, item) in items.into_iter().enumerate() {
            match item.message() {
                0 => (self.message, self.plain_loop) = (message, message == 0),
                of_item => (self.message, self.plain_loop) = (of_item, false),
            }
            let inner = Scope::child(scope);
            match &state {
                Some((symbol, state)) => {
                    state.index.set(index);
                    self.assign(&node.target, item, &inner)?;
                    inner.set(*symbol, Value::Loop(state.clone()));
                }
                None if !self.passes(node, item.clone(), scope)? => continue,
                None => self.assign(&node.target, item, &inner)?,
            }
            empty = false;
            if let Flow::Break = self.block(&node.body, &inner)? {
                break;
            }
        }
        (self.message, self.plain_loop) = (message, plain_loop);
        if empty {
            self.block(&node.else_body, &Scope::child(scope))?;
        }
        Ok(())
    }

    /// `loop`, which knows all items that pass the filter.
    fn loop_state(
        &mut self,
        node: &Arc<For>,
        items: &[Value],
        scope: &Rc<Scope>,
        depth0: usize,
    ) -> Eval<Rc<LoopState>> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            if self.passes(node, item.clone(), scope)? {
                kept.push(item.clone());
            }
        }
        Ok(Rc::new(LoopState {
            items: kept,
            index: Cell::new(0),
            depth0,
            changed: RefCell::default(),
            node: node.clone(),
            scope: scope.clone(),
        }))
    }

    fn passes(&mut self, node: &For, item: Value, scope: &Rc<Scope>) -> Eval<bool> {
        let Some(filter) = &node.filter else { return Ok(true) };
        let inner = Scope::child(scope);
        self.assign(&node.target, item, &inner)?;
        Ok(self.eval(filter, &inner)?.truth())
    }

    fn filters(&mut self, value: Value, filters: &[FilterCall], scope: &Rc<Scope>) -> Eval<Value> {
        filters.iter().try_fold(value, |value, filter| self.filter(value, filter, scope))
    }

    fn filter(&mut self, value: Value, call: &FilterCall, scope: &Rc<Scope>) -> Eval<Value> {
        let Some(function) = call.filter.function else {
            return fault!("No filter named '{}'.", call.filter.name).at(call.place);
        };
        let args = self.args(&call.args, scope)?;
        function(self, &value, &args).at(call.place)
    }

    fn args(&mut self, args: &[Arg], scope: &Rc<Scope>) -> Eval<Args> {
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

    /// Calls a value.
    pub fn call(&mut self, callee: &Value, args: Args) -> Eval<Value> {
        self.calls += 1;
        if self.calls > MAX_CALLS {
            return fault!("maximum recursion depth exceeded");
        }
        let value = match callee {
            Value::Macro(callee) => self.call_macro(callee, args),
            Value::Method(method) => methods::call(self, &method.0, &method.1, &args),
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

    fn eval(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Eval<Value> {
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
                let mut dict = super::value::Dict::default();
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
                Value::bool(function(&value, &args).at(place)?)
            }
            ExprKind::Attribute(object, name) => get_attribute(&self.eval(object, scope)?, name).at(place)?,
            ExprKind::Item(object, key) => {
                let object = self.eval(object, scope)?;
                get_item(&object, &self.eval(key, scope)?).at(place)?
            }
            ExprKind::Slice(object, bounds) => {
                let object = self.eval(object, scope)?;
                let mut values = [Value::None, Value::None, Value::None];
                for (value, bound) in values.iter_mut().zip(bounds.iter()) {
                    if let Some(bound) = bound {
                        *value = self.eval(bound, scope)?;
                    }
                }
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
            if !ops::compare(*op, &left, &right).at(place)? {
                return Ok(false);
            }
            left = right;
        }
        Ok(true)
    }
}

/// Refuses containers nested so deep that printing them would exhaust the stack.
fn nested(value: Value) -> Eval<Value> {
    match value.depth() {
        0..=200 => Ok(value),
        _ => fault!("maximum recursion depth exceeded"),
    }
}
