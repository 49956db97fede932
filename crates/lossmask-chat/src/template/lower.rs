//! From the parser's tree to [`Program`].

use std::collections::HashMap;
use std::sync::Arc;

use minijinja::machinery::ast::{self, BinOpKind, CompareOpKind, Spanned, UnaryOpKind};
use minijinja::machinery::{Span, parse};
use minijinja::value::ValueKind;

use super::ir::{
    Arg, Arith, Comparison, Expr, ExprKind, FilterCall, For, Macro, Named, Place, Program, Stmt, Symbol, Target,
};
use super::source::{Prepared, syntax};
use super::{filters, predicates};

/// Expressions and blocks within each other. jinja2 writes a pair of parentheses for most of them, and Python takes 200 of those.
const MAX_DEPTH: usize = 300;

/// A template that cannot be read.
#[derive(Debug)]
pub(super) struct SyntaxFault {
    pub message: String,
    pub place: Option<Place>,
    pub line: Option<usize>,
    /// It is nested deeper than it may be.
    pub too_deep: bool,
}

pub(super) type Lowered<T> = Result<T, SyntaxFault>;

/// The fault of a template that is nested too deep at `place`.
pub(super) fn too_deep(place: Option<Place>) -> SyntaxFault {
    let message = format!("expressions or blocks are nested more than {MAX_DEPTH} deep");
    SyntaxFault { message, place, line: None, too_deep: true }
}

impl From<minijinja::Error> for SyntaxFault {
    fn from(error: minijinja::Error) -> SyntaxFault {
        SyntaxFault {
            message: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
            place: error.range().map(|range| Place { start: range.start as u32, end: range.end as u32 }),
            line: error.line(),
            too_deep: false,
        }
    }
}

/// Parses and lowers a template.
pub(super) fn lower(prepared: &Prepared, name: &str) -> Lowered<Program> {
    let root = parse(&prepared.source, name, syntax())?;
    let mut lowering = Lowering { names: Names::default(), generation: &prepared.function, depth: 0 };
    let body = match &root {
        ast::Stmt::Template(template) => lowering.block(&template.children)?,
        _ => Vec::new(),
    };
    Ok(Program { body, names: lowering.names.list, generation_tags: prepared.generation_tags })
}

#[derive(Default)]
struct Names {
    list: Vec<Arc<str>>,
    index: HashMap<Arc<str>, Symbol>,
    /// How often each of [`SPECIAL`] was named so far.
    special: [usize; SPECIAL.len()],
}

const SPECIAL: [&str; 4] = ["caller", "varargs", "kwargs", "loop"];
const LOOP: usize = 3;

impl Names {
    fn symbol(&mut self, name: &str) -> Symbol {
        if let Some(at) = SPECIAL.iter().position(|special| *special == name) {
            self.special[at] += 1;
        }
        if let Some(&symbol) = self.index.get(name) {
            return symbol;
        }
        let (symbol, name) = (self.list.len() as Symbol, Arc::<str>::from(name));
        self.list.push(name.clone());
        self.index.insert(name, symbol);
        symbol
    }
}

struct Lowering<'p> {
    names: Names,
    generation: &'p str,
    /// Expressions and blocks around the one at hand.
    depth: usize,
}

fn place(span: Span) -> Place {
    Place { start: span.start_offset, end: span.end_offset }
}

fn unsupported<T>(span: Span, what: &str) -> Lowered<T> {
    let message = format!("Encountered unknown tag '{what}'.");
    Err(SyntaxFault { message, place: Some(place(span)), line: Some(span.start_line as usize), too_deep: false })
}

impl Lowering<'_> {
    fn block(&mut self, stmts: &[ast::Stmt<'_>]) -> Lowered<Vec<Stmt>> {
        self.deeper(None, |this| stmts.iter().map(|stmt| this.stmt(stmt)).collect())
    }

    /// Lowers what is one level deeper, unless that is too deep.
    fn deeper<T>(&mut self, span: Option<Span>, lower: impl FnOnce(&mut Self) -> Lowered<T>) -> Lowered<T> {
        if self.depth >= MAX_DEPTH {
            return Err(too_deep(span.map(place)));
        }
        self.depth += 1;
        let lowered = lower(self);
        self.depth -= 1;
        lowered
    }

    fn stmt(&mut self, stmt: &ast::Stmt<'_>) -> Lowered<Stmt> {
        Ok(match stmt {
            ast::Stmt::EmitRaw(raw) => Stmt::Raw(Arc::from(raw.raw)),
            ast::Stmt::EmitExpr(emit) => Stmt::Emit(self.expr(&emit.expr)?),
            ast::Stmt::ForLoop(node) => Stmt::For(Arc::new(self.for_loop(node)?)),
            ast::Stmt::IfCond(node) => {
                Stmt::If(self.expr(&node.expr)?, self.block(&node.true_body)?, self.block(&node.false_body)?)
            }
            ast::Stmt::WithBlock(node) => {
                let assign = |this: &mut Self, (target, value): &(ast::Expr<'_>, ast::Expr<'_>)| {
                    Ok((this.target(target)?, this.expr(value)?))
                };
                let assignments = node.assignments.iter().map(|pair| assign(self, pair)).collect::<Lowered<_>>()?;
                Stmt::With(assignments, self.block(&node.body)?)
            }
            ast::Stmt::Set(node) => Stmt::Set(self.target(&node.target)?, self.expr(&node.expr)?),
            ast::Stmt::SetBlock(node) => Stmt::SetBlock(
                self.target(&node.target)?,
                node.filter.as_ref().map_or(Ok(Vec::new()), |filter| self.filter_chain(filter))?,
                self.block(&node.body)?,
            ),
            ast::Stmt::FilterBlock(node) => {
                Stmt::FilterBlock(self.filter_chain(&node.filter)?, self.block(&node.body)?)
            }
            ast::Stmt::Macro(node) => Stmt::Macro(Arc::new(self.macro_decl(node)?)),
            ast::Stmt::CallBlock(node) => self.call_block(node)?,
            ast::Stmt::Continue(_) => Stmt::Continue,
            ast::Stmt::Break(_) => Stmt::Break,
            ast::Stmt::AutoEscape(node) => Stmt::With(Vec::new(), self.block(&node.body)?),
            ast::Stmt::Template(node) => Stmt::With(Vec::new(), self.block(&node.children)?),
            // Nothing extends a chat template: a block is what stands in it.
            ast::Stmt::Block(node) => Stmt::With(Vec::new(), self.block(&node.body)?),
            ast::Stmt::Import(node) => return unsupported(node.span(), "import"),
            ast::Stmt::FromImport(node) => return unsupported(node.span(), "from"),
            ast::Stmt::Extends(node) => return unsupported(node.span(), "extends"),
            ast::Stmt::Include(node) => return unsupported(node.span(), "include"),
            ast::Stmt::Do(node) => return unsupported(node.span(), "do"),
        })
    }

    fn for_loop(&mut self, node: &ast::ForLoop<'_>) -> Lowered<For> {
        let (target, iter) = (self.target(&node.target)?, self.expr(&node.iter)?);
        let filter = self.optional(node.filter_expr.as_ref())?;
        let before = self.names.special;
        let body = self.block(&node.body)?;
        let state = self.used_since(before, LOOP);
        let else_body = self.block(&node.else_body)?;
        Ok(For { target, iter, filter, body, else_body, recursive: node.recursive, state })
    }

    /// The symbol of a special name, if it was named since.
    fn used_since(&self, before: [usize; SPECIAL.len()], at: usize) -> Option<Symbol> {
        let used = self.names.special[at] > before[at];
        used.then(|| self.names.index.get(SPECIAL[at]).copied()).flatten()
    }

    fn call_block(&mut self, node: &Spanned<ast::CallBlock<'_>>) -> Lowered<Stmt> {
        if matches!(&node.call.expr, ast::Expr::Var(var) if var.id == self.generation) {
            return Ok(Stmt::Generation(self.block(&node.macro_decl.body)?));
        }
        let call = self.call(&node.call)?;
        Ok(Stmt::CallBlock(call, Arc::new(self.macro_decl(&node.macro_decl)?)))
    }

    fn macro_decl(&mut self, node: &ast::Macro<'_>) -> Lowered<Macro> {
        let before = self.names.special;
        let params = node.args.iter().map(|arg| self.name_of(arg)).collect::<Lowered<_>>()?;
        let defaults = node.defaults.iter().map(|default| self.expr(default)).collect::<Lowered<_>>()?;
        let body = self.block(&node.body)?;
        // jinja2 gives a macro `caller`, `varargs` and `kwargs` where its body names them.
        let special = |at: usize| self.used_since(before, at);
        Ok(Macro {
            name: Arc::from(node.name),
            params,
            defaults,
            body,
            caller: special(0),
            varargs: special(1),
            kwargs: special(2),
        })
    }

    fn name_of(&mut self, expr: &ast::Expr<'_>) -> Lowered<Symbol> {
        match expr {
            ast::Expr::Var(var) => Ok(self.names.symbol(var.id)),
            other => unsupported(other.span(), "target"),
        }
    }

    fn target(&mut self, expr: &ast::Expr<'_>) -> Lowered<Target> {
        let targets = |this: &mut Self, items: &[ast::Expr<'_>]| {
            items.iter().map(|item| this.target(item)).collect::<Lowered<Vec<_>>>()
        };
        Ok(match expr {
            ast::Expr::Var(var) => Target::Name(self.names.symbol(var.id)),
            ast::Expr::GetAttr(attr) => {
                Target::Attribute(self.expr(&attr.expr)?, Arc::from(attr.name), place(attr.span()))
            }
            ast::Expr::List(list) => Target::List(targets(self, &list.items)?, place(list.span())),
            ast::Expr::Tuple(tuple) => Target::List(targets(self, &tuple.items)?, place(tuple.span())),
            other => return unsupported(other.span(), "target"),
        })
    }

    fn optional(&mut self, expr: Option<&ast::Expr<'_>>) -> Lowered<Option<Expr>> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    fn boxed(&mut self, expr: &ast::Expr<'_>) -> Lowered<Box<Expr>> {
        self.expr(expr).map(Box::new)
    }

    fn exprs(&mut self, exprs: &[ast::Expr<'_>]) -> Lowered<Vec<Expr>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(&mut self, expr: &ast::Expr<'_>) -> Lowered<Expr> {
        self.deeper(Some(expr.span()), |this| this.expr_of(expr))
    }

    fn expr_of(&mut self, expr: &ast::Expr<'_>) -> Lowered<Expr> {
        let kind = match expr {
            ast::Expr::Var(var) => ExprKind::Var(self.names.symbol(var.id)),
            ast::Expr::Const(constant) => constant_kind(&constant.value),
            ast::Expr::Slice(node) => ExprKind::Slice(
                self.boxed(&node.expr)?,
                Box::new([
                    self.optional(node.start.as_ref())?,
                    self.optional(node.stop.as_ref())?,
                    self.optional(node.step.as_ref())?,
                ]),
            ),
            ast::Expr::UnaryOp(node) => match node.op {
                UnaryOpKind::Not => ExprKind::Not(self.boxed(&node.expr)?),
                UnaryOpKind::Neg => ExprKind::Neg(self.boxed(&node.expr)?),
            },
            ast::Expr::BinOp(node) => self.binary(node)?,
            ast::Expr::Compare(node) => {
                let compare = |this: &mut Self, op: &ast::CompareOp<'_>| Ok((comparison(op.op), this.expr(&op.expr)?));
                let ops = node.ops.iter().map(|op| compare(self, op)).collect::<Lowered<_>>()?;
                ExprKind::Compare(self.boxed(&node.expr)?, ops)
            }
            ast::Expr::IfExpr(node) => ExprKind::If(
                self.boxed(&node.test_expr)?,
                self.boxed(&node.true_expr)?,
                self.optional(node.false_expr.as_ref())?.map(Box::new),
            ),
            ast::Expr::Filter(node) => match &node.expr {
                Some(inner) => ExprKind::Filter(self.boxed(inner)?, Box::new(self.filter_call(node)?)),
                None => return unsupported(node.span(), "filter"),
            },
            ast::Expr::Test(node) => {
                let test = Named { name: Arc::from(node.name), function: predicates::find(node.name) };
                ExprKind::Test(self.boxed(&node.expr)?, test, self.args(&node.args)?)
            }
            ast::Expr::GetAttr(node) => ExprKind::Attribute(self.boxed(&node.expr)?, Arc::from(node.name)),
            ast::Expr::GetItem(node) => ExprKind::Item(self.boxed(&node.expr)?, self.boxed(&node.subscript_expr)?),
            ast::Expr::Call(node) => return self.call(node),
            ast::Expr::List(node) => ExprKind::List(self.exprs(&node.items)?),
            ast::Expr::Tuple(node) => ExprKind::Tuple(self.exprs(&node.items)?),
            ast::Expr::Map(node) => {
                let keys = self.exprs(&node.keys)?;
                ExprKind::Dict(keys.into_iter().zip(self.exprs(&node.values)?).collect())
            }
        };
        Ok(Expr { kind, place: place(expr.span()) })
    }

    fn call(&mut self, node: &Spanned<ast::Call<'_>>) -> Lowered<Expr> {
        let kind = ExprKind::Call(self.boxed(&node.expr)?, self.args(&node.args)?);
        Ok(Expr { kind, place: place(node.span()) })
    }

    fn binary(&mut self, node: &ast::BinOp<'_>) -> Lowered<ExprKind> {
        let arith = |op| match op {
            BinOpKind::Add => Some(Arith::Add),
            BinOpKind::Sub => Some(Arith::Sub),
            BinOpKind::Mul => Some(Arith::Mul),
            BinOpKind::Div => Some(Arith::Div),
            BinOpKind::FloorDiv => Some(Arith::FloorDiv),
            BinOpKind::Rem => Some(Arith::Rem),
            BinOpKind::Pow => Some(Arith::Pow),
            _ => None,
        };
        let (left, right) = (self.boxed(&node.left)?, self.boxed(&node.right)?);
        if let Some(op) = arith(node.op) {
            return Ok(ExprKind::Arith(op, left, right));
        }
        let comparison = match node.op {
            BinOpKind::Eq => Comparison::Eq,
            BinOpKind::Ne => Comparison::Ne,
            BinOpKind::Lt => Comparison::Lt,
            BinOpKind::Lte => Comparison::Le,
            BinOpKind::Gt => Comparison::Gt,
            BinOpKind::Gte => Comparison::Ge,
            BinOpKind::In => Comparison::In,
            BinOpKind::ScAnd => return Ok(ExprKind::And(left, right)),
            BinOpKind::ScOr => return Ok(ExprKind::Or(left, right)),
            _ => return Ok(concat(*left, *right)),
        };
        Ok(ExprKind::Compare(left, vec![(comparison, *right)]))
    }

    fn args(&mut self, args: &[ast::CallArg<'_>]) -> Lowered<Vec<Arg>> {
        let lower = |this: &mut Self, arg: &ast::CallArg<'_>| {
            Ok(match arg {
                ast::CallArg::Pos(expr) => Arg::Pos(this.expr(expr)?),
                ast::CallArg::Kwarg(name, expr) => Arg::Named(Arc::from(*name), this.expr(expr)?),
                ast::CallArg::PosSplat(expr) => Arg::Splat(this.expr(expr)?),
                ast::CallArg::KwargSplat(expr) => Arg::NamedSplat(this.expr(expr)?),
            })
        };
        args.iter().map(|arg| lower(self, arg)).collect()
    }

    fn filter_call(&mut self, node: &Spanned<ast::Filter<'_>>) -> Lowered<FilterCall> {
        Ok(FilterCall {
            filter: Named { name: Arc::from(node.name), function: filters::find(node.name) },
            args: self.args(&node.args)?,
            place: place(node.span()),
        })
    }

    /// The filters of a block, innermost first.
    fn filter_chain(&mut self, expr: &ast::Expr<'_>) -> Lowered<Vec<FilterCall>> {
        match expr {
            ast::Expr::Filter(node) => {
                let mut chain = node.expr.as_ref().map_or(Ok(Vec::new()), |inner| self.filter_chain(inner))?;
                chain.push(self.filter_call(node)?);
                Ok(chain)
            }
            other => unsupported(other.span(), "filter"),
        }
    }
}

/// `left ~ right`; a chain is joined at once, as jinja2 does.
fn concat(left: Expr, right: Expr) -> ExprKind {
    match left.kind {
        ExprKind::Concat(mut parts) => {
            parts.push(right);
            ExprKind::Concat(parts)
        }
        _ => ExprKind::Concat(vec![left, right]),
    }
}

fn comparison(op: CompareOpKind) -> Comparison {
    match op {
        CompareOpKind::Eq => Comparison::Eq,
        CompareOpKind::Ne => Comparison::Ne,
        CompareOpKind::Lt => Comparison::Lt,
        CompareOpKind::Lte => Comparison::Le,
        CompareOpKind::Gt => Comparison::Gt,
        CompareOpKind::Gte => Comparison::Ge,
        CompareOpKind::In => Comparison::In,
        CompareOpKind::NotIn => Comparison::NotIn,
    }
}

fn constant_kind(value: &minijinja::Value) -> ExprKind {
    match value.kind() {
        ValueKind::Bool => ExprKind::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).map_or(ExprKind::None, ExprKind::Int),
        ValueKind::Number => f64::try_from(value.clone()).map_or(ExprKind::None, ExprKind::Float),
        ValueKind::String => ExprKind::Str(Arc::from(value.as_str().unwrap_or_default())),
        _ => ExprKind::None,
    }
}
