//! What a conversation of 40 turns costs beside its tokenization alone.
//!
//! ```sh
//! cargo run --release -p lossmask-chat --example cost
//! ```

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/golden/ranked.rs"]
mod ranked;
#[path = "../tests/golden/vocabularies.rs"]
mod vocabularies;

use std::time::{Duration, Instant};

use lossmask_chat::{Encoder, EncoderSpec};
use serde_json::json;

fn best(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..40 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
    }
    best
}

fn main() {
    for (model, template) in [
        ("qwen3", "trl/qwen3_training.jinja"),
        ("llama3_2", "trl/llama3_training.jinja"),
        ("gemma3", "axolotl/gemma3.jinja"),
    ] {
        let (Some(tokenizer), Some(source)) = (vocabularies::tokenizer(model), vocabularies::template(template)) else {
            continue;
        };
        let spec: EncoderSpec = serde_json::from_value(json!({
            "template": {"name": template, "source": source, "variables": {"bos_token": "<s>", "eos_token": "</s>"}},
            "masker": {},
        }))
        .unwrap();
        let encoder = Encoder::new(spec, tokenizer.clone()).unwrap();
        let messages: Vec<_> = (0..40)
            .flat_map(|turn| {
                let question = format!("Question {turn}: how would you explain the difference between a list and a tuple to a friend?");
                let answer = format!("Answer {turn}. A list can change after it was made; a tuple cannot. Use the first for what grows, the second for what belongs together, and tell your friend to try both.");
                [json!({"role": "user", "content": question}), json!({"role": "assistant", "content": answer})]
            })
            .collect();
        let row = json!({"messages": messages});
        let encoded = encoder.encode(&row).unwrap();
        let text = tokenizer.decode(&encoded.ids);
        assert_eq!(tokenizer.encode_ids(&text), encoded.ids, "both do the same work");
        let tokenization = best(|| drop(tokenizer.encode_ids(&text)));
        let whole = best(|| drop(encoder.encode(&row)));
        let ratio = whole.as_secs_f64() / tokenization.as_secs_f64();
        println!(
            "{model}: {} tokens, tokenization {tokenization:?}, labels and all {whole:?}, ratio {ratio:.2}",
            encoded.ids.len()
        );
    }
}
