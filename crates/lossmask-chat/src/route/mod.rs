//! The ways to derive a row's labels.

mod canvas;
pub(crate) mod compare;
pub(crate) mod generation;
pub(crate) mod origin;
pub(crate) mod paint;
pub(crate) mod policy;
pub(crate) mod segments;
pub(crate) mod turns;

use std::ops::Range;

use crate::message::Conversation;
use crate::template::{Origins, Rendered, Template};
use crate::tokenizer::Tokenizer;
use origin::TokenOrigin;

/// A rendered and tokenized conversation.
pub(crate) struct Row<'a> {
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) conversation: &'a Conversation,
    pub(crate) template: &'a Template,
    pub(crate) rendered: &'a Rendered,
    pub(crate) text: &'a str,
    pub(crate) ids: &'a [i32],
    /// The bytes of each token.
    pub(crate) spans: &'a [Range<usize>],
    pub(crate) origins: &'a Origins,
    /// What each token is made of.
    pub(crate) tokens: &'a [TokenOrigin],
}

impl Row<'_> {
    /// The text that a token stands in, whole characters.
    pub(crate) fn text_of(&self, token: usize) -> &str {
        let span = &self.spans[token];
        &self.text[self.floor(span.start)..self.floor(span.end)]
    }

    /// The character boundary at or before a byte.
    pub(crate) fn floor(&self, byte: usize) -> usize {
        (0..=byte.min(self.text.len())).rev().find(|&at| self.text.is_char_boundary(at)).unwrap_or(0)
    }
}
