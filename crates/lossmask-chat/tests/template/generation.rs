//! `{% generation %}` against transformers, and what its tests do not reach.

use lossmask_chat::RenderInput;
use serde_json::json;

use crate::parity::codepoints;
use crate::resources::{rows, template, template_source};

#[test]
fn marks_what_transformers_marks() {
    let (mut compared, mut left_out, mut wrong) = (0, 0, Vec::new());
    for row in rows("generation_masks.jsonl") {
        let name = row["template"].as_str().unwrap();
        let source = row["template_source"].as_str().map(str::to_owned).or_else(|| template_source(name));
        let Some(source) = source else {
            left_out += 1;
            continue;
        };
        let rendered = template(name, source, &row["special_tokens"]).render(&RenderInput {
            messages: row["messages"].as_array().unwrap(),
            tools: Some(&row["tools"]).filter(|tools| !tools.is_null()),
            ..RenderInput::default()
        });
        let rendered = rendered.unwrap_or_else(|error| panic!("{}: {error}", row["id"]));
        compared += 1;
        if row["text"] != rendered.text || row["generation_spans_codepoints"] != codepoints(&rendered) {
            wrong.push(row["id"].to_string());
        }
    }
    eprintln!("generation_masks: {compared} compared, {left_out} left out for want of the template");
    assert!(wrong.is_empty(), "{} of {compared} differ: {}", wrong.len(), wrong.join(" "));
}

/// Renders a template on two short messages and shows the blocks.
fn blocks(source: &str) -> (String, Vec<String>) {
    let messages = [json!({"role": "user", "content": "Q"}), json!({"role": "assistant", "content": "Ä"})];
    let template = template("test", source.to_owned(), &json!({}));
    let rendered = template.render(&RenderInput { messages: &messages, ..RenderInput::default() }).unwrap();
    let blocks = rendered.generation_spans.iter().map(|span| rendered.text[span.clone()].to_owned()).collect();
    (rendered.text, blocks)
}

#[test]
fn blocks_of_every_shape() {
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("touching", "{% generation %}a{% endgeneration %}{% generation %}b{% endgeneration %}", "ab", &["a", "b"]),
        ("empty", "x{% generation %}{% endgeneration %}y", "xy", &[""]),
        ("trimmed", "x \n{%- generation -%}\n a \n{%- endgeneration -%} y", "xay", &["a"]),
        ("block lines", "x\n  {% generation %}\na\n  {% endgeneration %}\ny", "x\na\ny", &["a\n"]),
        (
            "nested loops",
            "{% for m in messages %}{% for c in m.content %}{% generation %}{{ c }}{% endgeneration %}-{% endfor %}{% endfor %}",
            "Q-Ä-",
            &["Q", "Ä"],
        ),
        ("own scope", "{% set x = 1 %}{% generation %}{% set x = 2 %}{{ x }}{% endgeneration %}{{ x }}", "21", &["2"]),
        (
            "namespaces reach out",
            "{% set n = namespace(x=1) %}{% generation %}{% set n.x = 2 %}{{ n.x }}{% endgeneration %}{{ n.x }}",
            "22",
            &["2"],
        ),
        (
            "the words elsewhere",
            "generation {{ 'generation' }} {# generation #}{% set generation = 1 %}{{ generation }}{% generation %}x{% endgeneration %}",
            "generation generation 1x",
            &["x"],
        ),
        (
            "inside a block, the inner one begins where the outer does",
            "a{% generation %}b{% generation %}c{% endgeneration %}{% endgeneration %}",
            "abc",
            &["b", "bc"],
        ),
        (
            "a capture counts from the output",
            "ab{% set x %}{% generation %}c{% endgeneration %}{% endset %}d{{ x }}",
            "abdc",
            &["d"],
        ),
    ];
    for (name, source, text, spans) in table {
        let (rendered, found) = blocks(source);
        assert_eq!(
            (rendered.as_str(), found),
            (*text, spans.iter().map(|span| (*span).to_owned()).collect()),
            "{name}"
        );
    }
}

#[test]
fn a_template_without_the_tag_says_so() {
    assert!(!template("none", "{{ 'generation' }}{# {% generation %} #}".to_owned(), &json!({})).has_generation_tags());
    assert!(template("some", "{%- generation -%}{%- endgeneration -%}".to_owned(), &json!({})).has_generation_tags());
}
