//! A tokenizer file behind `src/tokenizer`: loaded once in Rust, asked from JavaScript.

use lossmask_chat::{SpecError, Tokenizer, TokenizerSpec, utf16_spans};
use napi::bindgen_prelude::{Int32Array, Uint32Array};
use napi_derive::napi;

use crate::error::Issue;

/// A loaded `tokenizer.json` or `tekken.json`.
#[napi]
pub struct NativeTokenizer {
    inner: Tokenizer,
}

/// A text's tokens.
#[napi(object)]
pub struct NativeEncoding {
    /// The token ids.
    pub ids: Int32Array,
    /// Start and end of each token in UTF-16 units, as JavaScript counts: `[start0, end0, start1, end1, ...]`. Absent when
    /// the tokens cannot be proven to spell the text.
    pub spans: Option<Uint32Array>,
}

/// One added token.
#[napi(object)]
pub struct NativeAddedToken {
    /// Its id.
    pub id: i32,
    /// Its text.
    pub content: String,
    /// Whether it is special.
    pub special: bool,
}

#[napi]
impl NativeTokenizer {
    /// Loads the tokenizer that `spec` (JSON of a `TokenizerSpec`) names.
    #[napi(constructor, catch_unwind)]
    pub fn new(spec: String) -> napi::Result<Self> {
        let spec: TokenizerSpec =
            serde_json::from_str(&spec).map_err(|error| Issue::new("invalid-tokenizer-spec", error.to_string()))?;
        Ok(NativeTokenizer { inner: Tokenizer::load(&spec).map_err(|error| issue(error, &spec))? })
    }

    /// The text's token ids; nothing is added around them.
    #[napi(catch_unwind)]
    pub fn encode(&self, text: String) -> Int32Array {
        Int32Array::new(self.inner.encode_ids(&text))
    }

    /// The text's token ids, and where each stands in the text.
    #[napi(catch_unwind)]
    pub fn encode_with_spans(&self, text: String) -> NativeEncoding {
        let encoded = self.inner.encode(&text);
        let spans = encoded.spans.map(|spans| Uint32Array::new(utf16_spans(&text, &spans)));
        NativeEncoding { ids: Int32Array::new(encoded.ids), spans }
    }

    /// The text that the ids spell, special tokens included.
    #[napi(catch_unwind)]
    pub fn decode(&self, ids: Int32Array) -> String {
        self.inner.decode(&ids)
    }

    /// The id of a token by its name in the vocabulary.
    #[napi(catch_unwind)]
    pub fn token_to_id(&self, token: String) -> Option<i32> {
        self.inner.token_to_id(&token)
    }

    /// One more than the largest id.
    #[napi(getter, catch_unwind)]
    pub fn vocabulary_size(&self) -> u32 {
        self.inner.vocabulary_size() as u32
    }

    /// The text of every token, by id. Bytes that are no UTF-8 become U+FFFD.
    #[napi(catch_unwind)]
    pub fn vocabulary(&self) -> Vec<String> {
        (0..self.inner.vocabulary_size() as i32).map(|id| self.inner.decode(&[id])).collect()
    }

    /// The ids of all tokens whose text begins with `prefix`, in ascending order.
    #[napi(catch_unwind)]
    pub fn ids_with_prefix(&self, prefix: String) -> Int32Array {
        Int32Array::new(self.inner.ids_with_prefix(prefix.as_bytes()))
    }

    /// The added tokens, in ascending order of their ids.
    #[napi(catch_unwind)]
    pub fn added_tokens(&self) -> Vec<NativeAddedToken> {
        let ids = self.inner.added_ids().into_iter();
        ids.map(|id| NativeAddedToken { id, content: self.inner.decode(&[id]), special: self.inner.is_special(id) })
            .collect()
    }
}

fn issue(error: SpecError, spec: &TokenizerSpec) -> Issue {
    let file = Some(spec.path.display().to_string());
    Issue { code: error.code, message: error.message, hint: error.hint, file, ..Issue::default() }
}
