//! What each token of a rendered row is made of.

use std::ops::Range;

use crate::template::{FieldKind, Origin, Origins};

/// What a token's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Written by the template (role names too).
    Scaffold,
    Content,
    Reasoning,
    ToolCall,
    /// Other data: a tool's name, a tool declaration.
    Other,
}

/// One token's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TokenOrigin {
    /// The message its data belongs to; for scaffold, the message that the template was writing.
    pub(crate) message: Option<u32>,
    /// What it is made of; of a mixed token, its data.
    pub(crate) part: Part,
    /// Whether all of it is data.
    pub(crate) whole: bool,
    /// First run of the origins that it overlaps.
    pub(crate) first_run: u32,
}

impl TokenOrigin {
    /// Whether any of the token is data.
    pub(crate) fn is_data(&self) -> bool {
        self.part != Part::Scaffold
    }

    /// Whether the token is text of a message: something that the message's role decides about.
    pub(crate) fn is_message_text(&self) -> bool {
        matches!(self.part, Part::Content | Part::Reasoning | Part::ToolCall)
    }
}

/// Stretches of reasoning that stand inside a message's content: bytes of the field, per message.
pub(crate) type InlineReasoning = Vec<Option<Range<usize>>>;

/// The origin of every token.
pub(crate) fn of_tokens(spans: &[Range<usize>], origins: &Origins, inline: &InlineReasoning) -> Vec<TokenOrigin> {
    let runs = &origins.runs;
    let mut first = 0;
    let mut out = Vec::with_capacity(spans.len());
    for span in spans {
        while first < runs.len() && runs[first].bytes.end <= span.start {
            first += 1;
        }
        let mut token = TokenOrigin { message: None, part: Part::Scaffold, whole: true, first_run: first as u32 };
        for run in runs[first..].iter().take_while(|run| run.bytes.start < span.end.max(span.start + 1)) {
            let (part, message) = part_of(origins, run, span, inline);
            if part == Part::Scaffold {
                token.whole = false;
                token.message = token.message.or(run.message.map(|message| message as u32));
            } else if !token.is_data() {
                token.part = part;
                token.message = message.map(|message| message as u32);
            }
        }
        token.whole &= token.is_data();
        out.push(token);
    }
    out
}

fn part_of(
    origins: &Origins,
    run: &crate::template::Run,
    span: &Range<usize>,
    inline: &InlineReasoning,
) -> (Part, Option<usize>) {
    let (Origin::Field { field, range } | Origin::Made { field, range }) = &run.origin else {
        return (Part::Scaffold, run.message);
    };
    let Some(data) = origins.field(*field) else { return (Part::Scaffold, run.message) };
    let message = data.message.or(run.message);
    let part = match data.kind {
        FieldKind::Role => return (Part::Scaffold, run.message.or(data.message)),
        FieldKind::Reasoning => Part::Reasoning,
        // A call's name in the header of its result.
        FieldKind::ToolCall if run.message.is_some() && run.message != data.message => {
            return (Part::Other, run.message);
        }
        FieldKind::ToolCall => Part::ToolCall,
        FieldKind::Content => match data.message.and_then(|message| inline.get(message)?.as_ref()) {
            Some(reasoning) => {
                let at = range.start + span.start.max(run.bytes.start) - run.bytes.start;
                if reasoning.contains(&at) { Part::Reasoning } else { Part::Content }
            }
            None => Part::Content,
        },
        FieldKind::Message | FieldKind::Property | FieldKind::Declaration => Part::Other,
    };
    (part, message)
}

/// Bytes of the text that come from data, in order.
pub(crate) fn data_ranges(origins: &Origins) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for run in &origins.runs {
        let (Origin::Field { field, .. } | Origin::Made { field, .. }) = &run.origin else { continue };
        if run.bytes.is_empty() || origins.field(*field).is_some_and(|field| field.kind == FieldKind::Role) {
            continue;
        }
        match ranges.last_mut() {
            Some(last) if last.end == run.bytes.start => last.end = run.bytes.end,
            _ => ranges.push(run.bytes.clone()),
        }
    }
    ranges
}
