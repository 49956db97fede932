//! Which tokens of a training sequence a language model is trained on.
//!
//! A [`Masker`] is compiled from [`MaskerOptions`] and turns rows of token ids into labels. [`trained`] says what of a turn is trained, for
//! maskers and for whoever finds turns by other means. [`collate`] makes a rectangle of rows.
//!
//! The modules in the order of their imports: `options`, `record`, `trained`, `error`, `diagnosis` (data), `vector` (operations over arrays
//! of ids), `ids` (the public types of ids), `compile`, `scan`, `label`, `explain`, `rules`, `masker`. `DESIGN.md` says why they are built
//! so.

#![warn(clippy::too_many_lines)]

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod collate;
mod compile;
mod diagnosis;
mod error;
mod explain;
mod ids;
mod label;
mod masker;
mod options;
mod record;
mod rules;
mod scan;
pub mod trained;
mod vector;

pub use collate::{CollateError, CollateOptions, CollateRow, Collated, Side, collate};
pub use diagnosis::{Diagnosis, Severity};
pub use error::{BuildError, BuildErrorKind, ShapeError};
pub use explain::{NearMiss, RowContext};
pub use ids::{Label, MaskValue, TokenId};
pub use masker::{Masker, Rows};
pub use options::{Boundary, End, EndKind, Exclude, MaskerOptions, Termination, TrainOnEos, Turns, Unterminated};
pub use record::{Reason, Record, Span, TokenKind, Turn};
pub use rules::{CompletionOnly, ResponsesOnly, TemplateWarning};
pub use vector::Engine;
