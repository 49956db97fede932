//! Rows of messages on the small tokenizer of the quick start: what is trained of them, and what is wrong with bad ones.

mod common;

use std::path::Path;
use std::sync::Arc;

use lossmask::{Reason, TokenKind};
use lossmask_chat::{EncodedRow, Encoder, EncoderSpec, RowError, Tokenizer, TokenizerSpec};
use serde_json::{Value, json};

const CHATML: &str = "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' }}\
    {% if m.reasoning_content %}{{ '<think>' ~ m.reasoning_content ~ '</think>' }}{% endif %}\
    {{ m.content ~ '<|im_end|>\n' }}{% endfor %}";

fn tokenizer() -> Arc<Tokenizer> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/model/tokenizer.json");
    Arc::new(Tokenizer::load(&TokenizerSpec { path, added_tokens: Vec::new() }).unwrap())
}

/// An encoder of ChatML. `more` is laid over the spec, `masker` over its masker.
fn encoder(more: Value, masker: Value) -> (Encoder, Arc<Tokenizer>) {
    let tokenizer = tokenizer();
    let ids = |text: &str| tokenizer.encode_ids(text);
    let boundary = |role: &str| {
        json!({"role": role, "starts": [ids(&format!("<|im_start|>{role}"))], "tails": [ids("\n")],
            "ends": [{"ids": ids("<|im_end|>"), "kind": "consumed"}]})
    };
    let mut spec = json!({
        "template": {"name": "chatml", "source": CHATML}, "scannable": true,
        "masker": {"boundaries": (["system", "user", "assistant"].map(boundary))},
    });
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    for (key, value) in masker.as_object().unwrap() {
        spec["masker"][key] = value.clone();
    }
    let spec: EncoderSpec = serde_json::from_value(spec).unwrap();
    (Encoder::new(spec, tokenizer.clone()).unwrap(), tokenizer)
}

fn user(content: &str) -> Value {
    json!({"role": "user", "content": content})
}

fn assistant(content: &str) -> Value {
    json!({"role": "assistant", "content": content})
}

/// The trained stretches as text, each with the weight of its first token.
fn trained(tokenizer: &Tokenizer, row: &EncodedRow) -> Vec<(String, f32)> {
    let mut stretches: Vec<(Vec<i32>, f32)> = Vec::new();
    let mut end = usize::MAX;
    for span in row.record.spans.iter().filter(|span| span.trained) {
        if span.tokens.start != end {
            stretches.push((Vec::new(), span.weight));
        }
        stretches.last_mut().unwrap().0.extend(&row.ids[span.tokens.clone()]);
        end = span.tokens.end;
    }
    stretches.into_iter().map(|(ids, weight)| (tokenizer.decode(&ids), weight)).collect()
}

#[test]
fn what_the_config_and_the_data_ask_for_is_trained() {
    let two = || vec![user("One?"), assistant("First."), user("Two?"), assistant("Second.")];
    let with = |index: usize, key: &str, value: Value| {
        let mut messages = two();
        messages[index][key] = value;
        messages
    };
    let both = [("First.<|im_end|>", 1.0), ("Second.<|im_end|>", 1.0)];
    let none = json!({});
    type Case<'a> = (&'a str, Value, Value, Vec<Value>, &'a [(&'a str, f32)]);
    let table: [Case<'_>; 12] = [
        ("every answer", none.clone(), none.clone(), two(), &both),
        ("the last turn", none.clone(), json!({"turns": "last"}), two(), &both[1..]),
        (
            "the last that the data trains",
            none.clone(),
            json!({"turns": "last"}),
            with(3, "train", json!(false)),
            &both[..1],
        ),
        ("an answer flagged off", none.clone(), none.clone(), with(1, "train", json!(false)), &both[1..]),
        ("loss_mask, as a number", none.clone(), none.clone(), with(1, "loss_mask", json!(0)), &both[1..]),
        (
            "a question flagged on",
            none.clone(),
            none.clone(),
            with(0, "training", json!(true)),
            &[("One?<|im_end|>", 1.0), both[0], both[1]],
        ),
        ("weight 0", none.clone(), none.clone(), with(1, "weight", json!(0)), &both[1..]),
        (
            "a message's weight",
            none.clone(),
            none.clone(),
            with(1, "weight", json!(0.25)),
            &[("First.<|im_end|>", 0.25), both[1]],
        ),
        (
            "a role's weight and a message's",
            json!({"weights": {"assistant": 0.5}}),
            none.clone(),
            with(1, "weight", json!(0.5)),
            &[("First.<|im_end|>", 0.25), ("Second.<|im_end|>", 0.5)],
        ),
        ("a role that weighs nothing", json!({"weights": {"assistant": 0.0}}), none.clone(), two(), &[]),
        ("no end marker", none.clone(), json!({"trainOnEos": "none"}), two(), &[("First.", 1.0), ("Second.", 1.0)]),
        (
            "the last end marker",
            none.clone(),
            json!({"trainOnEos": "last"}),
            two(),
            &[("First.", 1.0), ("Second.<|im_end|>", 1.0)],
        ),
    ];
    for (name, more, masker, messages, expected) in table {
        let (encoder, tokenizer) = encoder(more, masker);
        let row = encoder.encode(&json!({"messages": messages})).unwrap();
        let expected: Vec<(String, f32)> =
            expected.iter().map(|(text, weight)| ((*text).to_owned(), *weight)).collect();
        assert_eq!(trained(&tokenizer, &row), expected, "{name}");
    }
}

#[test]
fn reasoning_is_trained_or_masked_with_its_tags() {
    let messages = json!([user("Why?"), {"role": "assistant", "reasoning_content": "because", "content": "So."}]);
    for (setting, expected) in [("train", "<think>because</think>So.<|im_end|>"), ("mask", "So.<|im_end|>")] {
        let (encoder, tokenizer) = encoder(json!({"reasoning": setting}), json!({}));
        let row = encoder.encode(&json!({"messages": messages})).unwrap();
        assert_eq!(trained(&tokenizer, &row), [(expected.to_owned(), 1.0)], "{setting}");
        let mut reasoning = row.record.spans.iter().filter(|span| span.kind == TokenKind::Reasoning);
        assert!(reasoning.all(|span| span.trained || span.reason == Reason::ReasoningMasked));
    }
}

#[test]
fn a_turn_that_the_template_made_is_not_trained_with_the_message_it_was_made_for() {
    let source = "{% for m in messages %}{% if loop.first and m.role != 'system' %}\
        {{ '<|im_start|>system\nBe kind.<|im_end|>\n' }}{% endif %}\
        {{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}{% endfor %}";
    for (roles, expected) in [
        (json!(["user"]), vec!["One?<|im_end|>"]),
        (json!(["system", "assistant"]), vec!["First.<|im_end|>"]),
        (json!(["system"]), vec![]),
    ] {
        let more = json!({"template": {"name": "kind", "source": source}, "route": "content"});
        let (encoder, tokenizer) = encoder(more, json!({"rolesToTrain": roles}));
        let row = encoder.encode(&json!({"messages": [user("One?"), assistant("First.")]})).unwrap();
        let texts: Vec<String> = trained(&tokenizer, &row).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, expected, "{roles}");
    }
}

#[test]
fn a_bad_row_says_what_and_where() {
    let messages = |list: Value| json!({"messages": list});
    let one = |key: &str, value: Value| {
        let mut message = assistant("Hi");
        message[key] = value;
        json!({"messages": [user("a"), message]})
    };
    let table = [
        (json!("text"), "row-not-an-object", None),
        (json!({"text": "a"}), "missing-field", Some("messages")),
        (messages(json!(7)), "wrong-type", Some("messages")),
        (messages(json!("[{")), "invalid-json", Some("messages")),
        (messages(json!([])), "no-messages", Some("messages")),
        (messages(json!(["a"])), "wrong-type", Some("messages[0]")),
        (messages(json!([{"content": "a"}])), "missing-field", Some("messages[0].role")),
        (messages(json!([{"role": 1, "content": "a"}])), "wrong-type", Some("messages[0].role")),
        (messages(json!([{"role": "narrator", "content": "a"}])), "unknown-role", Some("messages[0].role")),
        (messages(json!([{"role": "user"}])), "missing-field", Some("messages[0].content")),
        (messages(json!([{"role": "user", "content": 1}])), "wrong-type", Some("messages[0].content")),
        (one("train", json!("yes")), "wrong-type", Some("messages[1].train")),
        (one("train", json!(2)), "wrong-type", Some("messages[1].train")),
        (one("weight", json!(-1)), "invalid-weight", Some("messages[1].weight")),
        (one("weight", json!("1")), "wrong-type", Some("messages[1].weight")),
        (one("training_detail", json!({})), "wrong-type", Some("messages[1].training_detail")),
        (
            one("training_detail", json!([{"begin_offset": 0}])),
            "missing-field",
            Some("messages[1].training_detail[0].end_offset"),
        ),
        (
            one("training_detail", json!([{"begin_offset": 1, "end_offset": 2}])),
            "detail-out-of-range",
            Some("messages[1].training_detail[0]"),
        ),
        (
            one("training_detail", json!([{"begin_offset": 1, "end_offset": 0}])),
            "detail-out-of-range",
            Some("messages[1].training_detail[0]"),
        ),
        (
            one("tool_calls", json!([{"function": {"name": "f", "arguments": "{"}}])),
            "invalid-json",
            Some("messages[1].tool_calls[0].function.arguments"),
        ),
        (json!({"messages": [user("a")], "tools": "x"}), "invalid-json", Some("tools")),
        (json!({"messages": [user("a")], "tools": {}}), "wrong-type", Some("tools")),
    ];
    let (encoder, _) = encoder(json!({}), json!({}));
    for (row, code, path) in table {
        let error: RowError = encoder.encode(&row).expect_err(&row.to_string());
        assert_eq!((error.code, error.path.as_deref()), (code, path), "{row}: {error}");
        assert!(!error.message.is_empty());
    }
    assert!(encoder.encode(&messages(json!([user("a"), assistant("b")]))).is_ok(), "and the next row is fine");
}
