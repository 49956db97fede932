//! Which tokens of a training sequence a language model is trained on.
//!
//! A [`Masker`] is compiled from [`MaskerOptions`] and turns rows of token ids into labels. Read the modules in the order
//! `automaton`, `scan`, `decide`, `labels`; `DESIGN.md` says why they are built so.

mod automaton;
mod batch;
mod candidates;
mod classes;
mod collate;
mod decide;
mod diagnose;
mod diagnosis;
mod error;
mod explain;
mod ids;
mod labels;
mod masker;
mod near_miss;
mod options;
mod plan;
mod record;
mod scan;
mod search;
mod semantics;
pub mod trained;

pub use batch::Rows;
pub use collate::{CollateError, CollateOptions, CollateRow, Collated, Side, collate};
pub use diagnosis::{Diagnosis, Severity};
pub use error::{BuildError, BuildErrorKind, ShapeError};
pub use explain::RowContext;
pub use ids::{Label, MaskValue, TokenId};
pub use masker::Masker;
pub use near_miss::NearMiss;
pub use options::{Boundary, End, EndKind, Exclude, MaskerOptions, Termination, TrainOnEos, Turns, Unterminated};
pub use record::{Reason, Record, Span, TokenKind, Turn};
pub use search::Engine;
pub use semantics::{CompletionOnly, ResponsesOnly, TemplateWarning};
