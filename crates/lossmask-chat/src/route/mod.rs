//! The ways to derive a row's labels.

pub(crate) mod segments;
