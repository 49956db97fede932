//! A text cut at its added tokens, and the stretches between them normalized and encoded: one pass, ids and bytes together.

use std::ops::Range;

use super::added::{AddedTokens, Part};
use super::engine::Engine;
use super::normalizer::Normalizer;
use super::{Encoded, Tokenizer, spans};

/// Everything in front of the engine.
pub(super) struct Stretches {
    pub(super) engine: Box<dyn Engine>,
    pub(super) normalizer: Normalizer,
}

/// Ids as they come, and what each of them stands for.
#[derive(Default)]
struct Output {
    ids: Vec<i32>,
    /// `None`: nobody asks for them, or they cannot be proven.
    spans: Option<Vec<Range<usize>>>,
}

impl Stretches {
    /// Ids and spans. `None`: only the reference knows; spans of `None`: the tokens are not proven to spell the text.
    pub(super) fn encode(
        &self,
        tokenizer: &Tokenizer,
        added: &AddedTokens,
        text: &str,
        at_start: bool,
    ) -> Option<Encoded> {
        let mut out =
            Output { ids: Vec::with_capacity(text.len() / 3), spans: Some(Vec::with_capacity(text.len() / 3)) };
        self.run(tokenizer, added, text, at_start, &mut out)?;
        Some(Encoded { ids: out.ids, spans: out.spans })
    }

    /// Ids alone.
    pub(super) fn encode_ids(&self, tokenizer: &Tokenizer, added: &AddedTokens, text: &str) -> Option<Vec<i32>> {
        let mut out = Output { ids: Vec::with_capacity(text.len() / 3), spans: None };
        self.run(tokenizer, added, text, true, &mut out)?;
        Some(out.ids)
    }

    fn run(
        &self,
        tokenizer: &Tokenizer,
        added: &AddedTokens,
        text: &str,
        at_start: bool,
        out: &mut Output,
    ) -> Option<()> {
        let (mut parts, mut inner) = (Vec::new(), Vec::new());
        added.split_literal(text, &mut parts);
        for part in parts {
            if part.added.is_some() {
                out.push_added(&part);
                continue;
            }
            let stretch = &text[part.bytes.clone()];
            let normalized = self.normalizer.apply(stretch);
            let base = part.bytes.start;
            inner.clear();
            if !added.split_normalized(&normalized, &mut inner) {
                self.stretch(tokenizer, text, part.bytes, &normalized, at_start, out)?;
                continue;
            }
            for within in inner.drain(..) {
                let origin = |at| self.normalizer.origin(stretch, &normalized, at);
                let bytes = base + origin(within.bytes.start)?..base + origin(within.bytes.end)?;
                match within.added {
                    Some(_) => out.push_added(&Part { bytes, ..within }),
                    None => self.stretch(tokenizer, text, bytes, &normalized[within.bytes], at_start, out)?,
                }
            }
        }
        Some(())
    }

    fn stretch(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        bytes: Range<usize>,
        normalized: &str,
        at_start: bool,
        out: &mut Output,
    ) -> Option<()> {
        let begins = at_start && bytes.start == 0;
        let first = out.ids.len();
        self.engine.encode(normalized, begins, &mut out.ids)?;
        if let Some(spans) = &mut out.spans
            && !spans::lay(tokenizer, text, bytes, &out.ids[first..], begins, spans)
        {
            out.spans = None;
        }
        Some(())
    }
}

impl Output {
    fn push_added(&mut self, part: &Part) {
        self.ids.extend(part.added);
        // Two tokens that claim the same white space are not laid one after the other.
        let follows = |spans: &Vec<Range<usize>>| spans.last().map_or(0, |last| last.end) == part.bytes.start;
        match &mut self.spans {
            Some(spans) if follows(spans) => spans.push(part.bytes.clone()),
            spans => *spans = None,
        }
    }
}
