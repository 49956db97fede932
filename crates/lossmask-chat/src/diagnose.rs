//! What is odd about a row that was encoded.

use std::collections::HashSet;

use lossmask::{Diagnosis, Masker, Record, Severity, Turns};
use serde_json::Value;

use crate::message::{Conversation, Notes};
use crate::route::origin::InlineReasoning;
use crate::route::policy::Policy;
use crate::row::Status;
use crate::spec::EncoderSpec;
use crate::template::{FieldKind, Origin, Origins, RenderInput, Template};
use crate::tokenizer::Tokenizer;

fn diagnosis(code: &'static str, severity: Severity, message: String, hint: &str) -> Diagnosis {
    Diagnosis { code, severity, span: None, message, hint: Some(hint.to_owned()) }
}

/// What was left out of a row before the template saw it.
pub(crate) fn notes(notes: &Notes) -> impl Iterator<Item = Diagnosis> {
    let nulls = (notes.nulls > 0).then(|| {
        let message = format!("keys that hold null, left out of the row's tools and tool calls: {}", notes.nulls);
        let hint =
            "`datasets` gives every row the keys of all rows; where null is meant, set `lossmask: {nulls: keep}`";
        diagnosis("nulls-dropped", Severity::Info, message, hint)
    });
    let unread = (!notes.unread.is_empty()).then(|| {
        let keys: Vec<&str> = notes.unread.iter().map(String::as_str).collect();
        let message = format!("nothing reads these keys of messages: {}", keys.join(", "));
        let hint = "a flag for the loss is read by message_field_training; other keys do no harm";
        diagnosis("unread-keys", Severity::Info, message, hint)
    });
    nulls.into_iter().chain(unread)
}

/// Data that the template left out of the text.
pub(crate) struct Unrendered<'a> {
    pub(crate) conversation: &'a Conversation,
    pub(crate) template: &'a Template,
    /// Reasoning within content, per message.
    pub(crate) inline: &'a InlineReasoning,
    pub(crate) policy: &'a Policy,
    pub(crate) turns: Turns,
}

/// A part of a message that is not in the text.
struct Loss {
    message: usize,
    kind: FieldKind,
    path: String,
}

/// Which parts of which messages a text holds.
struct Shown {
    fields: HashSet<(Option<usize>, FieldKind)>,
    /// Messages of which the reasoning within their content is there.
    inline: HashSet<usize>,
}

impl Shown {
    fn of(origins: &Origins, inline: &InlineReasoning) -> Self {
        let mut shown = Shown { fields: HashSet::new(), inline: HashSet::new() };
        for run in &origins.runs {
            let (Origin::Field { field, range } | Origin::Made { field, range }) = &run.origin else { continue };
            let Some(field) = origins.field(*field) else { continue };
            shown.fields.insert((field.message, field.kind));
            let reasoning = field.message.and_then(|message| Some((message, inline.get(message)?.as_ref()?)));
            if let Some((message, reasoning)) = reasoning
                && range.start < reasoning.end
                && reasoning.start < range.end
            {
                shown.inline.insert(message);
            }
        }
        shown
    }

    fn has(&self, message: usize, kind: FieldKind) -> bool {
        let whole = |kind| self.fields.contains(&(Some(message), kind));
        whole(kind) || whole(FieldKind::Message) || (kind == FieldKind::Reasoning && self.inline.contains(&message))
    }
}

impl Unrendered<'_> {
    /// One diagnosis for each kind of data that is lost.
    pub(crate) fn diagnoses(&self, origins: &Origins) -> Vec<Diagnosis> {
        let shown = Shown::of(origins, self.inline);
        let losses = self.losses(&shown);
        let kinds = [FieldKind::Content, FieldKind::Reasoning, FieldKind::ToolCall];
        let mut found: Vec<Diagnosis> = kinds.into_iter().filter_map(|kind| self.diagnose(kind, &losses)).collect();
        if self.conversation.tools.is_some() && !shown.fields.contains(&(None, FieldKind::Declaration)) {
            found.push(diagnosis(
                "field-not-rendered",
                Severity::Error,
                "the row declares tools, and the text does not tell of them".to_owned(),
                "the chat template leaves tools out; use one that prints them",
            ));
        }
        found
    }

    fn losses(&self, shown: &Shown) -> Vec<Loss> {
        let mut losses = Vec::new();
        for (index, (message, source)) in self.conversation.messages.iter().zip(&self.conversation.sources).enumerate()
        {
            for (key, value) in message.as_object().into_iter().flatten() {
                let kind = FieldKind::of(key);
                let told = matches!(kind, FieldKind::Content | FieldKind::Reasoning | FieldKind::ToolCall);
                if told && has_text(value) && !shown.has(index, kind) {
                    losses.push(Loss { message: index, kind, path: format!("{}.{key}", source.path) });
                }
            }
            let inline = self.inline.get(index).is_some_and(Option::is_some);
            if inline && !shown.has(index, FieldKind::Reasoning) && shown.has(index, FieldKind::Content) {
                let path = format!("the reasoning in {}.content", source.path);
                losses.push(Loss { message: index, kind: FieldKind::Reasoning, path });
            }
        }
        losses
    }

    /// What is lost of one kind: an answer that is trained without it weighs more than one that is not trained.
    fn diagnose(&self, kind: FieldKind, losses: &[Loss]) -> Option<Diagnosis> {
        let mut losses = losses.iter().filter(|loss| loss.kind == kind);
        let first = losses.clone().next()?;
        let trained = losses.find(|loss| self.is_trained(loss.message));
        let loss = trained.unwrap_or(first);
        if self.is_history(loss) {
            let severity = if trained.is_some() { Severity::Error } else { Severity::Info };
            return Some(diagnosis(
                "history-rewritten",
                severity,
                format!(
                    "{} is in the text only as long as no message follows: the template takes it out of the history",
                    loss.path
                ),
                "answers before the last one are trained without it; set `lossmask.rows: split` (a row for each answer whose context is rewritten) or `rows: last`, or use a template that keeps it",
            ));
        }
        let severity =
            if kind != FieldKind::Reasoning || trained.is_some() { Severity::Error } else { Severity::Warning };
        Some(diagnosis(
            "field-not-rendered",
            severity,
            format!("{} is in the data and not in the text", loss.path),
            "the chat template leaves it out; use another template, or drop the field",
        ))
    }

    /// Whether the template writes it where its message is the last one.
    fn is_history(&self, loss: &Loss) -> bool {
        let messages = &self.conversation.messages;
        if loss.message + 1 == messages.len() {
            return false;
        }
        let input = RenderInput {
            messages: &messages[..=loss.message],
            tools: self.conversation.tools.as_ref(),
            ..RenderInput::default()
        };
        let alone = self.template.render_with_origins(&input);
        alone.is_ok_and(|(_, origins)| Shown::of(&origins, self.inline).has(loss.message, loss.kind))
    }

    fn is_trained(&self, message: usize) -> bool {
        let trained = |message: usize| {
            self.policy.message(self.conversation, message as u32, true).is_some_and(|verdict| verdict.trained)
        };
        let last = || (message + 1..self.conversation.messages.len()).all(|later| !trained(later));
        trained(message) && (self.turns == Turns::All || last())
    }
}

fn has_text(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(|item| match item {
            Value::Object(part) if part.contains_key("type") && part.contains_key("text") => {
                part.get("text").is_some_and(has_text)
            }
            Value::Object(part) => part.get("type").is_none_or(|kind| kind == "function"),
            other => has_text(other),
        }),
        Value::Null => false,
        _ => true,
    }
}

/// What the tokens themselves show, however they were labelled.
pub(crate) fn tokens(tokenizer: &Tokenizer, spec: &EncoderSpec, ids: &[i32], record: &Record) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    if let [first, second, ..] = ids
        && first == second
        && tokenizer.is_special(*first)
    {
        let token = String::from_utf8_lossy(tokenizer.token_bytes(*first));
        let hint = "the template writes the token, and so does the data or a template variable; drop one of them";
        found.push(diagnosis("double-bos", Severity::Error, format!("the row begins with `{token}` twice"), hint));
    }
    if !spec.suspect_media_ids.is_empty() {
        let trained = record.spans.iter().filter(|span| span.trained).flat_map(|span| span.tokens.clone());
        if let Some(at) = trained.into_iter().find(|&at| spec.suspect_media_ids.contains(&ids[at])) {
            let token = String::from_utf8_lossy(tokenizer.token_bytes(ids[at]));
            let message = format!("`{token}` is trained, and its name says that it stands for media");
            let hint = "name it under `lossmask.media`, so that it is never trained";
            let span = Some(at..at + 1);
            found.push(Diagnosis { span, ..diagnosis("media-trained", Severity::Error, message, hint) });
        }
    }
    found
}

/// Tokens shown behind a near miss: a role's name is several in a small vocabulary.
const NEAR_MISS_CONTEXT: usize = 3;

/// A start marker that almost stands in the row. It costs a turn where fewer turns were found than the row has messages to train, and no
/// second route vouches for the labels.
pub(crate) fn near_miss(
    tokenizer: &Tokenizer,
    spec: &EncoderSpec,
    masker: &Masker,
    policy: &Policy,
    conversation: &Conversation,
    (ids, record, status): (&[i32], &Record, Status),
) -> Option<Diagnosis> {
    // A control token is no marker by chance; words are, unless no marker stands in the row at all.
    let misses = masker.near_misses(ids).into_iter();
    let is_control = |at: usize| record.turns.is_empty() || tokenizer.is_added(ids[at]);
    // Where starts begin with the end of the turn before, the row's last end is no start that was missed.
    let closes = |at: usize| record.turns.binary_search_by_key(&at, |turn| turn.content_end).is_ok();
    let mut telling = misses.filter(|miss| is_control(miss.start) && !closes(miss.start)).peekable();
    telling.peek()?;
    let turns = record.turns.iter().filter(|turn| policy.role(&record.roles[turn.role as usize]).trained).count();
    let messages = conversation.sources.iter().filter(|source| policy.role(&source.role).trained).count();
    let severity = if turns < messages && status != Status::Certain { Severity::Error } else { Severity::Info };
    let miss = telling.max_by_key(|miss| (miss.matched, usize::MAX - miss.start))?;
    let here = miss.start..ids.len().min(miss.start + miss.expected);
    let begun = &ids[here.start..here.start + miss.matched];
    let starts =
        spec.masker.boundaries.iter().flat_map(|boundary| boundary.starts.iter().map(|start| (&boundary.role, start)));
    let near: Vec<_> = starts.filter(|(_, start)| start.starts_with(begun)).collect();
    // What is missed is rather a turn to train.
    let (role, marker) = near.iter().find(|(role, _)| policy.role(role).trained).or(near.first())?;
    let shown = here.start..ids.len().min(here.end + NEAR_MISS_CONTEXT);
    let message = format!(
        "token {} begins {:?}, which is no start marker; that of {role} is {:?}",
        here.start,
        tokenizer.decode(&ids[shown]),
        tokenizer.decode(marker),
    );
    let hint = "the template writes another marker than the boundaries expect, or a role that they do not name";
    Some(Diagnosis { span: Some(here), ..diagnosis("near-miss", severity, message, hint) })
}
