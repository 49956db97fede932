//! `tokenizers` 1.0: the same ids as 0.23 some thirty times as fast, from a model that is read once and never written.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokenizers1::pipeline::{
    Model as _, PipelineModelScratch, PipelineToken, PipelineTokenizer, PreTokenizer as _, PreTokenizerScratch, Span,
};

use super::classes;
use super::engine::Engine;
use super::normalizer::{BLANK, Normalizer, write_blanks};
use super::pieces::Joints;
use super::vocabulary;

/// A tokenizer's pre-tokenizer and model as the successor has them.
///
/// Every thread at work borrows a cache of words: 65,536 slots of 33 bytes, and at most 4 MB of ids for words of more than three.
pub(super) struct Successor {
    inner: PipelineTokenizer,
    words: Words,
    idle: Mutex<Vec<Scratch>>,
}

/// How a stretch is cut into what the cache remembers.
enum Words {
    /// The file's own pre-tokenizer.
    Split,
    /// Where no merge reaches over, as there is no pre-tokenizer that cuts.
    Joints { joints: Box<Joints>, metaspace: Option<Metaspace> },
}

/// The pre-tokenizer that writes U+2581 for blanks.
#[derive(Clone, Copy)]
struct Metaspace {
    prefix: Prefix,
    split: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Prefix {
    Always,
    First,
    Never,
}

struct Scratch {
    model: PipelineModelScratch,
    splitter: PreTokenizerScratch,
    spans: Vec<Span>,
    tokens: Vec<PipelineToken>,
    text: String,
}

impl Successor {
    pub(super) const NAME: &str = "tokenizers 1.0.0-rc.3";

    /// `None` for a tokenizer whose ids could differ, or that the library refuses.
    pub(super) fn new(mut file: Value, normalizer: Normalizer) -> Option<Self> {
        let words = Words::of(&file, normalizer)?;
        for key in ["normalizer", "truncation", "padding", "post_processor"] {
            file[key] = Value::Null;
        }
        file["added_tokens"] = Value::Array(Vec::new());
        if matches!(words, Words::Joints { .. }) {
            file["pre_tokenizer"] = Value::Null;
        }
        vocabulary::adapt(&mut file["model"], matches!(words, Words::Split))?;
        tokenizers1::canonicalize_value(&mut file).ok()?;
        let inner = tokenizers1::from_json(&file.to_string()).ok()?;
        Some(Successor { inner, words, idle: Mutex::new(Vec::new()) })
    }

    fn borrow(&self) -> Scratch {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Scratch {
            model: self.inner.get_model().init_scratch(),
            splitter: PreTokenizerScratch::default(),
            spans: Vec::new(),
            tokens: Vec::new(),
            text: String::new(),
        })
    }

    fn encode_with(&self, scratch: &mut Scratch, stretch: &str, at_start: bool, ids: &mut Vec<i32>) -> Option<()> {
        let Scratch { model, splitter, spans, tokens, text } = scratch;
        spans.clear();
        tokens.clear();
        let stretch = match &self.words {
            Words::Split if classes::holds_newer(stretch) => return None,
            Words::Split => {
                u32::try_from(stretch.len()).ok()?;
                self.inner.get_pre_tokenizer().pre_tokenize(stretch, splitter, spans).ok()?;
                stretch
            }
            Words::Joints { joints, metaspace } => {
                let stretch = match metaspace {
                    Some(metaspace) => metaspace.write(stretch, at_start, text),
                    None => stretch,
                };
                u32::try_from(stretch.len()).ok()?;
                let mut start = 0;
                joints.cut(stretch, metaspace.is_some_and(|metaspace| metaspace.split), |end| {
                    spans.push(Span { start, end: end as u32 });
                    start = end as u32;
                });
                stretch
            }
        };
        self.inner.get_model().tokenize_spans(stretch, spans, model, tokens).ok()?;
        ids.extend(tokens.iter().map(|token| token.id() as i32));
        Some(())
    }
}

impl Engine for Successor {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn encode(&self, stretch: &str, at_start: bool, ids: &mut Vec<i32>) -> Option<()> {
        let mut scratch = self.borrow();
        let done = self.encode_with(&mut scratch, stretch, at_start, ids);
        // What a very long stretch has left is not worth keeping.
        scratch.text.shrink_to(1 << 20);
        scratch.spans.shrink_to(1 << 18);
        scratch.tokens.shrink_to(1 << 18);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
        done
    }
}

impl Words {
    fn of(file: &Value, normalizer: Normalizer) -> Option<Self> {
        let model = &file["model"];
        let is_plain = model["type"] == "BPE" && model["dropout"].is_null();
        let pre_tokenizer = &file["pre_tokenizer"];
        if !is_plain || has_prefix_space(pre_tokenizer) {
            return None;
        }
        if is_byte_level(pre_tokenizer) {
            return Some(Words::Split);
        }
        // Without single bytes there are unknown characters, which may be fused over a border.
        let is_cuttable = model["byte_fallback"] == true && model["ignore_merges"] != true;
        let metaspace = Metaspace::of(pre_tokenizer);
        let blanks_are_written = matches!(normalizer, Normalizer::Blanks { .. });
        let is_idle = pre_tokenizer.is_null() || (blanks_are_written && splits_at_blanks(pre_tokenizer));
        match (metaspace, is_idle && is_cuttable) {
            (Some(_), _) if !is_cuttable => None,
            (None, false) => None,
            _ => Some(Words::Joints { joints: Box::new(Joints::of(model)?), metaspace }),
        }
    }
}

impl Metaspace {
    fn of(pre_tokenizer: &Value) -> Option<Self> {
        if pre_tokenizer["type"] != "Metaspace" || pre_tokenizer["replacement"] != BLANK {
            return None;
        }
        let prefix = match pre_tokenizer["prepend_scheme"].as_str()? {
            "always" => Prefix::Always,
            "first" => Prefix::First,
            "never" => Prefix::Never,
            _ => return None,
        };
        Some(Metaspace { prefix, split: pre_tokenizer["split"].as_bool().unwrap_or(true) })
    }

    fn write<'a>(self, stretch: &str, at_start: bool, out: &'a mut String) -> &'a str {
        out.clear();
        let is_wanted = self.prefix == Prefix::Always || (self.prefix == Prefix::First && at_start);
        if is_wanted && !stretch.starts_with([' ', '\u{2581}']) {
            out.push_str(BLANK);
        }
        write_blanks(stretch, out);
        out
    }
}

/// Any part that puts a blank in front of a stretch at byte level.
fn has_prefix_space(pre_tokenizer: &Value) -> bool {
    parts(pre_tokenizer).iter().any(|part| part["type"] == "ByteLevel" && part["add_prefix_space"] != false)
}

fn is_byte_level(pre_tokenizer: &Value) -> bool {
    parts(pre_tokenizer).iter().any(|part| part["type"] == "ByteLevel")
}

/// A splitter at blanks finds none where the normalizer has written them all as U+2581.
fn splits_at_blanks(pre_tokenizer: &Value) -> bool {
    pre_tokenizer["type"] == "Split" && pre_tokenizer["pattern"]["String"] == " " && pre_tokenizer["invert"] != true
}

fn parts(pre_tokenizer: &Value) -> Vec<&Value> {
    let mut parts = Vec::new();
    super::bytes::flatten(pre_tokenizer, "pretokenizers", &mut parts);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_could_give_other_ids_is_left_to_the_reference() {
        let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true});
        let bpe = |fields: Value| {
            let mut model = json!({"type": "BPE", "dropout": null, "merges": [], "vocab": {}});
            model.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            model
        };
        let fallback = bpe(json!({"byte_fallback": true}));
        let metaspace =
            |scheme: &str| json!({"type": "Metaspace", "replacement": BLANK, "prepend_scheme": scheme, "split": false});
        let blanks = Normalizer::Blanks { prepend: true };
        let cases = [
            (bpe(json!({})), byte_level.clone(), Normalizer::Nfc, true),
            (bpe(json!({"dropout": 0.1})), byte_level.clone(), Normalizer::Nfc, false),
            (json!({"type": "Unigram"}), Value::Null, Normalizer::Keep, false),
            (bpe(json!({})), json!({"type": "ByteLevel", "add_prefix_space": true}), Normalizer::Keep, false),
            (fallback.clone(), Value::Null, blanks, true),
            (bpe(json!({"unk_token": "<unk>"})), Value::Null, blanks, false),
            (bpe(json!({"byte_fallback": true, "ignore_merges": true})), Value::Null, blanks, false),
            (fallback.clone(), metaspace("first"), Normalizer::Keep, true),
            (fallback.clone(), metaspace("sometimes"), Normalizer::Keep, false),
            (fallback, json!({"type": "Whitespace"}), Normalizer::Keep, false),
        ];
        for (model, pre_tokenizer, normalizer, is_known) in cases {
            let file = json!({"model": model, "pre_tokenizer": pre_tokenizer});
            assert_eq!(Words::of(&file, normalizer).is_some(), is_known, "{file}");
        }
    }
}
