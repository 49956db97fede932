//! Chat templates, tokenization with exact spans, and the text routes of lossmask.

mod row;
mod spec;

pub use row::{EncodedRow, RowError, Status};
pub use spec::{EncoderSpec, FieldSpec, Injection, Reasoning, Route, RowType, Straddle, TemplateSpec, TokenizerSpec};
