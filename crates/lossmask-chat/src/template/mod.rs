//! Chat templates: Jinja as transformers runs it, on text that knows where it comes from.
//!
//! The parser is minijinja's. The values and the evaluation are ours, for two reasons. Templates are written for Python, and where
//! text is added to a list, a dict is printed or a method called, Python's answer (or its error) is the right one. And labels need the
//! origin of every byte: which message, which field, or the template itself. Here every string carries that along through slicing,
//! stripping, splitting and joining, so the text is rendered once, from the real conversation, and nothing has to be guessed by
//! comparing it with a rendering of placeholders.
//!
//! What differs from jinja2 is listed in `docs/compatibility.md`.

mod args;
mod attributes;
mod attribution;
mod budget;
mod builtins;
mod call;
mod data;
mod error;
mod expr;
mod fault;
mod filters;
mod format;
mod interp;
mod ir;
mod limits;
mod lower;
mod methods;
mod ops;
mod origin;
mod predicates;
mod print;
mod scope;
mod sequences;
mod source;
mod tags;
mod text;
mod text_methods;
mod turns;
mod value;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

use serde_json::{Map, Value as Json, json};

use crate::spec::TemplateSpec;
use crate::timing::{Stage, Stopwatch};

use builtins::Clock;
pub use data::{Field, FieldKind};
pub use error::{TemplateError, TemplateErrorKind};
pub use origin::{Origin, Origins, Run};
pub use turns::TextTurn;

/// A chat template, ready to render.
///
/// ```
/// use lossmask_chat::{RenderInput, Template, TemplateSpec};
/// use serde_json::json;
///
/// let spec = TemplateSpec {
///     source: "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}".to_owned(),
///     ..TemplateSpec::default()
/// };
/// let template = Template::new(&spec).unwrap();
/// let messages = [json!({"role": "user", "content": "Hi"})];
/// let rendered = template.render(&RenderInput { messages: &messages, ..RenderInput::default() }).unwrap();
/// assert_eq!(rendered.text, "[user] Hi");
/// ```
#[derive(Debug)]
pub struct Template {
    name: String,
    /// The source in which places are counted.
    source: String,
    program: ir::Program,
    variables: BTreeMap<String, Json>,
    clock: Clock,
    /// Learnt from a probe when it is first asked for.
    frame: OnceLock<turns::Frame>,
    /// The same for the generation prompt.
    prompt: OnceLock<String>,
}

/// What a template is rendered from.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderInput<'a> {
    /// The conversation.
    pub messages: &'a [Json],
    /// Declarations of tools; `None` in the template when absent.
    pub tools: Option<&'a Json>,
    /// Documents; `None` in the template when absent.
    pub documents: Option<&'a Json>,
    /// Further variables, which win over those of the [`TemplateSpec`].
    pub kwargs: Option<&'a Map<String, Json>>,
    /// Whether the text ends in the header of an answer.
    pub add_generation_prompt: bool,
    /// Whether the text stops behind the words of the last message, in front of what would end it. As in transformers, a variable of this
    /// name does the same.
    pub continue_final_message: bool,
}

/// A rendered conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Bytes of the `{% generation %}` blocks, in the order in which they were rendered; blocks that touch stay apart.
    pub generation_spans: Vec<Range<usize>>,
}

impl Rendered {
    fn truncate(&mut self, end: usize) {
        self.text.truncate(end);
        self.generation_spans.retain(|span| span.start < end);
        self.generation_spans.iter_mut().for_each(|span| span.end = span.end.min(end));
    }
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// When the source is no Jinja, or `now` is no date and time.
    pub fn new(spec: &TemplateSpec) -> Result<Template, TemplateError> {
        let prepared = source::prepare(&spec.source);
        let program = limits::lower_within(&prepared, &spec.name)
            .map_err(|fault| TemplateError::syntax(fault, &spec.name, &prepared.source))?;
        let clock = match &spec.now {
            None => Clock::System,
            Some(now) => Clock::Fixed(now.parse().map_err(|_| TemplateError {
                kind: TemplateErrorKind::Failed,
                template: spec.name.clone(),
                message: format!("{now:?} is no date and time such as 2026-01-15T12:00:00"),
                line: None,
                column: None,
                listing: String::new(),
            })?),
        };
        Ok(Template {
            name: spec.name.clone(),
            source: prepared.source,
            program,
            variables: spec.variables.clone(),
            clock,
            frame: OnceLock::new(),
            prompt: OnceLock::new(),
        })
    }

    /// The words of its source: names, and what its strings hold.
    pub(crate) fn words(&self) -> std::collections::HashSet<String> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.source.split(|c| !is_word(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    /// Whether the template marks what the model says with `{% generation %}`.
    pub fn has_generation_tags(&self) -> bool {
        self.program.generation_tags > 0
    }

    /// Renders a conversation.
    ///
    /// # Errors
    /// When the template refuses it (`raise_exception`) or cannot be evaluated on it.
    pub fn render(&self, input: &RenderInput<'_>) -> Result<Rendered, TemplateError> {
        self.render_with_origins(input).map(|(rendered, _)| rendered)
    }

    /// Renders a conversation and tells the origin of every byte.
    ///
    /// # Errors
    /// As [`render`](Template::render).
    pub fn render_with_origins(&self, input: &RenderInput<'_>) -> Result<(Rendered, Origins), TemplateError> {
        let _stopwatch = Stopwatch::start(Stage::Render);
        let _budget = budget::Budget::for_row(input.messages, input.tools);
        let mut fields = data::Fields::default();
        let mut variables = vec![
            (
                "documents",
                input.documents.map_or(value::Value::None, |documents| fields.declaration("documents", documents)),
            ),
            ("tools", input.tools.map_or(value::Value::None, |tools| fields.declaration("tools", tools))),
            ("add_generation_prompt", value::Value::bool(input.add_generation_prompt)),
        ];
        variables.extend(self.variables.iter().map(|(name, value)| (name.as_str(), data::plain(value, 0))));
        let kwargs = input.kwargs.into_iter().flatten();
        variables.extend(kwargs.map(|(name, value)| (name.as_str(), data::plain(value, 0))));
        variables.push(("messages", fields.messages(input.messages)));
        let asked = |(name, value): &(&str, value::Value)| *name == "continue_final_message" && value.truth();
        let continued = input.continue_final_message || variables.iter().any(asked);
        let (out, generation_spans) = interp::run(&self.program, &self.clock, variables.into_iter())
            .map_err(|fault| TemplateError::fault(*fault, &self.name, &self.source))?;
        let mut origins = Origins::new(&out, fields);
        origins.attribute(&out.text);
        let mut rendered = Rendered { text: out.text, generation_spans };
        if continued {
            let end = origins.end_of_content(input.messages.len().saturating_sub(1)).unwrap_or(rendered.text.len());
            origins.truncate(end);
            rendered.truncate(end);
        }
        Ok((rendered, origins))
    }

    /// The turns of a rendering: what was written for each message, what the message says and what ends it.
    ///
    /// Exact where a turn begins and ends with content. Around reasoning and tool calls the template's own text is divided into header,
    /// tags and end marker by comparison with a plain conversation, rendered once per template.
    pub fn turns(&self, rendered: &Rendered, origins: &Origins) -> Vec<TextTurn> {
        turns::turns(&rendered.text, origins, self.frame.get_or_init(|| self.probe()))
    }

    /// Where the generation prompt ends in a turn: what follows the model has to write. `None` where the turn does not begin with it, as
    /// where it is no answer.
    pub fn prompted(&self, rendered: &Rendered, turn: &TextTurn) -> Option<usize> {
        let prompt = self.prompt.get_or_init(|| self.probe_prompt());
        let lead = &rendered.text[turn.bytes.start..turn.bytes.end];
        // White space between the turns can be part of either.
        let prompt = prompt.trim_start();
        let skipped = lead.len() - lead.trim_start().len();
        let common = lead[skipped..].bytes().zip(prompt.bytes()).take_while(|(a, b)| a == b).count();
        let common = (0..=common).rev().find(|&at| prompt.is_char_boundary(at))?;
        // A tag that only begins alike is no part of the prompt.
        let tag = tags::tags(prompt).find(|tag| tag.bytes.start < common && common < tag.bytes.end);
        let common = tag.map_or(common, |tag| tag.bytes.start);
        (common > 0 && !prompt[..common].trim().is_empty()).then_some(turn.bytes.start + skipped + common)
    }

    /// What the template adds to a question as the generation prompt.
    fn probe_prompt(&self) -> String {
        let contents = [json!("x"), json!([{"type": "text", "text": "x"}])];
        let prompt = |content: Json| {
            let messages = [json!({"role": "user", "content": content})];
            let input = RenderInput { messages: &messages, ..RenderInput::default() };
            let plain = self.render(&input).ok()?.text;
            let prompted = self.render(&RenderInput { add_generation_prompt: true, ..input }).ok()?.text;
            // Some templates write the EOS token where no answer is asked for.
            let common = prompted.char_indices().zip(plain.chars()).find(|((_, a), b)| a != b);
            let common = common.map_or(plain.len(), |((at, _), _)| at);
            let tag = tags::tags(&prompted).find(|tag| tag.bytes.start < common && common < tag.bytes.end);
            Some(prompted.get(tag.map_or(common, |tag| tag.bytes.start)..)?.to_owned())
        };
        contents.into_iter().find_map(prompt).unwrap_or_default()
    }

    /// Learns headers and end markers from two plain exchanges.
    fn probe(&self) -> turns::Frame {
        let plain = |text: &str| json!(text);
        let parts = |text: &str| json!([{"type": "text", "text": text}]);
        let conversation = |content: &dyn Fn(&str) -> Json| {
            ["user", "assistant", "user", "assistant"].map(|role| json!({"role": role, "content": content("x")}))
        };
        let frames = [conversation(&plain), conversation(&parts)].into_iter().filter_map(|messages| {
            let input = RenderInput { messages: &messages, ..RenderInput::default() };
            self.render_with_origins(&input).ok().map(|(rendered, origins)| turns::Frame::of(&rendered.text, &origins))
        });
        frames.into_iter().find(|frame| !frame.is_empty()).unwrap_or_default()
    }
}

/// `repr(value)` of a value of the data.
pub(crate) fn python_repr(value: &Json) -> String {
    let mut buf = text::TextBuf::default();
    match print::write_repr(&data::plain(value, 0), &mut buf, 0) {
        Ok(()) => buf.finish().as_str().to_owned(),
        // Nested deeper than Python prints.
        Err(_) => String::new(),
    }
}

/// `json.dumps(value, ensure_ascii=False)`.
pub(crate) fn to_json(value: &Json) -> Option<String> {
    let style = print::JsonStyle {
        indent: None,
        item_separator: ", ".to_owned(),
        key_separator: ": ".to_owned(),
        ensure_ascii: false,
        sort_keys: false,
    };
    let mut buf = text::TextBuf::default();
    print::write_json(&data::plain(value, 0), &style, &mut buf, 0).ok()?;
    Some(buf.finish().as_str().to_owned())
}

impl std::fmt::Debug for ir::Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("names", &self.names).finish_non_exhaustive()
    }
}
