//! Every byte's origin, checked against the data it claims to come from.

use lossmask_chat::{FieldKind, Origin, Origins, RenderInput, Rendered};
use serde_json::{Value, json};

use crate::parity::cases;
use crate::resources::{parity_variables, rows, template, template_source};

/// The value at `messages[2].content[0].text`.
fn at_path<'v>(root: &'v Value, path: &str) -> &'v Value {
    let mut value = root;
    for step in path.split(['.', '[']) {
        value = match step.strip_suffix(']') {
            Some(index) => &value[index.parse::<usize>().unwrap()],
            None => &value[step],
        };
    }
    value
}

/// Panics unless the runs cover the text without a gap and every exact run says the truth.
fn check(row: &Value, rendered: &Rendered, origins: &Origins) {
    let mut end = 0;
    for run in &origins.runs {
        assert_eq!(run.bytes.start, end, "a gap or an overlap");
        end = run.bytes.end;
        let text = &rendered.text[run.bytes.clone()];
        match &run.origin {
            Origin::Scaffold => {}
            Origin::Field { field, range } => {
                let path = origins.path(*field);
                let source = at_path(row, &path).as_str().unwrap_or_else(|| panic!("{path} is no string"));
                assert_eq!(&source[range.clone()], text, "{path}");
            }
            Origin::Made { field, range } => {
                let path = origins.path(*field);
                let source = at_path(row, &path);
                assert!(!source.is_null() || path == "messages", "{path} is not in the data");
                assert!(range.end <= source.as_str().map_or(0, str::len), "{path}: {range:?}");
            }
        }
    }
    assert_eq!(end, rendered.text.len(), "the runs end before the text does");
}

/// Bytes of the text that come from the contents of the messages, one for one.
fn content_bytes(origins: &Origins) -> usize {
    let content = |field: usize| origins.field(field).is_some_and(|field| field.kind == FieldKind::Content);
    let exact = |origin: &Origin| matches!(origin, Origin::Field { field, .. } if content(*field));
    origins.runs.iter().filter(|run| exact(&run.origin)).map(|run| run.bytes.len()).sum()
}

#[test]
fn every_recorded_rendering_has_a_true_origin() {
    let cases = cases();
    let (mut checked, mut left_out, mut content, mut text) = (0, 0, 0, 0);
    let parity = rows("render_parity.jsonl").into_iter().filter(|row| row["text"].is_string()).map(|row| {
        let case = &cases[row["case"].as_str().unwrap()];
        (
            row["template"].clone(),
            Value::Null,
            row["kwargs"].clone(),
            parity_variables(),
            case.clone(),
            row["text"].clone(),
        )
    });
    let masks = rows("generation_masks.jsonl").into_iter().map(|row| {
        let (special, text) = (row["special_tokens"].clone(), row["text"].clone());
        (row["template"].clone(), row["template_source"].clone(), json!({}), special, row, text)
    });
    for (name, source, kwargs, variables, row, expected) in parity.chain(masks) {
        let name = name.as_str().unwrap();
        let Some(source) = source.as_str().map(str::to_owned).or_else(|| template_source(name)) else {
            left_out += 1;
            continue;
        };
        let input = RenderInput {
            messages: row["messages"].as_array().unwrap(),
            tools: Some(&row["tools"]).filter(|tools| !tools.is_null()),
            kwargs: kwargs.as_object(),
            ..RenderInput::default()
        };
        let (rendered, origins) = template(name, source, &variables).render_with_origins(&input).unwrap();
        assert_eq!(expected, rendered.text);
        check(&row, &rendered, &origins);
        checked += 1;
        content += content_bytes(&origins);
        text += rendered.text.len();
    }
    eprintln!("origins: {checked} texts checked, {left_out} left out; {content} of {text} bytes are message content");
}

/// `origin:text` of every run, for tables.
fn show(source: &str, messages: &[Value]) -> Vec<String> {
    let template = template("test", source.to_owned(), &json!({}));
    let input = RenderInput { messages, ..RenderInput::default() };
    let (rendered, origins) = template.render_with_origins(&input).unwrap();
    check(&json!({ "messages": messages }), &rendered, &origins);
    let show = |run: &lossmask_chat::Run| {
        let text = &rendered.text[run.bytes.clone()];
        let message = run.message.map_or_else(|| "-".to_owned(), |message| message.to_string());
        match &run.origin {
            Origin::Scaffold => format!("{message} scaffold {text:?}"),
            Origin::Field { field, range } => format!("{message} {}{range:?} {text:?}", origins.path(*field)),
            Origin::Made { field, range } => format!("{message} made of {}{range:?} {text:?}", origins.path(*field)),
        }
    };
    origins.runs.iter().map(show).collect()
}

#[test]
fn origins_survive_what_templates_do() {
    let message = |content: &str| vec![json!({"role": "assistant", "content": content})];
    let table: &[(&str, &str, &str, &[&str])] = &[
        ("trim", "{{ messages[0].content | trim }}", " a b\n", &["- messages[0].content1..4 \"a b\""]),
        (
            "split at a tag",
            "{{ messages[0].content.split('</think>')[-1].lstrip('\\n') }}|{{ messages[0].content.split('</think>')[0].split('<think>')[-1] }}",
            "<think>r</think>\n\na",
            &["- messages[0].content18..19 \"a\"", "- scaffold \"|\"", "- messages[0].content7..8 \"r\""],
        ),
        (
            "escapes of JSON",
            "{{ messages[0].content | tojson }}",
            "a\"é",
            &[
                "- made of messages[0].content0..0 \"\\\"\"",
                "- messages[0].content0..1 \"a\"",
                "- made of messages[0].content1..2 \"\\\\\\\"\"",
                "- messages[0].content2..4 \"é\"",
                "- made of messages[0].content0..0 \"\\\"\"",
            ],
        ),
        (
            "replacement",
            "{{ messages[0].content.replace('x', '<>') }}",
            "axb",
            &["- messages[0].content0..1 \"a\"", "- scaffold \"<>\"", "- messages[0].content2..3 \"b\""],
        ),
        (
            "the message being written",
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}.",
            "a",
            &[
                "0 scaffold \"[\"",
                "0 messages[0].role0..9 \"assistant\"",
                "0 scaffold \"]\"",
                "0 messages[0].content0..1 \"a\"",
                "0 scaffold \"\\n\"",
                "- scaffold \".\"",
            ],
        ),
        (
            "captured and joined",
            "{% set ns = namespace(out='') %}{% for m in messages %}{% set ns.out = ns.out + '<' + m.content ~ '>' %}{% endfor %}{{ ns.out }}",
            "a",
            &["0 scaffold \"<\"", "0 messages[0].content0..1 \"a\"", "0 scaffold \">\""],
        ),
        (
            "by index",
            "{% for i in range(messages | length) %}{% set m = messages[i] %}<{{ m['content'][1:] }}>{% endfor %}",
            "日本",
            &["0 scaffold \"<\"", "0 messages[0].content3..6 \"本\"", "0 scaffold \">\""],
        ),
        (
            "by index, without a name",
            "{% for i in range(messages | length) %}{{ '<' if messages[i].role and messages[i - 1].role }}{{ messages[i].content }}{% endfor %}|",
            "a",
            &["0 scaffold \"<\"", "0 messages[0].content0..1 \"a\"", "- scaffold \"|\""],
        ),
        (
            "upper",
            "{{ messages[0].content | upper }}",
            "aB",
            &["- made of messages[0].content0..1 \"A\"", "- messages[0].content1..2 \"B\""],
        ),
    ];
    for (name, source, content, expected) in table {
        assert_eq!(show(source, &message(content)), *expected, "{name}");
    }
}

#[test]
fn parts_keep_their_kind() {
    let messages = [json!({
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "x"}],
        "reasoning_content": "r",
        "tool_calls": [{"function": {"name": "f", "arguments": {"n": 1, "ok": true}}}],
    })];
    let source = "{% set m = messages[0] %}{{ m.reasoning_content }}{% for p in m.content %}{{ p[p.type] }}{% endfor %}\
                  {{ m.tool_calls[0].function.arguments | tojson }}{{ m.role }}";
    let template = template("test", source.to_owned(), &json!({}));
    let (rendered, origins) =
        template.render_with_origins(&RenderInput { messages: &messages, ..RenderInput::default() }).unwrap();
    assert_eq!(rendered.text, "rtx{\"n\": 1, \"ok\": true}assistant");
    let kinds = origins.runs.iter().map(|run| match run.origin {
        Origin::Scaffold => None,
        Origin::Field { field, .. } | Origin::Made { field, .. } => origins.field(field).map(|field| field.kind),
    });
    let mut kinds: Vec<_> = kinds.collect();
    kinds.dedup();
    let expected = [FieldKind::Reasoning, FieldKind::Content, FieldKind::ToolCall, FieldKind::Role].map(Some);
    assert_eq!(kinds, expected);
}
