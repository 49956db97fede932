//! Python's and jinja2's rules, one template a line: `__test__/vectors/jinja.jsonl` holds templates written for this test and what
//! jinja2 3.1.6 makes of them in transformers' environment. The lines that say `differs` are the differences `docs/compatibility.md` lists.

use std::fs;
use std::path::PathBuf;

use lossmask_chat::{RenderInput, Template, TemplateErrorKind, TemplateSpec};
use serde_json::{Value, json};

fn table() -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/jinja.jsonl");
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The text, or nothing where it cannot be had.
fn render(source: &str) -> Option<String> {
    let messages = [
        json!({"role": "user", "content": "Hi \"you\"\n"}),
        json!({
            "role": "assistant",
            "content": "<think>\nr\n</think>\n\nöß",
            "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1, "b": [1.5, null, true]}}}],
        }),
    ];
    let variables = [("bos_token", "<s>"), ("eos_token", "</s>")].map(|(name, value)| (name.to_owned(), json!(value)));
    let spec = TemplateSpec {
        name: "test".to_owned(),
        source: source.to_owned(),
        variables: variables.into(),
        now: Some("2026-01-15T12:00:00".to_owned()),
    };
    let template = Template::new(&spec).ok()?;
    template.render(&RenderInput { messages: &messages, ..RenderInput::default() }).ok().map(|rendered| rendered.text)
}

#[test]
fn evaluates_as_jinja2_does() {
    let mut wrong = Vec::new();
    for row in table() {
        let agrees = render(row["source"].as_str().unwrap()) == row["text"].as_str().map(str::to_owned);
        // A difference that went away must leave the list too.
        if agrees == row.get("differs").is_some() {
            wrong.push(row["source"].to_string());
        }
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

/// Kind, message, line, column and the marked line of what a template fails with.
fn failure(source: &str) -> (TemplateErrorKind, String, Option<usize>, Option<usize>, String) {
    let spec = TemplateSpec { name: "t.jinja".to_owned(), source: source.to_owned(), ..TemplateSpec::default() };
    let messages = [json!({"role": "user", "content": [1]})];
    let error = match Template::new(&spec) {
        Ok(template) => template.render(&RenderInput { messages: &messages, ..RenderInput::default() }).unwrap_err(),
        Err(error) => error,
    };
    assert!(error.to_string().starts_with("t.jinja:"), "{error}");
    (error.kind, error.message, error.line, error.column, error.listing)
}

#[test]
fn failures_name_their_place() {
    let (kind, message, line, column, listing) =
        failure("{% for m in messages %}\n{{ 'é' ~ 'a' + m.content }}\n{% endfor %}");
    assert_eq!((kind, line, column), (TemplateErrorKind::Failed, Some(2), Some(4)));
    assert_eq!(message, "can only concatenate str (not \"list\") to str");
    let expected = "    1 | {% for m in messages %}\n    2 | {{ 'é' ~ 'a' + m.content }}\n      |    ^^^^^^^^^^^^^^^^^^^^^\n    3 | {% endfor %}";
    assert_eq!(listing, expected);

    let (kind, message, line, ..) = failure("\n\n{{ raise_exception('no tools here') }}");
    assert_eq!((kind, message.as_str(), line), (TemplateErrorKind::Raised, "no tools here", Some(3)));

    let (kind, _, line, _, listing) = failure("a\n{% if %}");
    assert_eq!((kind, line), (TemplateErrorKind::Syntax, Some(2)));
    assert!(listing.contains("{% if %}"), "{listing}");

    // The tag is rewritten for the parser, and places stay where they are.
    let (_, _, line, column, _) = failure("{% generation %}{{ 1 + 'a' }}{% endgeneration %}");
    assert_eq!((line, column), (Some(1), Some(20)));
}

#[test]
fn hostile_templates_fail_without_harm() {
    let deep = format!("{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000));
    let sources = [
        "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
        "{{ 'x' * 10 ** 12 }}",
        "{{ [0] * 10 ** 12 }}",
        "{{ 'x'.ljust(10 ** 12) }}",
        "{{ '%999999999999d' % 1 }}",
        "{{ range(10 ** 9) }}",
        "{{ 10 ** 40 * 10 ** 40 }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
        "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
        deep.as_str(),
        "{% generation %}",
        "{% endgeneration %}",
        "{{ strftime_now('%') }}",
        "{{ '{'.format() }}{{ '{:99999999999999999999}'.format(1) }}",
        "{{ 'a' % (1, 2) }}",
    ];
    // Whether there is an answer or none: the process lives, and its memory is not filled.
    for source in sources {
        let length = render(source).map_or(0, |text| text.len());
        assert!(length <= 1 << 20, "{length} bytes from {}", source.chars().take(80).collect::<String>());
    }
}
