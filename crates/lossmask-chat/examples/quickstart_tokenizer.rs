//! Trains the tokenizer of `examples/quickstart` on the text that lies there, and writes `model/tokenizer.json`:
//!
//! ```text
//! cargo run --release -p lossmask-chat --example quickstart_tokenizer
//! ```
//!
//! A byte-level BPE as today's models use: ChatML markers and media placeholders as special tokens, and a split that keeps
//! runs of line breaks together, so that an answer that begins with a line break fuses with its header, as it does there.

use std::error::Error;
use std::path::Path;

use serde_json::Value;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, SplitDelimiterBehavior, Tokenizer};

const SPECIAL_TOKENS: [&str; 8] = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|pad|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
];

/// Words with the blank before them, single digits, punctuation, line breaks with the white space before them.
const SPLIT: &str = r"\s*[\r\n]+| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

const VOCABULARY_SIZE: usize = 1600;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart");
    let mut texts = vec![std::fs::read_to_string(folder.join("corpus.txt"))?, "\n\n".repeat(8)];
    texts.extend(ROLES.iter().map(|role| format!("{role}\n")));
    for line in std::fs::read_to_string(folder.join("conversations.jsonl"))?.lines() {
        collect_texts(&serde_json::from_str(line)?, &mut texts);
    }

    let mut tokenizer = Tokenizer::new(BPE::default());
    let split = Split::new(SplitPattern::Regex(SPLIT.to_owned()), SplitDelimiterBehavior::Isolated, false)?;
    let bytes = ByteLevel::new(false, false, false);
    tokenizer.with_pre_tokenizer(Some(Sequence::new(vec![split.into(), bytes.into()])));
    tokenizer.with_decoder(Some(bytes));

    let mut trainer: TrainerWrapper = BpeTrainerBuilder::new()
        .vocab_size(VOCABULARY_SIZE)
        .min_frequency(2)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(SPECIAL_TOKENS.map(|token| AddedToken::from(token, true)).to_vec())
        .build()
        .into();
    tokenizer.train(&mut trainer, texts.into_iter())?;
    tokenizer.save(folder.join("model/tokenizer.json"), true)?;
    println!("{} tokens", tokenizer.get_vocab_size(true));
    Ok(())
}

/// Each role's name is to be one token, as it stands in a header.
const ROLES: [&str; 8] = ["system", "user", "assistant", "tool", "system", "user", "assistant", "tool"];

/// Every text of a conversation, keys of objects left aside.
fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| collect_texts(field, texts)),
        _ => {}
    }
}
