//! Chat templates, tokenization with exact spans, and the text routes of lossmask.

mod calls;
mod diagnose;
mod encoder;
mod flags;
mod format;
mod injection;
pub mod json;
mod media;
mod message;
mod parts;
mod reasoning;
mod roles;
mod route;
mod row;
mod spec;
mod split;
mod template;
mod thinking;
mod timing;
mod tokenizer;

pub use encoder::Encoder;
pub use row::{EncodedRow, RowError, RowMedia, SpecError, Status};
pub use spec::{
    Arguments, EncoderSpec, FieldSpec, FormatSpec, Injection, MediaSpec, Nulls, Reasoning, Route, RowType, Rows,
    Scaffold, Straddle, TemplateSpec, TokenSpec, TokenizerSpec,
};
pub use template::{
    Field, FieldKind, Origin, Origins, RenderInput, Rendered, Run, Template, TemplateError, TemplateErrorKind, TextTurn,
};
pub use timing::{Spent, take_spent};
pub use tokenizer::{Encoded, Tokenizer, utf16_spans};
