//! A parsed template in a form that owns its data, with names resolved to symbols.

use std::sync::Arc;

use super::filters::FilterFn;
use super::predicates::TestFn;

/// A name of a variable.
pub(super) type Symbol = u32;

/// Bytes of the template source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub start: u32,
    pub end: u32,
}

pub(super) struct Program {
    pub body: Vec<Stmt>,
    pub names: Vec<Arc<str>>,
    /// How many `{% generation %}` blocks there are.
    pub generation_tags: usize,
}

pub(super) enum Stmt {
    Raw(Arc<str>),
    Emit(Expr),
    For(Arc<For>),
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    With(Vec<(Target, Expr)>, Vec<Stmt>),
    Set(Target, Expr),
    SetBlock(Target, Vec<FilterCall>, Vec<Stmt>),
    FilterBlock(Vec<FilterCall>, Vec<Stmt>),
    Macro(Arc<Macro>),
    /// The call, and the body as the macro `caller`.
    CallBlock(Expr, Arc<Macro>),
    /// `{% generation %}`.
    Generation(Vec<Stmt>),
    Break,
    Continue,
}

pub(super) struct For {
    pub target: Target,
    pub iter: Expr,
    pub filter: Option<Expr>,
    pub body: Vec<Stmt>,
    pub else_body: Vec<Stmt>,
    pub recursive: bool,
    /// `loop`, where the body names it. Without, a filter is applied item by item, as the loop goes on.
    pub state: Option<Symbol>,
}

pub(super) enum Target {
    Name(Symbol),
    /// A namespace's attribute.
    Attribute(Expr, Arc<str>, Place),
    List(Vec<Target>, Place),
}

pub(super) struct Macro {
    pub name: Arc<str>,
    pub params: Vec<Symbol>,
    /// Defaults of the last parameters.
    pub defaults: Vec<Expr>,
    pub body: Vec<Stmt>,
    pub caller: Option<Symbol>,
    pub varargs: Option<Symbol>,
    pub kwargs: Option<Symbol>,
}

pub(super) struct Expr {
    pub kind: ExprKind,
    pub place: Place,
}

pub(super) enum ExprKind {
    Var(Symbol),
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Arc<str>),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Arith(Arith, Box<Expr>, Box<Expr>),
    /// `a ~ b ~ c`.
    Concat(Vec<Expr>),
    /// `a < b <= c`.
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Filter(Box<Expr>, Box<FilterCall>),
    Test(Box<Expr>, Named<TestFn>, Vec<Arg>),
    Attribute(Box<Expr>, Arc<str>),
    Item(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Box<[Option<Expr>; 3]>),
    Call(Box<Expr>, Vec<Arg>),
}

/// A filter or a test; one that does not exist is an error only where it is used, as in jinja2.
pub(super) struct Named<F> {
    pub name: Arc<str>,
    pub function: Option<F>,
}

pub(super) struct FilterCall {
    pub filter: Named<FilterFn>,
    pub args: Vec<Arg>,
    pub place: Place,
}

pub(super) enum Arg {
    Pos(Expr),
    Named(Arc<str>, Expr),
    Splat(Expr),
    NamedSplat(Expr),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Rem,
    Pow,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}
