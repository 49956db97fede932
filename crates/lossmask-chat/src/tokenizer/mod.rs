//! Tokenization with spans that come from the tokens' own bytes: a text is cut at its added tokens, and an engine encodes the
//! stretches between them.

mod added;
mod bytes;
mod classes;
mod engine;
mod escape;
mod normalizer;
mod pieces;
mod shared;
mod spans;
mod stretches;
mod successor;
mod tekken;
mod utf16;
mod vocabulary;

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;
use tokenizers::AddedToken;

use crate::row::SpecError;
use crate::spec::TokenizerSpec;
use crate::timing::{Stage, Stopwatch};
use added::AddedTokens;
use bytes::TokenBytes;
use engine::{Engine, Reference};
use normalizer::Normalizer;
use stretches::Stretches;
use successor::Successor;

pub(crate) use escape::{Escaper, Typed, overlaps};
use spans::PrefixSpace;
pub use utf16::utf16_spans;

/// A tokenizer file, loaded once and shared by every thread.
///
/// Special tokens are never added around a text: the template writes them. The file's post-processor, truncation and
/// padding are ignored.
pub struct Tokenizer {
    inner: Arc<tokenizers::Tokenizer>,
    /// The added tokens and the engine; `None` where only the library itself knows how a text is cut and normalized.
    stretches: Option<(AddedTokens, Stretches)>,
    bytes: TokenBytes,
    prefix: PrefixSpace,
    /// The pre-tokenizer for stretches that do not begin a row, where it is another one.
    later_splitter: Option<tokenizers::PreTokenizerWrapper>,
    plain_controls: bool,
    around: [Vec<i32>; 2],
}

/// A text's token ids and where each token stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// The token ids.
    pub ids: Vec<i32>,
    /// The bytes of the text that each token stands for, in order. Tokens that share a character which normalization
    /// changed share its range. `None` when the tokens cannot be proven to spell the text.
    pub spans: Option<Vec<Range<usize>>>,
}

impl Tokenizer {
    /// Loads `tokenizer.json`, or Mistral's `tekken.json`, and appends the added tokens.
    ///
    /// # Errors
    /// `tokenizer-unreadable` when the file cannot be read, `tokenizer-invalid` when it is no tokenizer.
    pub fn load(spec: &TokenizerSpec) -> Result<Self, SpecError> {
        let text = std::fs::read_to_string(&spec.path).map_err(|error| unreadable(&spec.path, &error))?;
        let mut file: Value = serde_json::from_str(&text).map_err(|error| invalid(&spec.path, &error))?;
        drop(text);
        let is_tekken = tekken::is_tekken(&file);
        if is_tekken {
            file = tekken::to_tokenizer_json(&file).map_err(|error| invalid(&spec.path, &error))?;
        }
        Self::build(file, spec, is_tekken)
    }

    fn build(mut file: Value, spec: &TokenizerSpec, plain_controls: bool) -> Result<Self, SpecError> {
        let coding = bytes::Coding::of(&file);
        let prefix = PrefixSpace::of(&file);
        let later_splitter = spans::later_splitter(&file["pre_tokenizer"], prefix);
        for key in ["truncation", "padding"] {
            file[key] = Value::Null;
        }
        let mut inner = tokenizers::Tokenizer::deserialize(&file).map_err(|error| invalid(&spec.path, &error))?;
        let around = around(&inner);
        inner.with_post_processor(None::<tokenizers::PostProcessorWrapper>);
        let added = spec.added_tokens.iter().map(|token| {
            AddedToken::from(token.content.clone(), token.special)
                .lstrip(token.lstrip)
                .rstrip(token.rstrip)
                .single_word(token.single_word)
                .normalized(token.normalized.unwrap_or(!token.special))
        });
        inner.add_tokens(added).map_err(|error| invalid(&spec.path, &error))?;
        let inner = Arc::new(inner);
        let stretches = Normalizer::of(&file).and_then(|normalizer| {
            let added = AddedTokens::new(&inner, normalizer, &HashSet::new())?;
            let engine: Box<dyn Engine> = match Successor::new(file, normalizer) {
                Some(successor) => Box::new(successor),
                None => Box::new(Reference::new(inner.clone(), later_splitter.clone())),
            };
            Some((added, Stretches { engine, normalizer }))
        });
        let bytes = TokenBytes::new(&inner, coding);
        Ok(Tokenizer { inner, stretches, bytes, prefix, later_splitter, plain_controls, around })
    }

    /// The text's token ids, and the bytes each of them stands for.
    pub fn encode(&self, text: &str) -> Encoded {
        let _stopwatch = Stopwatch::start(Stage::Tokenize);
        match self.stretches.as_ref().and_then(|(added, stretches)| stretches.encode(self, added, text, true)) {
            Some(encoded @ Encoded { spans: Some(_), .. }) => encoded,
            _ => self.encode_by_library(text),
        }
    }

    /// As `tokenizers` 0.23 encodes the text: what [`Tokenizer::encode`] has to give, for tests and benchmarks.
    pub fn encode_by_library(&self, text: &str) -> Encoded {
        let ids = self.ids_by_library(text);
        let spans =
            spans::exact(self, text, &ids, true, || Some(self.inner.encode(text, false).ok()?.get_offsets().to_vec()));
        Encoded { ids, spans }
    }

    /// The text's token ids alone.
    pub fn encode_ids(&self, text: &str) -> Vec<i32> {
        let _stopwatch = Stopwatch::start(Stage::Tokenize);
        let ids = self.stretches.as_ref().and_then(|(added, stretches)| stretches.encode_ids(self, added, text));
        ids.unwrap_or_else(|| self.ids_by_library(text))
    }

    /// The library that encodes, and its version.
    pub fn engine(&self) -> &'static str {
        self.stretches.as_ref().map_or(Reference::NAME, |(_, stretches)| stretches.engine.name())
    }

    /// The text that the ids spell, special tokens included. Ids outside the vocabulary spell nothing; bytes that are
    /// no UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[i32]) -> String {
        let mut out = Vec::new();
        for &id in ids {
            out.extend_from_slice(self.token_bytes(id));
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// The bytes that one token spells; empty for an id outside the vocabulary.
    pub fn token_bytes(&self, id: i32) -> &[u8] {
        u32::try_from(id).map_or(&[], |id| self.bytes.get(id))
    }

    /// The tokens that the file's post-processor puts before and after a text (`add_special_tokens=True`). For formats that are not
    /// rendered by a template; nothing here adds them.
    pub fn around(&self) -> [&[i32]; 2] {
        self.around.each_ref().map(Vec::as_slice)
    }

    /// The id of a token by its name in the vocabulary.
    pub fn token_to_id(&self, token: &str) -> Option<i32> {
        self.inner.token_to_id(token).and_then(|id| i32::try_from(id).ok())
    }

    /// One more than the largest id.
    pub fn vocabulary_size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the id is one of the added tokens, which are matched in the text before anything else.
    pub fn is_added(&self, id: i32) -> bool {
        u32::try_from(id).is_ok_and(|id| self.inner.get_added_vocabulary().get_added_tokens_decoder().contains_key(&id))
    }

    /// Whether the id is a special added token.
    pub fn is_special(&self, id: i32) -> bool {
        u32::try_from(id).is_ok_and(|id| {
            self.inner.get_added_vocabulary().get_added_tokens_decoder().get(&id).is_some_and(|token| token.special)
        })
    }

    /// The ids of the added tokens, special or not, in ascending order.
    pub fn added_ids(&self) -> Vec<i32> {
        let added = self.inner.get_added_vocabulary().get_added_tokens_decoder();
        let mut ids: Vec<i32> = added.keys().map(|&id| id as i32).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids of all tokens whose text begins with `prefix`, in ascending order.
    pub fn ids_with_prefix(&self, prefix: &[u8]) -> Vec<i32> {
        (0..self.bytes.len() as u32).filter(|&id| self.bytes.get(id).starts_with(prefix)).map(|id| id as i32).collect()
    }

    /// Whether control tokens must never come from message content, whatever the setting (`tekken.json`).
    pub(crate) fn plain_controls(&self) -> bool {
        self.plain_controls
    }

    fn later_splitter(&self) -> Option<&tokenizers::PreTokenizerWrapper> {
        self.later_splitter.as_ref().or_else(|| self.inner.get_pre_tokenizer())
    }

    fn ids_by_library(&self, text: &str) -> Vec<i32> {
        // A model without an unknown token fails on text it cannot spell; such a text has no ids.
        let encoding = self.inner.encode_fast(text, false);
        encoding.map(|encoding| encoding.get_ids().iter().map(|&id| id as i32).collect()).unwrap_or_default()
    }
}

/// What the post-processor puts around a text, seen at one.
fn around(inner: &tokenizers::Tokenizer) -> [Vec<i32>; 2] {
    const TEXT: &str = "a";
    let ids = |special: bool| -> Vec<i32> {
        let encoding = inner.encode_fast(TEXT, special);
        encoding.map(|encoding| encoding.get_ids().iter().map(|&id| id as i32).collect()).unwrap_or_default()
    };
    let (plain, whole) = (ids(false), ids(true));
    let at = whole.windows(plain.len().max(1)).position(|window| window == plain);
    match at.filter(|_| !plain.is_empty()) {
        Some(at) => [whole[..at].to_vec(), whole[at + plain.len()..].to_vec()],
        None => Default::default(),
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> SpecError {
    SpecError {
        code: "tokenizer-unreadable",
        message: format!("cannot read {}: {error}", path.display()),
        hint: Some("give the folder of a model, or the path of its tokenizer.json or tekken.json".to_owned()),
    }
}

fn invalid(path: &Path, error: &dyn std::fmt::Display) -> SpecError {
    SpecError {
        code: "tokenizer-invalid",
        message: format!("{} is no tokenizer: {error}", path.display()),
        hint: Some("expected the tokenizer.json of the tokenizers library, or Mistral's tekken.json".to_owned()),
    }
}
