//! From a row of data to a row ready for training.

use std::sync::Arc;

use lossmask::trained::TurnRule;
use lossmask::{Diagnosis, Masker, MaskerOptions, Record, RowContext, Severity, Turns};
use serde_json::{Value, json};

use crate::diagnose::{self, Unrendered, near_miss};
use crate::format::{Builder, Format};
use crate::injection::Guard;
use crate::media::{self, MediaStep};
use crate::message::{ContentFormat, Conversation, MessageReader, Missing};
use crate::parts;
use crate::reasoning;
use crate::route::compare::{Scope, conflict};
use crate::route::origin::{InlineReasoning, of_tokens};
use crate::route::paint::Painter;
use crate::route::policy::Policy;
use crate::route::segments::{SegmentTokens, Segments};
use crate::route::turns::{Structure, TurnFinder};
use crate::route::{Row, generation};
use crate::row::{EncodedRow, RowError, SpecError, Status};
use crate::spec::{EncoderSpec, Route, RowType, Rows, Scaffold};
use crate::split::{self, Part, Splitter};
use crate::template::{RenderInput, Rendered, Template, TemplateError, TemplateErrorKind};
use crate::tokenizer::Tokenizer;

/// Encodes the rows of one dataset. Compiled once and immutable: share it between threads as it is.
pub struct Encoder {
    spec: EncoderSpec,
    tokenizer: Arc<Tokenizer>,
    reader: MessageReader,
    template: Option<Template>,
    masker: Masker,
    turns: TurnFinder,
    policy: Policy,
    guard: Guard,
    media: Option<MediaStep>,
    /// Encodes rows with tools, where they have a template of their own.
    with_tools: Option<Box<Encoder>>,
    format: Option<Format>,
}

impl Encoder {
    /// Compiles the template and the boundaries.
    ///
    /// # Errors
    /// When the template does not parse, a chat dataset has none, the boundaries cannot be compiled, or the route needs
    /// `{% generation %}` and the template has none.
    pub fn new(mut spec: EncoderSpec, tokenizer: Arc<Tokenizer>) -> Result<Self, SpecError> {
        let with_tools = spec.tool_template.take().map(|template| {
            let spec = EncoderSpec { template: Some(template), ..spec.clone() };
            Encoder::new(spec, Arc::clone(&tokenizer)).map(Box::new)
        });
        let with_tools = with_tools.transpose()?;
        let template = spec.template.as_ref().map(Template::new).transpose().map_err(|error| bad_template(&error))?;
        check_template(&spec, template.as_ref())?;
        let mut content = template.as_ref().map_or_else(ContentFormat::default, probe);
        // transformers hands a content to the template as it is; axolotl joins parts for templates that print strings.
        if spec.route == Route::Generation || template.is_none() {
            (content.strings, content.parts) = (true, true);
        }
        let boundary_roles = spec.masker.boundaries.iter().map(|boundary| boundary.role.clone());
        let reader = MessageReader::new(spec.fields.clone(), boundary_roles, content);
        for role in &mut spec.masker.roles_to_train {
            *role = reader.map_role(role).to_owned();
        }
        let masker = compile(&spec.masker)?;
        // The painter picks the last turn itself: flags in the data may change which one that is.
        let every_turn = compile(&MaskerOptions { turns: Turns::All, ..spec.masker.clone() })?;
        let turns = TurnFinder::new(every_turn, spec.masker.boundaries.clone());
        let policy = Policy::new(&spec, spec.masker.roles_to_train.clone());
        let guard = Guard::new(&spec, &tokenizer);
        let media = spec.media.as_ref().map(MediaStep::new).transpose()?;
        let format = spec.format.as_ref().map(|format| Format::new(format, &spec)).transpose()?;
        Ok(Encoder { spec, tokenizer, reader, template, masker, turns, policy, guard, media, with_tools, format })
    }

    /// The row's ids, and of every token whether it is trained and why.
    ///
    /// # Errors
    /// When the row is not what the config says, or the template refuses it. Nothing else is affected.
    pub fn encode(&self, row: &Value) -> Result<EncodedRow, RowError> {
        if let Some(with_tools) = self.with_tools.as_ref().filter(|_| self.reader.has_tools(row)) {
            return with_tools.encode(row);
        }
        match (&self.template, &self.format) {
            (_, Some(format)) => self.declared(format, row).and_then(single),
            (Some(template), _) if self.spec.row_type == RowType::ChatTemplate => {
                let (conversation, parts) = self.parts(template, row)?;
                match &parts[..] {
                    [part] => self.part(template, row, part, conversation),
                    parts => Err(split::several(parts.len())),
                }
            }
            _ => self.segments(row),
        }
    }

    /// The same, where one row of data may become several: a conversation under `rows: split`, in the order of the answers they are made
    /// for, or a long text; an empty text becomes none.
    ///
    /// # Errors
    /// As [`encode`](Encoder::encode).
    pub fn encode_all(&self, row: &Value) -> Result<Vec<EncodedRow>, RowError> {
        if let Some(with_tools) = self.with_tools.as_ref().filter(|_| self.reader.has_tools(row)) {
            return with_tools.encode_all(row);
        }
        if let Some(format) = &self.format {
            return self.declared(format, row);
        }
        let Some(template) = self.template.as_ref().filter(|_| self.spec.rows == Rows::Split) else {
            return self.encode(row).map(|row| vec![row]);
        };
        if self.spec.row_type != RowType::ChatTemplate {
            return self.encode(row).map(|row| vec![row]);
        }
        let (conversation, parts) = self.parts(template, row)?;
        parts.iter().map(|part| self.part(template, row, part, conversation.clone())).collect()
    }

    fn parts(&self, template: &Template, row: &Value) -> Result<(Conversation, Vec<Part>), RowError> {
        let conversation = self.reader.read(row)?;
        let splitter =
            Splitter { rows: self.spec.rows, turns: self.spec.masker.turns, template, policy: &self.policy, refused };
        let parts = splitter.parts(&conversation)?;
        Ok((conversation, parts))
    }

    fn part(
        &self,
        template: &Template,
        row: &Value,
        part: &Part,
        conversation: Conversation,
    ) -> Result<EncodedRow, RowError> {
        let conversation = if part.answers.is_none() { conversation } else { part.of(&conversation) };
        self.conversation(template, row, conversation)
    }

    fn declared(&self, format: &Format, row: &Value) -> Result<Vec<EncodedRow>, RowError> {
        let rows = format.encode(row, &self.tokenizer)?;
        let unexpanded = media::unexpanded(row, &[]);
        let encoded = |Builder { ids, record }| {
            let mut diagnostics = diagnose::tokens(&self.tokenizer, &self.spec, &ids, &record);
            diagnostics.extend(unexpanded.clone());
            EncodedRow { ids, record, status: Status::Single, diagnostics, media: Vec::new() }
        };
        Ok(rows.into_iter().map(encoded).collect())
    }

    fn segments(&self, row: &Value) -> Result<EncodedRow, RowError> {
        let segments = Segments {
            tokenizer: &self.tokenizer,
            train_on_inputs: self.spec.masker.train_on_inputs,
            ignored: &self.spec.masker.ignore_token_ids,
        };
        let SegmentTokens { ids, record, spans, placed } = segments.encode(row, self.media.as_ref())?;
        let unexpanded = self.media.is_none().then(|| media::unexpanded(row, &[])).flatten();
        let mut diagnostics = diagnose::tokens(&self.tokenizer, &self.spec, &ids, &record);
        diagnostics.extend(unexpanded);
        let mut row = EncodedRow { ids, record, status: Status::Single, diagnostics, media: Vec::new() };
        media::unfold(&mut row, spans.as_deref(), placed)?;
        Ok(row)
    }

    fn conversation(
        &self,
        template: &Template,
        row: &Value,
        mut conversation: Conversation,
    ) -> Result<EncodedRow, RowError> {
        let paths: Vec<&str> = conversation.sources.iter().map(|source| source.path.as_str()).collect();
        let unexpanded = self.media.is_none().then(|| media::unexpanded(row, &conversation.messages)).flatten();
        let media = match &self.media {
            Some(step) => step.collect(row, &mut conversation.messages, &paths)?,
            None => Vec::new(),
        };
        let input = RenderInput {
            messages: &conversation.messages,
            tools: conversation.tools.as_ref(),
            ..RenderInput::default()
        };
        let (mut rendered, mut origins) = template.render_with_origins(&input).map_err(|error| refused(&error))?;
        let placed = match &self.media {
            Some(step) => step.place(&self.tokenizer, media, &mut rendered, &mut origins)?,
            None => Vec::new(),
        };
        let (encoded, typed) =
            self.guard.encode(&self.tokenizer, &rendered.text, &origins, &conversation, &self.policy)?;
        let mut diagnostics: Vec<Diagnosis> =
            typed.into_iter().chain(unexpanded).chain(diagnose::notes(&conversation.notes)).collect();
        let inline = inline_reasoning(&conversation);
        let unrendered = Unrendered {
            conversation: &conversation,
            template,
            inline: &inline,
            policy: &self.policy,
            turns: self.spec.masker.turns,
        };
        diagnostics.extend(unrendered.diagnoses(&origins));
        let ids = encoded.ids;
        let (record, status) = match &encoded.spans {
            None => self.without_spans(&ids, &mut diagnostics)?,
            Some(spans) => {
                let tokens = of_tokens(spans, &origins, &inline);
                let row = Row {
                    tokenizer: &self.tokenizer,
                    conversation: &conversation,
                    template,
                    rendered: &rendered,
                    text: &rendered.text,
                    ids: &ids,
                    spans,
                    origins: &origins,
                    tokens: &tokens,
                };
                self.label(template, &rendered, &row, &mut diagnostics)
            }
        };
        if self.spec.route == Route::Boundaries || encoded.spans.is_none() {
            diagnostics.extend(self.masker.diagnose(&ids));
        }
        diagnostics.extend(diagnose::tokens(&self.tokenizer, &self.spec, &ids, &record));
        let labelled = (&*ids, &record, status);
        let near = near_miss(&self.tokenizer, &self.spec, &self.masker, &self.policy, &conversation, labelled);
        diagnostics.extend(near);
        let mut row = EncodedRow { ids, record, status, diagnostics, media: Vec::new() };
        media::unfold(&mut row, encoded.spans.as_deref(), placed)?;
        Ok(row)
    }

    /// Labels from ids, for a row whose tokens cannot be laid over its text.
    fn without_spans(&self, ids: &[i32], diagnostics: &mut Vec<Diagnosis>) -> Result<(Record, Status), RowError> {
        let message = "the tokens cannot be proven to spell the text, so where a message stands is not known";
        if self.spec.masker.boundaries.is_empty() || matches!(self.spec.route, Route::Generation | Route::Content) {
            return Err(RowError {
                code: "spans-unproven",
                path: None,
                message: message.to_owned(),
                hint: Some("use role boundaries (`route: boundaries`), or another tokenizer file".to_owned()),
            });
        }
        diagnostics.push(Diagnosis {
            code: "spans-unproven",
            severity: Severity::Warning,
            span: None,
            message: message.to_owned(),
            hint: Some("the labels are made from token ids alone".to_owned()),
        });
        Ok((self.masker.record(ids, &RowContext::default()), Status::Single))
    }

    fn label(
        &self,
        template: &Template,
        rendered: &Rendered,
        row: &Row<'_>,
        diagnostics: &mut Vec<Diagnosis>,
    ) -> (Record, Status) {
        let blocks = |flags| self.by_generation(row, rendered, flags);
        let content = |flags| {
            let mut structure = self.turns.by_content(row, &self.policy);
            if self.spec.scaffold == Scaffold::GenerationPrompt {
                structure.begin_after_prompt(row);
            }
            self.painted(row, structure, flags)
        };
        match self.spec.route {
            Route::Boundaries => (self.painted(row, self.turns.by_ids(row), true), Status::Single),
            Route::Ids => (self.masker.record(row.ids, &RowContext::default()), Status::Single),
            Route::Content => (content(true), Status::Single),
            Route::Generation => (blocks(true), Status::Single),
            Route::Auto => {
                let has_boundaries = !self.spec.masker.boundaries.is_empty();
                let tags = template.has_generation_tags() && self.blocks_tell();
                // Flags are the data's own word, which no other route can check.
                let flagged = row.conversation.sources.iter().any(|source| source.flags != Default::default());
                let (name, first, second): (_, Record, Vec<_>) = if tags && !has_boundaries {
                    ("generation", blocks(false), vec![("content", content(false), Scope::MessageText)])
                } else {
                    // What the template wrote in front of an answer is for the text to tell.
                    let scope = match self.spec.scaffold {
                        Scaffold::Template => Scope::All,
                        Scaffold::GenerationPrompt => Scope::MessageText,
                    };
                    let ids = || ("boundaries", self.masker.record(row.ids, &RowContext::default()), scope);
                    let by_ids = (has_boundaries && self.spec.scannable).then(ids);
                    let by_blocks = tags.then(|| ("generation", blocks(false), Scope::MessageText));
                    ("content", content(false), by_ids.into_iter().chain(by_blocks).collect())
                };
                let differ = second
                    .iter()
                    .find_map(|(other, record, scope)| conflict(row, *scope, (name, &first), (other, record)));
                let status = match (&differ, second.is_empty()) {
                    (Some(_), _) => Status::Conflict,
                    (None, false) => Status::Certain,
                    (None, true) => Status::Single,
                };
                diagnostics.extend(differ);
                let record = match (flagged, name) {
                    (false, _) => first,
                    (true, "generation") => blocks(true),
                    (true, _) => content(true),
                };
                (record, status)
            }
        }
    }

    /// Whether `{% generation %}` blocks can tell what the config asks for: every answer, and nothing else.
    fn blocks_tell(&self) -> bool {
        let MaskerOptions { roles_to_train, train_on_inputs, turns, .. } = &self.spec.masker;
        !train_on_inputs && *turns == Turns::All && matches!(&roles_to_train[..], [role] if role == "assistant")
    }

    fn by_generation(&self, row: &Row<'_>, rendered: &Rendered, flags: bool) -> Record {
        let ignored = &self.spec.masker.ignore_token_ids;
        generation::record(row, &rendered.generation_spans, &self.policy, self.spec.straddle, ignored, flags)
    }

    fn painted(&self, row: &Row<'_>, structure: Structure, flags: bool) -> Record {
        let painter = Painter {
            policy: &self.policy,
            row,
            straddle: self.spec.straddle,
            reasoning: self.spec.reasoning,
            turn_rule: TurnRule { turns: self.spec.masker.turns, unterminated: self.spec.masker.unterminated },
            flags,
            scaffold: self.spec.scaffold,
            written: std::cell::OnceCell::new(),
            template_turns: self.spec.route == Route::Boundaries,
        };
        painter.record(structure)
    }
}

/// The only row of a row of data.
fn single(mut rows: Vec<EncodedRow>) -> Result<EncodedRow, RowError> {
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => Ok(row),
        (last, _) => Err(RowError {
            code: "not-one-row",
            path: None,
            message: format!("the text becomes {} rows, not one", rows.len() + usize::from(last.is_some())),
            hint: Some(
                "prepare it with `lossmask preprocess`, or give a text that is not empty and fits `sequence_len`"
                    .to_owned(),
            ),
        }),
    }
}

fn check_template(spec: &EncoderSpec, template: Option<&Template>) -> Result<(), SpecError> {
    if spec.row_type != RowType::ChatTemplate {
        return Ok(());
    }
    let Some(template) = template else {
        return Err(SpecError {
            code: "no-chat-template",
            message: "the rows are conversations, and there is no chat template to render them".to_owned(),
            hint: Some(
                "set chat_template or chat_template_jinja, or use a model folder that holds a template".to_owned(),
            ),
        });
    };
    if spec.route == Route::Generation && !template.has_generation_tags() {
        return Err(SpecError {
            code: "no-generation-tags",
            message: "the chat template has no {% generation %} block, so it does not say what the model writes"
                .to_owned(),
            hint: Some("use a template with generation tags, or `route: auto`".to_owned()),
        });
    }
    Ok(())
}

/// What the template takes as content.
fn probe(template: &Template) -> ContentFormat {
    const WORD: &str = "lossmask probe";
    let render = |messages: &[Value]| {
        let input = RenderInput { messages, ..RenderInput::default() };
        template.render(&input).map(|rendered| rendered.text).unwrap_or_default()
    };
    let user = |content: Value| json!({"role": "user", "content": content});
    let parts = || json!([{"type": "text", "text": WORD}]);
    let (text, list) = (render(&[user(json!(WORD))]), render(&[user(parts())]));
    // A list that is printed as Python would is no rendering of it.
    let (strings, lists) = (text.contains(WORD), list.contains(WORD) && !list.contains("'type'"));
    let content = || if strings { json!(WORD) } else { parts() };
    let answer = |message: Value| render(&[user(content()), message]);
    let thinks = json!({"role": "assistant", "content": [{"type": "thinking", "thinking": WORD}, {"type": "text", "text": "x"}]});
    let thinks = answer(thinks);
    let known =
        parts::Known { reasoning: thinks.contains(WORD) && !thinks.contains("'type'"), words: template.words() };
    let call = |arguments: Value, missing: Missing| {
        let function = json!({"name": "probe", "arguments": arguments});
        let calls = json!([{"id": "call00001", "type": "function", "function": function}]);
        answer(match missing {
            Missing::Absent => json!({"role": "assistant", "tool_calls": calls}),
            Missing::Null => json!({"role": "assistant", "content": null, "tool_calls": calls}),
            Missing::Empty => json!({"role": "assistant", "content": "", "tool_calls": calls}),
        })
    };
    let printed = |missing: Missing| {
        let (value, text) = (call(json!({"key": WORD}), missing), format!("{{\"key\": \"{WORD}\"}}"));
        let values = value.contains(WORD) && !value.contains("'key'");
        let texts = call(json!(text), missing).contains(&text);
        // The word that Python has for null is no content.
        let said = missing == Missing::Null && (value.contains("None") || call(json!(text), missing).contains("None"));
        (missing, values && !said, texts && !said)
    };
    let calls = [Missing::Absent, Missing::Null, Missing::Empty].into_iter().map(printed);
    let (missing, argument_objects, argument_strings) =
        calls.into_iter().find(|(_, values, texts)| *values || *texts).unwrap_or_default();
    ContentFormat { strings: strings || !lists, parts: lists, argument_objects, argument_strings, missing, known }
}

/// Reasoning tags within content, as byte ranges.
fn inline_reasoning(conversation: &Conversation) -> InlineReasoning {
    conversation.messages.iter().map(|message| reasoning::inline(message.get("content")?.as_str()?)).collect()
}

fn compile(options: &MaskerOptions) -> Result<Masker, SpecError> {
    Masker::new(options).map_err(|error| SpecError {
        code: error.code(),
        message: error.to_string(),
        hint: Some(error.hint().to_owned()),
    })
}

fn bad_template(error: &TemplateError) -> SpecError {
    SpecError { code: error.code(), message: error.to_string(), hint: None }
}

fn refused(error: &TemplateError) -> RowError {
    let hint = match error.kind {
        TemplateErrorKind::Raised => "the chat template refuses this conversation; drop it, or use another template",
        _ => "the chat template cannot be evaluated on this conversation",
    };
    RowError { code: error.code(), path: None, message: error.to_string(), hint: Some(hint.to_owned()) }
}
