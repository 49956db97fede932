//! One tokenizer for everybody in the process who asks for the same file.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use super::Tokenizer;
use crate::row::SpecError;
use crate::spec::{TokenSpec, TokenizerSpec};

/// What makes two tokenizers the same: a file that was written anew is another one.
#[derive(PartialEq)]
struct Key {
    path: PathBuf,
    added_tokens: Vec<TokenSpec>,
    written: Option<(SystemTime, u64)>,
}

/// Those that somebody holds. Nothing is kept alive here.
static HELD: Mutex<Vec<(Key, Weak<Tokenizer>)>> = Mutex::new(Vec::new());

impl Tokenizer {
    /// [`Tokenizer::load`], unless somebody in this process holds the same tokenizer already: a large vocabulary takes a
    /// second to load.
    ///
    /// # Errors
    /// As [`Tokenizer::load`].
    pub fn shared(spec: &TokenizerSpec) -> Result<Arc<Self>, SpecError> {
        let written = std::fs::metadata(&spec.path).and_then(|file| Ok((file.modified()?, file.len()))).ok();
        let key = Key { path: spec.path.clone(), added_tokens: spec.added_tokens.clone(), written };
        // Held while loading, so that two who ask at once do not load twice.
        let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(_, tokenizer)| tokenizer.strong_count() > 0);
        if let Some(tokenizer) = held.iter().find(|(other, _)| *other == key).and_then(|(_, held)| held.upgrade()) {
            return Ok(tokenizer);
        }
        let tokenizer = Arc::new(Self::load(spec)?);
        held.push((key, Arc::downgrade(&tokenizer)));
        Ok(tokenizer)
    }
}
