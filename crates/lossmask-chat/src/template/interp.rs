//! Runs a [`Program`] as jinja2 does, writing text that knows its origin.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::attributes::iterate;
use super::budget;
use super::builtins::Clock;
use super::fault::{At, Eval, fault};
use super::ir::{ExprKind, For, Macro, Program, Stmt, Symbol, Target};
use super::print;
use super::scope::Scope;
use super::text::{Text, TextBuf};
use super::value::Value;

/// Blocks that may be nested, calls included.
const MAX_BLOCKS: usize = 400;

/// A macro, and the block it was declared in.
pub(super) struct MacroValue {
    pub decl: Arc<Macro>,
    pub scope: Rc<Scope>,
}

/// `loop`.
pub(super) struct LoopState {
    pub items: Vec<Value>,
    pub index: Cell<usize>,
    pub depth0: usize,
    pub changed: RefCell<Option<Vec<Value>>>,
    pub node: Arc<For>,
    pub scope: Rc<Scope>,
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
    pub program: &'t Program,
    pub clock: &'t Clock,
    /// The output, and above it the captures under way.
    pub out: Vec<TextBuf>,
    /// 1 + the message being written, or 0.
    pub message: u32,
    /// In a loop that does not run over messages: a message put into a variable is the one being written.
    pub plain_loop: bool,
    pub calls: usize,
    blocks: usize,
    /// Expressions being evaluated, one within the other.
    pub evals: usize,
    generation: Vec<Block>,
    /// Scopes that macros hold on to: they are emptied at the end, so that nothing refers to itself.
    held: Vec<Rc<Scope>>,
}

impl Drop for Interp<'_> {
    fn drop(&mut self) {
        for scope in self.held.drain(..) {
            scope.clear();
        }
    }
}

/// Runs `program`; gives the text and the spans of its generation blocks.
pub(super) fn run<'v>(
    program: &Program,
    clock: &Clock,
    variables: impl Iterator<Item = (&'v str, Value)>,
) -> Eval<(TextBuf, Vec<Range<usize>>)> {
    let root = Rc::new(Scope::default());
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
        evals: 0,
        generation: Vec::new(),
        held: vec![root.clone()],
    };
    interp.block(&program.body, &root)?;
    budget::check()?;
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
            budget::spend(1)?;
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

    pub fn capture(&mut self, body: &[Stmt], scope: &Rc<Scope>) -> Eval<Text> {
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

    pub fn for_loop(&mut self, node: &Arc<For>, items: Vec<Value>, scope: &Rc<Scope>, depth0: usize) -> Eval<()> {
        budget::spend(items.len())?;
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
}
