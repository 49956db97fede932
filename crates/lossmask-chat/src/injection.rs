//! Markers that somebody typed into a message: they are plain text, an error, or what the tokenizer makes of them.

use std::collections::HashSet;
use std::ops::Range;

use lossmask::{Diagnosis, Severity};

use crate::message::Conversation;
use crate::reasoning::REASONING_TAGS;
use crate::route::origin::data_ranges;
use crate::route::policy::Policy;
use crate::row::RowError;
use crate::spec::{EncoderSpec, Injection};
use crate::template::{FieldKind, Origin, Origins};
use crate::tokenizer::{Encoded, Escaper, Tokenizer, Typed, overlaps};

/// Tags that a model writes itself beside those of reasoning, as text of its own: in a trained message they are what they seem.
const MODEL_TAGS: [&str; 6] =
    ["<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<answer>", "</answer>"];

/// Keeps content from becoming control tokens.
pub(crate) struct Guard {
    escaper: Escaper,
    mode: Injection,
    tags: HashSet<i32>,
}

impl Guard {
    /// Controls are the special tokens and every added token in a marker, without media placeholders, which stand in
    /// messages by right unless lossmask puts them there itself.
    pub(crate) fn new(spec: &EncoderSpec, tokenizer: &Tokenizer) -> Self {
        let boundaries = &spec.masker.boundaries;
        let starts = boundaries.iter().flat_map(|boundary| boundary.starts.iter().flatten());
        let ends = boundaries.iter().flat_map(|boundary| boundary.ends.iter().flat_map(|end| &end.ids));
        let special = tokenizer.added_ids().into_iter().filter(|&id| tokenizer.is_special(id));
        let named = starts.chain(ends).chain(&spec.eot_token_ids).chain(&spec.eos_token_id).copied();
        let mut controls: HashSet<i32> = special.chain(named.filter(|&id| tokenizer.is_added(id))).collect();
        if spec.media.is_none() {
            for media in &spec.media_token_ids {
                controls.remove(media);
            }
        }
        // mistral-common makes no control token of a text, whatever is asked.
        let mode = match spec.injection {
            Injection::Allow if tokenizer.plain_controls() => Injection::Escape,
            mode => mode,
        };
        let reasoning = REASONING_TAGS.iter().filter(|tags| tags.own_close).flat_map(|tags| [tags.open, tags.close]);
        let tags = MODEL_TAGS.into_iter().chain(reasoning).filter_map(|tag| tokenizer.token_to_id(tag)).collect();
        Guard { escaper: Escaper::new(tokenizer, controls), mode, tags }
    }

    /// The row's tokens, and what was typed.
    pub(crate) fn encode(
        &self,
        tokenizer: &Tokenizer,
        text: &str,
        origins: &Origins,
        conversation: &Conversation,
        policy: &Policy,
    ) -> Result<(Encoded, Option<Diagnosis>), RowError> {
        let plain = tokenizer.encode(text);
        if plain.spans.is_none() {
            return Ok((plain, None));
        }
        let data = data_ranges(origins);
        let is_typed = |id: i32, span: &Range<usize>| {
            overlaps(&data, span) && !(self.tags.contains(&id) && written_by_model(origins, span, conversation, policy))
        };
        let typed = self.escaper.find(tokenizer, text, &plain, is_typed);
        let Some(first) = typed.first() else { return Ok((plain, None)) };
        let what = describe(tokenizer, origins, first, typed.len());
        match self.mode {
            Injection::Error => Err(RowError {
                code: "typed-marker",
                path: path_at(origins, &first.bytes),
                message: what,
                hint: Some("set `injection: escape` to keep it as plain text".to_owned()),
            }),
            Injection::Allow => {
                let message = format!("{what}; it became a control token");
                let hint = Some("leave out `injection: allow`: text that is typed stays text then".to_owned());
                Ok((plain, Some(Diagnosis { severity: Severity::Error, hint, ..diagnosis(message) })))
            }
            Injection::Escape => match self.escaper.encode(tokenizer, text, &plain, &typed) {
                Some(escaped) => Ok((escaped, Some(diagnosis(format!("{what}; it is plain text"))))),
                None => Err(RowError {
                    code: "typed-marker",
                    path: path_at(origins, &first.bytes),
                    message: format!("{what}, and the tokenizer cannot spell it as plain text"),
                    hint: Some("take it out of the data, or set `injection: allow`".to_owned()),
                }),
            },
        }
    }
}

fn diagnosis(message: String) -> Diagnosis {
    Diagnosis { code: "typed-marker", severity: Severity::Warning, span: None, message, hint: None }
}

fn describe(tokenizer: &Tokenizer, origins: &Origins, first: &Typed, count: usize) -> String {
    let token = String::from_utf8_lossy(tokenizer.token_bytes(first.id));
    let place = path_at(origins, &first.bytes).map_or_else(String::new, |path| format!(" in {path}"));
    match count {
        1 => format!("`{token}` is typed{place}"),
        _ => format!("{count} control tokens are typed, first `{token}`{place}"),
    }
}

fn runs_at<'a>(origins: &'a Origins, span: &'a Range<usize>) -> impl Iterator<Item = usize> + 'a {
    let first = origins.runs.partition_point(|run| run.bytes.end <= span.start);
    let here = origins.runs[first..].iter().take_while(move |run| run.bytes.start < span.end);
    here.filter_map(|run| match run.origin {
        Origin::Field { field, .. } | Origin::Made { field, .. } => Some(field),
        Origin::Scaffold => None,
    })
}

fn path_at(origins: &Origins, span: &Range<usize>) -> Option<String> {
    runs_at(origins, span).next().map(|field| origins.path(field))
}

/// Whether a token stands wholly in text of trained messages.
fn written_by_model(origins: &Origins, span: &Range<usize>, conversation: &Conversation, policy: &Policy) -> bool {
    runs_at(origins, span).all(|field| {
        let Some(field) = origins.field(field) else { return false };
        let text = matches!(field.kind, FieldKind::Content | FieldKind::Reasoning | FieldKind::ToolCall);
        let source = field.message.and_then(|message| conversation.sources.get(message));
        text && source.is_some_and(|source| source.role == "assistant" || policy.role(&source.role).trained)
    })
}
