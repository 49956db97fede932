//! A model's vocabulary for a library that reads it in another way than the reference: the ids stay as they are.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::bytes::byte_of;

/// Makes of a BPE model what the successor reads as the reference does.
pub(super) fn adapt(model: &mut Value, byte_level: bool) -> Option<()> {
    keep_last_merges(model["merges"].as_array_mut()?);
    match byte_level {
        true => hide_unspelled(model),
        false => add_single_bytes(model["vocab"].as_object_mut()?),
    }
}

/// Of merges that are listed twice, the last counts.
fn keep_last_merges(merges: &mut Vec<Value>) {
    let last: HashMap<&Value, usize> = merges.iter().enumerate().map(|(at, merge)| (merge, at)).collect();
    if last.len() == merges.len() {
        return;
    }
    let mut kept: Vec<usize> = last.into_values().collect();
    kept.sort_unstable();
    *merges = kept.into_iter().map(|at| merges[at].take()).collect();
}

/// Tokens that are not written in the byte-level alphabet: no text becomes one of them, while the successor takes their letters for
/// bytes. They get a name that spells bytes of no UTF-8.
fn hide_unspelled(model: &mut Value) -> Option<()> {
    let vocab = model["vocab"].as_object_mut()?;
    let unspelled: HashSet<String> =
        vocab.keys().filter(|token| token.chars().any(|c| byte_of(c).is_none())).cloned().collect();
    if unspelled.is_empty() {
        return Some(());
    }
    let renamed = std::mem::take(vocab).into_iter().map(|(token, id)| match unspelled.contains(&token) {
        true => (format!("ÿÿ{id}"), id),
        false => (token, id),
    });
    *vocab = renamed.collect();
    model["merges"].as_array_mut()?.retain(|merge| match merge {
        Value::Array(pair) => !pair.iter().any(|part| part.as_str().is_some_and(|part| unspelled.contains(part))),
        Value::String(pair) => !pair.split(' ').any(|part| unspelled.contains(part)),
        _ => true,
    });
    Some(())
}

/// A vocabulary may leave out the single byte of a character that it holds, which is never asked for; the successor wants all 256.
fn add_single_bytes(vocab: &mut Map<String, Value>) -> Option<()> {
    let mut next = vocab.values().filter_map(Value::as_u64).max()? + 1;
    for byte in 0..=u8::MAX {
        let name = format!("<0x{byte:02X}>");
        if vocab.contains_key(&name) {
            continue;
        }
        if !byte.is_ascii() || !vocab.contains_key(&char::from(byte).to_string()) {
            return None;
        }
        vocab.insert(name, next.into());
        next += 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::adapt;
    use serde_json::json;

    #[test]
    fn what_no_text_becomes_is_hidden_and_ids_stay() {
        let mut model = json!({
            "vocab": {"a": 0, "b": 1, "ab": 2, "\u{270A}": 3, "\u{270A}a": 4},
            "merges": ["a b", ["\u{270A}", "a"], "b a", "a b"],
        });
        adapt(&mut model, true).unwrap();
        let expected = json!({"vocab": {"a": 0, "b": 1, "ab": 2, "ÿÿ3": 3, "ÿÿ4": 4}, "merges": ["b a", "a b"]});
        assert_eq!(model, expected);
    }

    #[test]
    fn a_single_byte_is_added_for_a_character_of_the_vocabulary_alone() {
        let bytes =
            |left_out: u8| (0..=255).filter(move |byte| *byte != left_out).map(|byte| format!("<0x{byte:02X}>"));
        let model = |left_out| {
            let names = bytes(left_out).chain(["\t".to_owned()]).enumerate();
            let vocab: serde_json::Map<_, _> = names.map(|(id, name)| (name, json!(id))).collect();
            json!({"vocab": vocab, "merges": []})
        };
        let mut tab = model(9);
        adapt(&mut tab, false).unwrap();
        assert_eq!(tab["vocab"]["<0x09>"], 256);
        assert!(adapt(&mut model(10), false).is_none(), "a byte that the reference has no token for");
    }
}
