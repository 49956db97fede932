//! Reasoning that stands inside an answer, moved to a field of its own (`split_thinking`).

use serde_json::{Map, Value};

use crate::reasoning::REASONING_TAGS;

const ANSWER_TAGS: (&str, &str) = ("<|begin_of_solution|>", "<|end_of_solution|>");

/// Splits an assistant message's `content` into `reasoning_content` and `content`, as axolotl does.
pub(crate) fn split(message: &mut Map<String, Value>) {
    let Some(content) = message.get("content").and_then(Value::as_str) else { return };
    for tags in REASONING_TAGS.iter().filter(|tags| tags.split) {
        if let Some((reasoning, rest)) = between(content, (tags.open, tags.close)) {
            let rest = rest.trim_start();
            let answer = between(rest, ANSWER_TAGS).map_or(rest, |(answer, _)| answer.trim());
            let (reasoning, answer) = (reasoning.trim().to_owned(), answer.to_owned());
            message.insert("reasoning_content".to_owned(), Value::String(reasoning));
            message.insert("content".to_owned(), Value::String(answer));
            return;
        }
    }
}

/// What stands between the first opening and the first closing tag, and what follows. Text before the opening is dropped.
fn between<'a>(text: &'a str, (open, close): (&str, &str)) -> Option<(&'a str, &'a str)> {
    let start = text.find(open)? + open.len();
    let end = text.find(close)?;
    (end >= start).then(|| (&text[start..end], &text[end + close.len()..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn reasoning_moves_to_its_own_field() {
        let cases = [
            ("<think>\nwhy\n</think>\n\nso", Some("why"), "so"),
            ("<reasoning>a</reasoning>b", Some("a"), "b"),
            ("<|begin_of_thought|>a<|end_of_thought|> <|begin_of_solution|> b <|end_of_solution|>", Some("a"), "b"),
            ("no tags", None, "no tags"),
            ("</think>wrong order<think>", None, "</think>wrong order<think>"),
        ];
        for (content, reasoning, answer) in cases {
            let mut message = json!({"role": "assistant", "content": content}).as_object().unwrap().clone();
            super::split(&mut message);
            assert_eq!(message.get("reasoning_content").and_then(|value| value.as_str()), reasoning, "{content}");
            assert_eq!(message["content"], answer);
        }
    }
}
