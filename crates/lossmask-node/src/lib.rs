//! N-API bindings of lossmask: one file per concept, conversions only. Errors cross as JSON, panics as errors (`error`).

mod collate;
mod error;
mod masker;
mod media;
mod page;
mod pipeline;
mod prepared;
mod rows;
mod tokenizer;
mod view;
