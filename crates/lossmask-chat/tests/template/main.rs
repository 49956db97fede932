//! The template engine against what transformers answered, and against the rules of Python and jinja2.

mod families;
mod generation;
mod origins;
mod own;
mod parity;
mod resources;
mod semantics;
