//! `families`: the text of every family's template, and its turns as origins alone give them, without any marker being known.

use std::collections::BTreeMap;

use lossmask_chat::{RenderInput, Template, TextTurn, TokenSpec, Tokenizer, TokenizerSpec};
use serde_json::Value;

use crate::resources::{cache, rows, template, template_source, vectors};

/// The template a row names, where it can be had.
fn source(described: &str) -> Option<String> {
    let file = described.rsplit('/').next()?;
    let chat_template = |path: std::path::PathBuf| -> Option<Value> {
        serde_json::from_str::<Value>(&std::fs::read_to_string(path).ok()?)
            .ok()
            .map(|config| config["chat_template"].clone())
    };
    if described.starts_with("axolotl") || described.starts_with("trl") {
        return template_source(&format!("{}/{file}", described.split(' ').next()?));
    }
    if let Some(path) = described.strip_prefix("families/") {
        let path = vectors("README.md")?.with_file_name("../families").join(path.split('#').next()?);
        return match path.extension()?.to_str()? {
            "jinja" => std::fs::read_to_string(path).ok(),
            _ => chat_template(path)?.as_str().map(str::to_owned),
        };
    }
    let package = described.split("@lenml/tokenizer-").nth(1)?.split(' ').next()?;
    match chat_template(cache()?.join("models").join(package).join("tokenizer_config.json"))? {
        Value::String(source) => Some(source),
        Value::Array(named) => {
            named.iter().find(|entry| entry["name"] == "default")?["template"].as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// The vocabulary a row names, unless slots of it are renamed.
fn tokenizer(described: &str) -> Option<Tokenizer> {
    let package = described.strip_prefix("npm @lenml/tokenizer-")?.split(' ').next()?;
    if described.contains("slots renamed") {
        return None;
    }
    let added = described
        .split("added special tokens, in this order: ")
        .nth(1)
        .map_or("", |list| list.split(';').next().unwrap());
    let added = added.split(", ").filter_map(|entry| Some(TokenSpec::special(entry.rsplit_once('=')?.0))).collect();
    let path = cache()?.join("models").join(package).join("tokenizer.json");
    path.exists().then(|| Tokenizer::load(&TokenizerSpec { path, added_tokens: added }).unwrap())
}

/// Whether the token at `start` is what an assistant turn says, or its end.
fn trained(row: &Value, turns: &[TextTurn], start: usize, ends: bool) -> bool {
    turns
        .iter()
        .filter(|turn| row["messages"][turn.message]["role"] == "assistant")
        .any(|turn| turn.body.contains(&start) || (ends && turn.end.contains(&start)))
}

#[test]
fn turns_are_found_without_markers() {
    let mut templates: BTreeMap<String, Option<Template>> = BTreeMap::new();
    let mut tokenizers: BTreeMap<String, Option<Tokenizer>> = BTreeMap::new();
    let (mut rendered_rows, mut labelled, mut left_out, mut wrong) = (0, 0, 0, Vec::new());
    for row in rows("families/families.jsonl") {
        // Its text is the processor's: one placeholder became many.
        let expanded = row["case"].as_str().unwrap().starts_with("media_expanded");
        let described = row["template_source"].as_str().unwrap();
        let built = templates.entry(format!("{described}{}", row["template_kwargs"])).or_insert_with(|| {
            let mut kwargs = row["template_kwargs"].clone();
            // A note that the time is fixed, no variable.
            kwargs.as_object_mut().unwrap().remove("strftime_now");
            Some(template(described, source(described)?, &kwargs))
        });
        let Some(template) = built.as_ref().filter(|_| !expanded) else {
            left_out += 1;
            continue;
        };
        let tools = Some(&row["template_kwargs"]["tools"]).filter(|tools| !tools.is_null());
        let input = RenderInput { messages: row["messages"].as_array().unwrap(), tools, ..RenderInput::default() };
        let (rendered, origins) =
            template.render_with_origins(&input).unwrap_or_else(|error| panic!("{}: {error}", row["id"]));
        assert_eq!(row["rendered"], rendered.text, "{}", row["id"]);
        rendered_rows += 1;
        let vocabulary = row["vocabulary"].as_str().unwrap();
        let tokenizer = tokenizers.entry(vocabulary.to_owned()).or_insert_with(|| tokenizer(vocabulary));
        let Some(encoded) = tokenizer.as_ref().map(|tokenizer| tokenizer.encode(&rendered.text)) else { continue };
        let (Some(spans), true) = (&encoded.spans, serde_json::json!(encoded.ids) == row["input_ids"]) else {
            continue;
        };
        let turns = template.turns(&rendered, &origins);
        for (labels, ends) in [("labels_turn", true), ("labels_none", false)] {
            labelled += 1;
            let fits = spans.iter().enumerate().all(|(at, span)| {
                let masked = row["media_ids_masked"].as_array().unwrap().contains(&row["input_ids"][at])
                    || row["masked_spans"].as_array().unwrap().iter().any(|stretch| {
                        (stretch[0].as_u64().unwrap()..stretch[1].as_u64().unwrap()).contains(&(at as u64))
                    });
                (row[labels][at] != -100) == (!masked && trained(&row, &turns, span.start, ends))
            });
            if !fits {
                wrong.push(format!("{} {labels}", row["id"]));
            }
        }
    }
    eprintln!("families: {rendered_rows} texts equal, {labelled} label lists compared, {left_out} rows left out");
    assert!(wrong.is_empty(), "{} label lists differ: {}", wrong.len(), wrong.join(", "));
}
