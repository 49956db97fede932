//! Which tokens of a training sequence a language model is trained on.

mod diagnosis;
mod options;
mod record;

pub use diagnosis::{Diagnosis, Severity};
pub use options::{Boundary, End, EndKind, Exclude, MaskerOptions, Termination, TrainOnEos, Turns, Unterminated};
pub use record::{Reason, Record, Span, TokenKind, Turn};
