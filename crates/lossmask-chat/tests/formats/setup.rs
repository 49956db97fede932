//! The recorded rows, and the encoders their configs mean.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use flate2::read::GzDecoder;
use lossmask_chat::{Encoder, EncoderSpec, SpecError, TokenSpec, Tokenizer, TokenizerSpec};
use serde_json::{Value, json};

use crate::common::{cache, present};

/// One recorded row.
pub struct Case {
    pub id: String,
    pub source: String,
    pub kind: Value,
    pub options: Value,
    pub tokenizer: String,
    pub row: Value,
    /// The whole record.
    pub record: Value,
}

pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/formats.jsonl.gz");
        let mut text = String::new();
        GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        text.lines().map(|line| Case::new(serde_json::from_str(line).unwrap())).collect()
    });
    &CASES
}

impl Case {
    fn new(record: Value) -> Self {
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        Case {
            id: text("id"),
            source: text("source"),
            kind: record["type"].clone(),
            options: record["options"].clone(),
            tokenizer: text("tokenizer"),
            row: record["row"].clone(),
            record,
        }
    }

    pub fn is_sft(&self) -> bool {
        self.source == "axolotl" && self.options["rl"].is_null()
    }

    /// The format that a row of TRL's SFT trainer has here, where no template is needed.
    pub fn trl_type(&self) -> Option<&'static str> {
        let sft = self.source == "trl" && self.kind == "sft" && self.options["chat_template"].is_null();
        let plain = |key: &str| self.row.get(key).is_none_or(|value| !value.is_array());
        let text = ["text", "body"].iter().any(|key| self.row.get(key).is_some());
        match () {
            () if !sft || self.has_ready_tokens() || !plain("prompt") || !plain("completion") => None,
            () if text => Some("text"),
            () if self.row.get("prompt").is_some() => Some("prompt_completion"),
            () => None,
        }
    }

    /// The type that a config of lossmask has for the row.
    fn own_type(&self) -> Value {
        match self.trl_type() {
            Some(name) => json!(name),
            None if self.has_ready_tokens() => json!("tokens"),
            None => self.kind.clone(),
        }
    }

    /// The keys of the dataset that a format may read.
    fn dataset_options(&self) -> Value {
        match &self.options["dataset_text_field"] {
            Value::String(field) => json!({"field": field}),
            _ => json!(self.dataset().as_object().cloned().unwrap_or_default()),
        }
    }

    fn trains_on_inputs(&self) -> bool {
        self.options["train_on_inputs"] == true || self.options["completion_only_loss"] == false
    }

    /// A key in the mapping of `type` that axolotl drops in silence.
    pub fn has_unknown_setting(&self) -> bool {
        self.kind.get("bogus_key").is_some()
    }

    pub fn has_ready_tokens(&self) -> bool {
        self.row["input_ids"].is_array()
    }

    pub fn dataset(&self) -> &Value {
        &self.options["datasets"][0]
    }

    pub fn sequence_len(&self) -> usize {
        self.options["sequence_len"].as_u64().unwrap_or(512) as usize
    }

    /// The encoder that the config means, or why there is none. `None` where the vocabulary is absent.
    pub fn encoder(&self) -> Option<Result<Encoder, SpecError>> {
        let vocabulary = vocabulary(self)?;
        Some(Encoder::new(self.spec(&vocabulary), vocabulary.tokenizer))
    }

    fn spec(&self, vocabulary: &Vocabulary) -> EncoderSpec {
        let spec = json!({
            "rowType": "format",
            "masker": {"trainOnInputs": self.trains_on_inputs()},
            "eosTokenId": vocabulary.eos,
            "format": {
                "type": self.own_type(),
                "options": self.dataset_options(),
                "bosTokenId": vocabulary.bos,
                "eosTokenId": vocabulary.eos,
                "sequenceLen": self.sequence_len(),
            },
        });
        serde_json::from_value(spec).unwrap()
    }
}

#[derive(Clone)]
struct Vocabulary {
    tokenizer: Arc<Tokenizer>,
    bos: Option<i32>,
    eos: Option<i32>,
}

/// A model's own BOS and EOS tokens.
const TOKENS: [(&str, Option<&str>, &str); 6] = [
    ("qwen2_5", None, "<|im_end|>"),
    ("llama3_1", Some("<|begin_of_text|>"), "<|eot_id|>"),
    ("llama2", Some("<s>"), "</s>"),
    ("gemma3", Some("<bos>"), "<end_of_turn>"),
    ("mistral_nemo", Some("<s>"), "</s>"),
    ("gpt4o", Some("<|endoftext|>"), "<|endoftext|>"),
];

fn vocabulary(case: &Case) -> Option<Vocabulary> {
    static LOADED: LazyLock<Mutex<HashMap<String, Option<Vocabulary>>>> = LazyLock::new(Mutex::default);
    let key = format!("{} {} {}", case.tokenizer, case.options["special_tokens"], case.options["tokens"])
        + &case.options["eos_token"].to_string();
    let mut loaded = LOADED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    loaded.entry(key).or_insert_with(|| load(case)).clone()
}

fn load(case: &Case) -> Option<Vocabulary> {
    let name = case.tokenizer.trim_end_matches("_rightpad");
    let path = present(cache().join("models").join(name).join("tokenizer.json"))?;
    let special = &case.options["special_tokens"];
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let named = special.as_object().into_iter().flatten().filter_map(|(_, text)| text.as_str());
    let mut added: Vec<TokenSpec> = named.map(TokenSpec::special).collect();
    let plain = |text: &String| TokenSpec { special: false, normalized: Some(false), ..TokenSpec::special(text) };
    added.extend(texts(&case.options["tokens"]).iter().map(plain));
    let more = texts(&special["additional_special_tokens"]);
    added.extend(more.iter().map(|text| TokenSpec { normalized: Some(true), ..TokenSpec::special(text) }));
    let tokenizer = Arc::new(Tokenizer::load(&TokenizerSpec { path, added_tokens: added }).unwrap());
    let (_, bos, eos) = TOKENS.iter().find(|(model, ..)| *model == name)?;
    let id = |name: &str, own: Option<&str>| tokenizer.token_to_id(special[name].as_str().or(own)?);
    let special_eos = case.options["eos_token"].as_str().or(Some(eos));
    let (bos, eos) = (id("bos_token", *bos), id("eos_token", special_eos));
    Some(Vocabulary { tokenizer, bos, eos })
}
