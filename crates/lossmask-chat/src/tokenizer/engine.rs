//! What turns text into ids, behind one trait: the `tokenizers` crate, or its successor where that gives the same ids.

use std::sync::Arc;

use tokenizers::{Model as _, OffsetType, PreTokenizedString, PreTokenizer as _, PreTokenizerWrapper};

/// A tokenizer's pre-tokenizer and model.
///
/// A stretch is normalized already and holds no added token; stretches do not know of each other. So a control token that may not
/// come from a text is plain text for every engine alike: it is not cut out.
pub(super) trait Engine: Send + Sync {
    /// The library and its version, for reports.
    fn name(&self) -> &'static str;

    /// Appends the ids of a stretch; `at_start`: whether it begins a row. `None`: the engine has no answer, which the reference has.
    fn encode(&self, stretch: &str, at_start: bool, ids: &mut Vec<i32>) -> Option<()>;
}

/// `tokenizers` 0.23, which every other engine has to agree with.
pub(super) struct Reference {
    inner: Arc<tokenizers::Tokenizer>,
    /// The pre-tokenizer for stretches that do not begin a row, where it is another one.
    later: Option<PreTokenizerWrapper>,
}

impl Reference {
    pub(super) const NAME: &str = "tokenizers 0.23";

    pub(super) fn new(inner: Arc<tokenizers::Tokenizer>, later: Option<PreTokenizerWrapper>) -> Self {
        Reference { inner, later }
    }
}

impl Engine for Reference {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encode(&self, stretch: &str, at_start: bool, ids: &mut Vec<i32>) -> Option<()> {
        let first = self.inner.get_pre_tokenizer();
        let splitter = if at_start { first } else { self.later.as_ref().or(first) };
        let mut text = PreTokenizedString::from(stretch);
        if let Some(splitter) = splitter {
            splitter.pre_tokenize(&mut text).ok()?;
        }
        text.tokenize(|piece| self.inner.get_model().tokenize(piece.get())).ok()?;
        let encoding = text.into_encoding(None, 0, OffsetType::None).ok()?;
        ids.extend(encoding.get_ids().iter().map(|&id| id as i32));
        Some(())
    }
}
