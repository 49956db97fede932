//! The project's own templates against those of the same name, on every recorded case and on the conversations of the families.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use lossmask_chat::{RenderInput, Rendered, Template, TemplateError, TemplateErrorKind};
use serde_json::{Value, json};

use crate::parity::{cases, render};
use crate::resources::{parity_variables, rows, template, template_source};

/// The project's templates by name.
fn own() -> BTreeMap<String, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let jinja = entries.filter(|path| path.extension().is_some_and(|extension| extension == "jinja"));
    jinja
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// How two renderings differ. Where the other template refuses the conversation in its own words, so must ours; where it merely breaks,
/// ours may break in another place.
fn difference(ours: &Result<Rendered, TemplateError>, text: Option<&str>, raised: Option<&str>) -> Option<String> {
    match (ours, text) {
        (Ok(ours), Some(text)) if ours.text == text => None,
        (Ok(ours), Some(text)) => Some(format!("\n  expected {}\n  found    {}", json!(text), json!(ours.text))),
        (Ok(ours), None) => Some(format!("should fail with {raised:?}, gives {}", json!(ours.text))),
        (Err(error), Some(_)) => Some(format!("fails: {error}")),
        (Err(error), None) if error.kind == TemplateErrorKind::Raised || raised.is_some() => {
            (raised != Some(error.message.as_str())).then(|| format!("fails with {:?}, not {raised:?}", error.message))
        }
        (Err(_), None) => None,
    }
}

#[test]
fn own_templates_render_what_those_of_the_same_name_render() {
    let cases = cases();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, source) in own() {
        let Some(other) = template_source(&format!("axolotl/{name}.jinja")) else {
            eprintln!("left out: axolotl/{name}.jinja is not in the test cache");
            continue;
        };
        let ours = template(&name, source, &parity_variables());
        let other = template(&name, other, &parity_variables());
        for row in rows("render_parity.jsonl").iter().filter(|row| row["template"] == format!("axolotl/{name}.jinja")) {
            let case = &cases[row["case"].as_str().unwrap()];
            let raised =
                render(&other, case, &row["kwargs"]).err().filter(|error| error.kind == TemplateErrorKind::Raised);
            let found = render(&ours, case, &row["kwargs"]);
            compared += 1;
            if let Some(difference) =
                difference(&found, row["text"].as_str(), raised.as_ref().map(|error| error.message.as_str()))
            {
                wrong.push(format!("{name} {}: {difference}", row["case"]));
            }
        }
        for (label, input) in conversations() {
            compared += 1;
            if let Some(difference) = compare(&ours, &other, &input) {
                wrong.push(format!("{name} {label}: {difference}"));
            }
        }
    }
    eprintln!("own templates: {compared} renderings compared");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(ours: &Template, other: &Template, case: &Value) -> Option<String> {
    let other = render(other, case, &case["kwargs"]);
    let raised = other.as_ref().err().filter(|error| error.kind == TemplateErrorKind::Raised);
    let text = other.as_ref().ok().map(|rendered| rendered.text.as_str());
    difference(&render(ours, case, &case["kwargs"]), text, raised.map(|error| error.message.as_str()))
}

/// All cases, with and without a generation prompt, and one conversation of every kind of the families.
fn conversations() -> Vec<(String, Value)> {
    let mut out = Vec::new();
    for (name, mut case) in cases() {
        for prompt in [false, true] {
            case["kwargs"]["add_generation_prompt"] = json!(prompt);
            out.push((format!("{name} prompt={prompt}"), case.clone()));
        }
    }
    let mut seen = std::collections::HashSet::new();
    for row in rows("families/families.jsonl") {
        let kind = format!("{}{}", row["case"], row["messages"][0]["content"].is_string());
        if seen.insert(kind) {
            let case = json!({"messages": row["messages"], "tools": row["template_kwargs"]["tools"], "kwargs": {}});
            out.push((row["id"].as_str().unwrap().to_owned(), case));
        }
    }
    out
}

#[test]
fn own_templates_mark_what_the_model_says() {
    for (name, source) in own() {
        let template = template(&name, source, &parity_variables());
        assert!(template.has_generation_tags(), "{name}");
        let messages =
            [json!({"role": "user", "content": "question"}), json!({"role": "assistant", "content": "answer"})];
        let rendered = template.render(&RenderInput { messages: &messages, ..RenderInput::default() }).unwrap();
        let blocks: Vec<&str> = rendered.generation_spans.iter().map(|span| &rendered.text[span.clone()]).collect();
        assert_eq!(blocks.len(), 1, "{name}: {blocks:?}");
        assert!(blocks[0].contains("answer") && !blocks[0].contains("question"), "{name}: {blocks:?}");
        assert!(!blocks[0].ends_with('\n'), "{name}: white space behind the end is trained: {blocks:?}");
    }
}

/// Byte ranges, sorted and joined where they touch.
fn joined(mut ranges: Vec<std::ops::Range<usize>>) -> Vec<std::ops::Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut out: Vec<std::ops::Range<usize>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

/// The blocks of our templates are what the origins of the text call the words and the end of an answer.
#[test]
fn blocks_and_origins_agree() {
    let (mut compared, mut wrong) = (0, Vec::new());
    // LLaVA's turns end in a blank, which is no marker.
    for (name, source) in own().into_iter().filter(|(name, _)| name != "llava") {
        let template = template(&name, source, &parity_variables());
        for (label, case) in conversations() {
            let input = RenderInput {
                messages: case["messages"].as_array().unwrap(),
                tools: Some(&case["tools"]).filter(|tools| !tools.is_null()),
                ..RenderInput::default()
            };
            let Ok((rendered, origins)) = template.render_with_origins(&input) else { continue };
            compared += 1;
            let turns = template.turns(&rendered, &origins);
            let answers = turns.iter().filter(|turn| case["messages"][turn.message]["role"] == "assistant");
            let said = joined(answers.flat_map(|turn| [turn.body.clone(), turn.end.clone()]).collect());
            let blocks = joined(rendered.generation_spans.clone());
            if said != blocks {
                let show = |ranges: &[std::ops::Range<usize>]| {
                    ranges.iter().map(|range| rendered.text[range.clone()].to_owned()).collect::<Vec<_>>()
                };
                wrong.push(format!("{name} {label}:\n  blocks  {:?}\n  origins {:?}", show(&blocks), show(&said)));
            }
        }
    }
    eprintln!("own templates: blocks and origins compared on {compared} renderings");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}
