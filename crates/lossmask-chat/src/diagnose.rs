//! What is odd about a row that was encoded.

use std::collections::HashSet;

use lossmask::{Diagnosis, Masker, Record, Severity};
use serde_json::Value;

use crate::message::Conversation;
use crate::template::{FieldKind, Origin, Origins};
use crate::tokenizer::Tokenizer;

fn warning(code: &'static str, message: String, hint: &str) -> Diagnosis {
    Diagnosis { code, severity: Severity::Warning, span: None, message, hint: Some(hint.to_owned()) }
}

/// Data that the template left out.
pub(crate) fn unrendered(conversation: &Conversation, origins: &Origins) -> Vec<Diagnosis> {
    let mut seen: HashSet<(Option<usize>, FieldKind)> = HashSet::new();
    for run in &origins.runs {
        let (Origin::Field { field, .. } | Origin::Made { field, .. }) = &run.origin else { continue };
        seen.extend(origins.field(*field).map(|field| (field.message, field.kind)));
    }
    let mut found = Vec::new();
    for (index, (message, source)) in conversation.messages.iter().zip(&conversation.sources).enumerate() {
        for (key, kind) in [
            ("content", FieldKind::Content),
            ("reasoning_content", FieldKind::Reasoning),
            ("tool_calls", FieldKind::ToolCall),
        ] {
            let whole = seen.contains(&(Some(index), FieldKind::Message));
            if message.get(key).is_some_and(has_text) && !whole && !seen.contains(&(Some(index), kind)) {
                let mut diagnosis = warning(
                    "field-not-rendered",
                    format!("{}.{key} is in the data and not in the text", source.path),
                    "the chat template leaves it out; use another template, or drop the field",
                );
                // Most templates drop the reasoning of earlier turns on purpose.
                if kind == FieldKind::Reasoning {
                    diagnosis.severity = Severity::Info;
                }
                found.push(diagnosis);
            }
        }
    }
    if conversation.tools.is_some() && !seen.contains(&(None, FieldKind::Declaration)) {
        let message = "the row declares tools, and the text does not tell of them".to_owned();
        found.push(warning(
            "field-not-rendered",
            message,
            "the chat template leaves tools out; use one that prints them",
        ));
    }
    found
}

fn has_text(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(|item| match item {
            Value::Object(part) if part.contains_key("type") && part.contains_key("text") => {
                part.get("text").is_some_and(has_text)
            }
            Value::Object(part) => part.get("type").is_none_or(|kind| kind == "function"),
            other => has_text(other),
        }),
        Value::Null => false,
        _ => true,
    }
}

/// What the tokens themselves show.
pub(crate) fn tokens(
    tokenizer: &Tokenizer,
    masker: &Masker,
    ids: &[i32],
    record: &Record,
    trains: bool,
) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    if let [first, second, ..] = ids
        && first == second
        && tokenizer.is_special(*first)
    {
        let token = String::from_utf8_lossy(tokenizer.token_bytes(*first));
        let hint = "the template writes the token, and so does the data or a template variable; drop one of them";
        found.push(warning("double-bos", format!("the row begins with `{token}` twice"), hint));
    }
    if trains && record.trained_count() == 0 {
        let near = masker.near_misses(ids).into_iter().max_by_key(|miss| (miss.matched, usize::MAX - miss.start));
        let message = match near {
            Some(miss) => {
                let stands = tokenizer.decode(&ids[miss.start..ids.len().min(miss.start + miss.expected)]);
                format!(
                    "no token of the row is trained; nearest to a start marker is {stands:?} at token {}",
                    miss.start
                )
            }
            None => "no token of the row is trained".to_owned(),
        };
        found.push(warning(
            "no-trained-token",
            message,
            "look at roles_to_train, the flags in the data, and the role boundaries",
        ));
    }
    found
}
