//! `render_parity`: what transformers rendered, byte for byte, and what it refused.

use std::collections::{BTreeMap, HashMap};

use lossmask_chat::{RenderInput, Rendered, Template, TemplateError, TemplateErrorKind};
use serde_json::{Value, json};

use crate::resources::{parity_variables, rows, template, template_source, vectors};

/// Renders a case of `render_cases.json`.
pub fn render(template: &Template, case: &Value, kwargs: &Value) -> Result<Rendered, TemplateError> {
    template.render(&RenderInput {
        messages: case["messages"].as_array().unwrap(),
        tools: Some(&case["tools"]).filter(|tools| !tools.is_null()),
        kwargs: kwargs.as_object(),
        ..RenderInput::default()
    })
}

/// The cases of `render_cases.json` by name.
pub fn cases() -> HashMap<String, Value> {
    let Some(path) = vectors("render_cases.json") else { return HashMap::new() };
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    cases.into_iter().map(|case| (case["case"].as_str().unwrap().to_owned(), case)).collect()
}

/// Byte spans as spans of code points.
pub fn codepoints(rendered: &Rendered) -> Value {
    let count = |at: usize| rendered.text[..at].chars().count();
    rendered.generation_spans.iter().map(|span| json!([count(span.start), count(span.end)])).collect()
}

#[test]
fn renders_what_transformers_renders() {
    let cases = cases();
    let mut templates: BTreeMap<String, Template> = BTreeMap::new();
    let (mut compared, mut left_out, mut wrong) = (0, 0, Vec::new());
    for row in rows("render_parity.jsonl") {
        let name = row["template"].as_str().unwrap();
        let Some(source) = template_source(name) else {
            left_out += 1;
            continue;
        };
        let template = templates.entry(name.to_owned()).or_insert_with(|| template(name, source, &parity_variables()));
        let rendered = render(template, &cases[row["case"].as_str().unwrap()], &row["kwargs"]);
        compared += 1;
        if let Some(difference) = difference(&row, &rendered) {
            wrong.push(format!("{name} {}: {difference}", row["case"]));
        }
    }
    eprintln!("render_parity: {compared} compared, {left_out} left out for want of the template");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn difference(row: &Value, rendered: &Result<Rendered, TemplateError>) -> Option<String> {
    match (row["error"].as_str(), rendered) {
        (None, Ok(rendered)) if row["text"] == rendered.text => {
            let expected = row.get("generation_spans_codepoints").filter(|spans| !spans.is_null());
            let found = codepoints(rendered);
            expected.filter(|&expected| *expected != found).map(|expected| format!("spans {expected}, not {found}"))
        }
        (None, Ok(rendered)) => Some(format!("expected {}\n   found {}", row["text"], json!(rendered.text))),
        (None, Err(error)) => Some(format!("failed: {error}")),
        (Some(error), Ok(_)) => Some(format!("should have failed: {error}")),
        (Some(expected), Err(error)) => {
            let differs = error.message != expected;
            differs.then(|| {
                format!("error {expected:?}, not {:?}, {:?}", error.message, error.kind == TemplateErrorKind::Raised)
            })
        }
    }
}
