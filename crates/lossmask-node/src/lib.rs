//! N-API bindings of lossmask: one file per concept, conversions only. Errors cross as JSON, panics as errors (`error`).

// In a test build napi's macros export nothing, and everything here looks unused.
#![cfg_attr(test, allow(dead_code))]

mod collate;
mod error;
mod masker;
mod media;
mod page;
mod pipeline;
mod prepared;
mod process;
mod row_writer;
mod rows;
mod tokenizer;
mod view;
