//! Tokenization in which chosen control tokens are plain text wherever message content takes part in them.

use std::collections::HashSet;
use std::ops::Range;

use tokenizers::{AddedVocabulary, Model as _, OffsetType, PreTokenizer as _};

use super::added::AddedTokens;
use super::{Encoded, Tokenizer, spans};
use crate::timing::{Stage, Stopwatch};

/// Encodes rows in which content must not become one of a set of control tokens.
///
/// A row whose content holds none of them keeps the ids of the plain encoding: the stretches between added tokens are
/// independent of each other, so only those that hold a typed control token are encoded anew.
pub(crate) struct Escaper {
    controls: HashSet<i32>,
    /// The added tokens without the controls, under their own ids.
    others: AddedVocabulary,
    /// The same for the engine, where there is one.
    parts: Option<AddedTokens>,
}

/// A control token that was typed in message content.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Typed {
    /// Its id.
    pub(crate) id: i32,
    /// Where it stands in the text.
    pub(crate) bytes: Range<usize>,
}

impl Escaper {
    /// `controls`: ids of added tokens that content may not become.
    pub(crate) fn new(tokenizer: &Tokenizer, controls: HashSet<i32>) -> Self {
        let model = tokenizer.inner.get_model();
        let added = tokenizer.inner.get_added_vocabulary().get_added_tokens_decoder();
        let tokens = tokenizer.added_ids().into_iter().filter_map(|id| {
            let token = added.get(&(id as u32))?.clone();
            match controls.contains(&id) {
                false => Some(token),
                true if model.token_to_id(&token.content).is_some() => None,
                // Ids beyond the model's are given out in order: something that no text holds takes the control's place.
                true => Some(tokenizers::AddedToken::from(format!("\u{10FFFF}\u{FDD0}{id}\u{10FFFF}"), true)),
            }
        });
        let mut others = AddedVocabulary::new();
        // Fails only when the automaton cannot be built, and this one is smaller than one that was.
        let _ = others.add_tokens(tokens, model, tokenizer.inner.get_normalizer());
        let parts = tokenizer.stretches.as_ref();
        let parts =
            parts.and_then(|(_, stretches)| AddedTokens::new(&tokenizer.inner, stretches.normalizer, &controls));
        Escaper { controls, others, parts }
    }

    /// The control tokens of an encoded text that are `typed`: made by message content. A control token may swallow white
    /// space of the content beside it and is not made by it; `typed` is asked about its own text.
    pub(crate) fn find(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        encoded: &Encoded,
        typed: impl Fn(i32, &Range<usize>) -> bool,
    ) -> Vec<Typed> {
        let mut found = Vec::new();
        for (&id, span) in encoded.ids.iter().zip(encoded.spans.iter().flatten()) {
            if !self.controls.contains(&id) {
                continue;
            }
            let swallowed = text[span.clone()].len() - text[span.clone()].trim_start().len();
            let own = span.start + swallowed..span.end.min(span.start + swallowed + tokenizer.token_bytes(id).len());
            if typed(id, &own) {
                found.push(Typed { id, bytes: span.clone() });
            }
        }
        found
    }

    /// Encodes the text again with the typed control tokens as plain text. `None` when the spans cannot be proven.
    pub(crate) fn encode(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        plain: &Encoded,
        typed: &[Typed],
    ) -> Option<Encoded> {
        let _stopwatch = Stopwatch::start(Stage::Tokenize);
        let mut out = Vec::with_capacity(plain.ids.len() + 16);
        let mut stretch = Stretch { start: 0, first: 0, typed: false };
        let spans = plain.spans.as_ref()?;
        for (index, (&id, span)) in plain.ids.iter().zip(spans).enumerate() {
            if !self.controls.contains(&id) {
                continue;
            }
            if typed.binary_search_by_key(&span.start, |typed| typed.bytes.start).is_ok() {
                stretch.typed = true;
                continue;
            }
            self.close(tokenizer, text, plain, &stretch, index, span.start, &mut out)?;
            out.push((id, span.clone()));
            stretch = Stretch { start: span.end, first: index + 1, typed: false };
        }
        self.close(tokenizer, text, plain, &stretch, plain.ids.len(), text.len(), &mut out)?;
        let (ids, spans) = out.into_iter().unzip();
        Some(Encoded { ids, spans: Some(spans) })
    }

    /// Ends the stretch in front of token `last` at byte `end`: as it was, or anew where something was typed in it.
    #[allow(clippy::too_many_arguments)]
    fn close(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        plain: &Encoded,
        stretch: &Stretch,
        last: usize,
        end: usize,
        out: &mut Vec<(i32, Range<usize>)>,
    ) -> Option<()> {
        if !stretch.typed {
            let tokens = stretch.first..last;
            let spans = plain.spans.as_ref()?[tokens.clone()].iter().cloned();
            out.extend(plain.ids[tokens].iter().copied().zip(spans));
            return Some(());
        }
        let start = stretch.start;
        let (ids, spans) = self.anew(tokenizer, &text[start..end], start == 0)?;
        out.extend(ids.into_iter().zip(spans).map(|(id, span)| (id, span.start + start..span.end + start)));
        Some(())
    }

    /// A text in which no control token is cut out.
    fn anew(&self, tokenizer: &Tokenizer, text: &str, at_start: bool) -> Option<(Vec<i32>, Vec<Range<usize>>)> {
        let by_engine = tokenizer.stretches.as_ref().zip(self.parts.as_ref());
        let encoded = by_engine.and_then(|((_, stretches), parts)| stretches.encode(tokenizer, parts, text, at_start));
        if let Some(Encoded { ids, spans: Some(spans) }) = encoded {
            return Some((ids, spans));
        }
        let (ids, offsets) = self.library(tokenizer, text, at_start)?;
        let spans = spans::exact(tokenizer, text, &ids, at_start, || Some(offsets))?;
        Some((ids, spans))
    }

    /// What the tokenizers library gives for a text when the controls are not among its added tokens.
    fn library(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        at_start: bool,
    ) -> Option<(Vec<i32>, Vec<tokenizers::Offsets>)> {
        let inner = &tokenizer.inner;
        let mut text = self.others.extract_and_normalize(inner.get_normalizer(), text);
        let splitter = if at_start { inner.get_pre_tokenizer() } else { tokenizer.later_splitter() };
        if let Some(splitter) = splitter {
            splitter.pre_tokenize(&mut text).ok()?;
        }
        text.tokenize(|piece| inner.get_model().tokenize(piece.get())).ok()?;
        let encoding = text.into_encoding(None, 0, OffsetType::Byte).ok()?;
        Some((encoding.get_ids().iter().map(|&id| id as i32).collect(), encoding.get_offsets().to_vec()))
    }
}

/// A stretch between kept control tokens.
struct Stretch {
    start: usize,
    first: usize,
    typed: bool,
}

/// Whether a span shares a byte with one of the sorted ranges.
pub(crate) fn overlaps(ranges: &[Range<usize>], span: &Range<usize>) -> bool {
    let after = ranges.partition_point(|range| range.end <= span.start);
    ranges.get(after).is_some_and(|range| range.start < span.end)
}
