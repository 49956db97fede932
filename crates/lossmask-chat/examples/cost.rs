//! What a conversation of 40 turns costs beside its tokenization alone. `npm run bench -- --turns` sets the peers beside it.
//!
//! ```sh
//! cargo run --release -p lossmask-chat --example cost [-- --json]
//! ```

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/golden/ranked.rs"]
mod ranked;
#[path = "../tests/golden/vocabularies.rs"]
mod vocabularies;

use std::time::{Duration, Instant};

use lossmask_chat::{Encoder, EncoderSpec};
use serde_json::{Value, json};

/// The cached vocabularies and templates; a peer's mask needs `{% generation %}`.
const CASES: [(&str, &str); 3] = [
    ("qwen3", "trl/qwen3_training.jinja"),
    ("llama3_2", "trl/llama3_training.jinja"),
    ("gemma3", "trl/gemma3_training.jinja"),
];

fn best(mut work: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..40 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed());
    }
    best
}

fn messages() -> Vec<Value> {
    (0..40)
        .flat_map(|turn| {
            let question = format!(
                "Question {turn}: how would you explain the difference between a list and a tuple to a friend?"
            );
            let answer = format!(
                "Answer {turn}. A list can change after it was made; a tuple cannot. Use the first for what grows, \
                the second for what belongs together, and tell your friend to try both."
            );
            [json!({"role": "user", "content": question}), json!({"role": "assistant", "content": answer})]
        })
        .collect()
}

/// One case, timed, with what a peer needs to do the same; `None` where the vocabulary or the template is absent.
fn measure(model: &str, template: &str) -> Option<Value> {
    let (tokenizer, source) = (vocabularies::tokenizer(model)?, vocabularies::template(template)?);
    let variables = json!({"bos_token": "", "eos_token": "</s>"});
    let spec: EncoderSpec = serde_json::from_value(json!({
        "template": {"name": template, "source": source, "variables": variables}, "masker": {},
    }))
    .unwrap();
    let encoder = Encoder::new(spec, tokenizer.clone()).unwrap();
    let messages = messages();
    let row = json!({"messages": messages});
    let encoded = encoder.encode(&row).unwrap();
    let text = tokenizer.decode(&encoded.ids);
    assert_eq!(tokenizer.encode_ids(&text), encoded.ids, "both do the same work");
    let tokenization = best(|| drop(tokenizer.encode_ids(&text))).as_secs_f64();
    let whole = best(|| drop(encoder.encode(&row))).as_secs_f64();
    Some(json!({
        "model": model, "template": template, "tokens": encoded.ids.len(), "tokenizationSeconds": tokenization,
        "seconds": whole, "ratio": whole / tokenization,
        "job": {"folder": common::cache().join("models").join(model), "source": source, "variables": variables,
            "messages": messages, "text": text, "ids": encoded.ids, "labels": common::labels(&encoded)},
    }))
}

fn main() {
    let cases: Vec<Value> = CASES.iter().filter_map(|(model, template)| measure(model, template)).collect();
    if std::env::args().any(|argument| argument == "--json") {
        println!("{}", Value::Array(cases));
        return;
    }
    for case in cases {
        let micros = |key: &str| (case[key].as_f64().unwrap() * 1e6).round();
        println!(
            "{}: {} tokens, tokenization {} us, labels and all {} us, ratio {:.2}",
            case["model"].as_str().unwrap(),
            case["tokens"],
            micros("tokenizationSeconds"),
            micros("seconds"),
            case["ratio"].as_f64().unwrap()
        );
    }
}
