//! Hostile templates: nested too deep, without an end, or greedy. Each is refused; none ends the process.

use lossmask_chat::{RenderInput, Template, TemplateSpec};
use serde_json::json;

fn code(source: String) -> Option<&'static str> {
    let spec = TemplateSpec { source, ..TemplateSpec::default() };
    let messages = [json!({"role": "user", "content": "Hi there"})];
    let input = RenderInput { messages: &messages, ..RenderInput::default() };
    Template::new(&spec).and_then(|template| template.render(&input)).err().map(|error| error.code())
}

/// Shapes that nest with their length.
fn shapes(links: usize) -> Vec<(&'static str, String)> {
    let chain = |link: &str| format!("{{{{ a{} }}}}", link.repeat(links));
    let before = |link: &str| format!("{{{{ {}a }}}}", link.repeat(links));
    vec![
        ("+", chain(" + a")),
        ("-", chain(" - a")),
        ("*", chain(" * a")),
        ("**", chain(" ** a")),
        ("~", chain(" ~ a")),
        ("and", chain(" and a")),
        ("or", chain(" or a")),
        (".a", chain(".a")),
        ("[0]", chain("[0]")),
        ("()", chain("()")),
        ("filter", chain("|trim")),
        ("test", chain(" is defined")),
        ("if else", chain(" if a else a")),
        ("not", before("not ")),
        ("minus", before("- ")),
        ("parentheses", format!("{{{{ {}a{} }}}}", "(".repeat(links), ")".repeat(links))),
        ("lists", format!("{{{{ {}a{} }}}}", "[".repeat(links), "]".repeat(links))),
        ("elif", format!("{{% if a %}}{}{{% endif %}}", "{% elif a %}b".repeat(links))),
        ("if", format!("{}{}", "{% if a %}".repeat(links), "{% endif %}".repeat(links))),
        ("for", format!("{}{}", "{% for a in b %}".repeat(links), "{% endfor %}".repeat(links))),
        ("filter block", format!("{{% filter {} %}}{{% endfilter %}}", vec!["trim"; links].join("|"))),
    ]
}

#[test]
fn long_chains_are_refused() {
    for links in [400, 4_000, 50_000] {
        for (name, source) in shapes(links) {
            let spec = TemplateSpec { source, ..TemplateSpec::default() };
            let code = Template::new(&spec).err().map(|error| error.code());
            // What jinja2 joins or runs one after the other is not nested.
            let flat = links == 400 && name == "~" || links < 5_000 && name == "filter block";
            assert!(
                flat || matches!(code, Some("template-too-deep" | "template-syntax")),
                "{name} x {links}: {code:?}"
            );
        }
    }
}

#[test]
fn what_real_templates_nest_is_read() {
    for (name, source) in shapes(60) {
        let spec = TemplateSpec { source, ..TemplateSpec::default() };
        if let Err(error) = Template::new(&spec) {
            assert_eq!(error.code(), "template-syntax", "{name}: {error}");
        }
    }
}

#[test]
fn greedy_templates_are_refused() {
    let cases = [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ messages[0].content }}{% endfor %}{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{{ 'ab' * 10**8 }}",
        "{% set ns = namespace(x='ab') %}{% for a in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x='ab') %}{% for a in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for a in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{% set x = 'a' * 10**6 %}{{ x | replace('a', x) }}",
        "{% set x = 'a' * 10**6 %}{{ x.replace('a', x) }}",
        "{% set x = 'a' * 10**7 %}{{ range(100000) | join(x) }}",
        "{% set x = 'a' * 10**7 %}{{ x.join(range(100000) | map('string')) }}",
        "{% set x = 'a' * 10**7 %}{% for a in range(100000) %}{% for b in range(1000) %}{% if 'b' in x %}{% endif %}{% endfor %}{% endfor %}",
        "{{ [1] * 10**8 }}",
        "{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}",
    ];
    for case in cases {
        let code = code(case.to_owned());
        assert!(matches!(code, Some("template-too-costly" | "template-failed")), "{case}: {code:?}");
    }
}
