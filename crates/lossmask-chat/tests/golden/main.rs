//! The golden vectors, from messages to labels.

#[path = "../common/mod.rs"]
mod common;

mod chat_template_strategy;
mod families;
mod family_spec;
mod generation;
mod ranked;
mod strategies_real;
mod vocabularies;
