//! Where in the text each message begins, what it says, and the marker that ends it.

use std::ops::Range;

use super::data::FieldKind;
use super::origin::{Origin, Origins, Run};
use super::tags::{Form, tags};
use crate::reasoning;

/// What a text writes for one message, in one place. A message can have several: one per part that is headed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTurn {
    /// Index of the message.
    pub message: usize,
    /// Everything that was written for it.
    pub bytes: Range<usize>,
    /// What it says: content, reasoning and tool calls with the tags the template writes around the latter two. In front of it stands
    /// the header, to which a template-made empty think block belongs.
    pub body: Range<usize>,
    /// The marker that ends the turn, without white space behind it, also where the template writes it with the next message or after the
    /// loop; empty where it writes none.
    pub end: Range<usize>,
}

/// How a template heads and ends the turns of a plain conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    headers: Vec<String>,
    ends: Vec<String>,
    /// What follows every answer, wherever the template writes it: in the next message's iteration, after the loop.
    stop: String,
}

/// Tags around content that the model writes itself.
const CONTENT_TAGS: [(&str, &str); 1] = [("<|START_RESPONSE|>", "<|END_RESPONSE|>")];

/// Where the body begins in what stands in front of the content: everything there is header, but for a blank, which tokenizers write as
/// a part of the first word (`Assistant: Hello`), and for tags that the model writes.
fn body_start_of_content(lead: &str) -> usize {
    let tag = CONTENT_TAGS.iter().filter_map(|(open, _)| lead.rfind(open)).max();
    tag.unwrap_or(lead.trim_end_matches(' ').len())
}

impl Frame {
    /// Where the body begins in what stands in front of the first thing said.
    fn body_start(&self, lead: &str, said: FieldKind, calls: bool) -> usize {
        if let Some(tag) = reasoning::left_open(lead) {
            return tag;
        }
        match said {
            FieldKind::ToolCall => self.header(lead),
            // Words in front of a tool call can stand inside its tags.
            FieldKind::Content if calls && !reasoning::opens(lead) => body_start_of_content(&lead[..self.header(lead)]),
            _ => body_start_of_content(lead),
        }
    }

    /// What stands around the contents of a rendering in which every message has one.
    pub fn of(text: &str, origins: &Origins) -> Frame {
        let mut frame = Frame::default();
        for group in groups(&origins.runs) {
            let own = said(origins, group);
            if let (Some((first, _)), Some((last, _)), Some(bytes)) = (own.first(), own.last(), extent(group)) {
                frame.headers.push(text[bytes.start..first.start].to_owned());
                frame.ends.push(text[last.end..bytes.end].to_owned());
            }
        }
        frame.stop = stop(text, origins).unwrap_or_default().to_owned();
        frame
    }

    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Length of the header of a turn that does not begin with its content.
    fn header(&self, lead: &str) -> usize {
        let common = |header: &String| lead.bytes().zip(header.bytes()).take_while(|(a, b)| a == b).count();
        let len = self.headers.iter().map(common).max().unwrap_or(0);
        let len = (0..=len).rev().find(|&at| lead.is_char_boundary(at)).unwrap_or(0);
        // A tag that only begins alike is no part of the header.
        let len = match lead[..len].rfind(['<', '[']) {
            Some(open) if !lead[open..len].contains(['>', ']']) => open,
            _ => len,
        };
        lead[..len].trim_end_matches(' ').len()
    }

    /// The end marker, with white space after it, in what follows the last thing said.
    fn end(&self, trail: &str, said: FieldKind) -> Range<usize> {
        let tag = CONTENT_TAGS.iter().filter_map(|(_, close)| trail.find(close).map(|at| at + close.len())).max();
        if let Some(end) = tag {
            return end..trail.len();
        }
        let marked =
            self.ends.iter().filter(|end| !end.is_empty() && trail.ends_with(end.as_str())).map(String::len).max();
        match (marked, said) {
            (Some(len), _) => trail.len() - len..trail.len(),
            (None, FieldKind::Content) => 0..trail.len(),
            (None, _) => end_of_call(trail),
        }
    }
}

/// The end marker after a tool call: a tag that closes nothing (`<|call|>`). One that opens something belongs to what follows.
fn end_of_call(trail: &str) -> Range<usize> {
    if let Some(opens) = tags(trail).find(|tag| tag.form == Form::Open) {
        return opens.bytes.start..opens.bytes.start;
    }
    match tags(trail).last().filter(|tag| tag.form == Form::Single && trail[tag.bytes.end..].trim().is_empty()) {
        Some(tag) => tag.bytes.start..trail.len(),
        None => trail.len()..trail.len(),
    }
}

/// What follows both answers of two exchanges, up to what differs: the next header, or the end of the text.
fn stop<'a>(text: &'a str, origins: &Origins) -> Option<&'a str> {
    let said = |message: usize| {
        let own = |run: &&Run| matches!(field_of(origins, run), Some((FieldKind::Content, Some(of))) if of == message);
        let mut runs = origins.runs.iter().filter(own).map(|run| run.bytes.clone());
        let first = runs.next()?;
        Some(first.start..runs.next_back().map_or(first.end, |last| last.end))
    };
    let (first, next, last) = (said(1)?, said(2)?, said(3)?);
    let (inner, outer) = (text.get(first.end..next.start)?, &text[last.end..]);
    let len = inner.char_indices().zip(outer.chars()).take_while(|((_, a), b)| a == b).count();
    let len = inner.char_indices().nth(len).map_or(inner.len(), |(at, _)| at);
    // Half a tag is none.
    let cut = tags(inner).chain(tags(outer)).find(|tag| tag.bytes.start < len && len < tag.bytes.end);
    Some(inner[..cut.map_or(len, |tag| tag.bytes.start)].trim_end())
}

/// Stretches of runs that were written for the same message.
fn groups(runs: &[Run]) -> impl Iterator<Item = &[Run]> {
    runs.chunk_by(|a, b| a.message == b.message).filter(|group| group[0].message.is_some())
}

fn extent(group: &[Run]) -> Option<Range<usize>> {
    Some(group.first()?.bytes.start..group.last()?.bytes.end)
}

/// The kind of a run's field, and its message.
fn field_of(origins: &Origins, run: &Run) -> Option<(FieldKind, Option<usize>)> {
    match run.origin {
        Origin::Scaffold => None,
        Origin::Field { field, .. } | Origin::Made { field, .. } => {
            origins.field(field).map(|field| (field.kind, field.message))
        }
    }
}

/// What the group's message says, in order.
fn said(origins: &Origins, group: &[Run]) -> Vec<(Range<usize>, FieldKind)> {
    let own = |run: &Run| match field_of(origins, run) {
        Some((kind @ (FieldKind::Content | FieldKind::Reasoning | FieldKind::ToolCall), message))
            if message == run.message =>
        {
            Some((run.bytes.clone(), kind))
        }
        _ => None,
    };
    group.iter().filter_map(own).collect()
}

/// The turns of a text.
pub(super) fn turns(text: &str, origins: &Origins, frame: &Frame) -> Vec<TextTurn> {
    let mut turns = Vec::new();
    for group in groups(&origins.runs) {
        let own = said(origins, group);
        for bytes in parts(text, group, &own, frame) {
            turns.extend(turn(text, group, &own, bytes, frame));
        }
    }
    turns
}

/// What is written for one message, cut where it is given a header again: gpt-oss heads the answer behind the analysis.
fn parts(text: &str, group: &[Run], own: &[(Range<usize>, FieldKind)], frame: &Frame) -> Vec<Range<usize>> {
    let (Some(bytes), Some((first, _))) = (extent(group), own.first()) else {
        return extent(group).into_iter().collect();
    };
    let mut cuts = vec![bytes.start, bytes.end];
    for run in group.iter().filter(|run| run.origin == Origin::Scaffold && run.bytes.start >= first.end) {
        let piece = &text[run.bytes.clone()];
        let headers = frame.headers.iter().filter(|header| !header.trim().is_empty());
        let speaks_on = |at: usize| own.iter().any(|(said, _)| said.start >= at);
        cuts.extend(
            headers
                .filter_map(|header| piece.find(header.as_str()))
                .map(|at| run.bytes.start + at)
                .filter(|at| speaks_on(*at)),
        );
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|cut| cut[0]..cut[1]).collect()
}

fn turn(
    text: &str,
    group: &[Run],
    own: &[(Range<usize>, FieldKind)],
    bytes: Range<usize>,
    frame: &Frame,
) -> Option<TextTurn> {
    let message = group.first()?.message?;
    let own: Vec<_> = own.iter().filter(|(said, _)| said.start >= bytes.start && said.end <= bytes.end).collect();
    let (start, end): (usize, Range<usize>) = match (own.first(), own.last()) {
        (Some((first, first_kind)), Some((last, last_kind))) => {
            let calls = own.iter().any(|(_, kind)| *kind == FieldKind::ToolCall);
            let start = bytes.start + frame.body_start(&text[bytes.start..first.start], *first_kind, calls);
            let end = frame.end(&text[last.end..bytes.end], *last_kind);
            (start, last.end + end.start..last.end + end.end)
        }
        // It says nothing: only its end can be told.
        _ => {
            let all = &text[bytes.clone()];
            let end = all.len() - frame.ends.iter().filter(|end| all.ends_with(*end)).map(String::len).max()?;
            (bytes.start + body_start_of_content(&all[..end]), bytes.start + end..bytes.end)
        }
    };
    let mut marker = end.start..end.start + text[end.clone()].trim_end().len();
    if marker.is_empty() && text[marker.start..].starts_with(&frame.stop) {
        marker.end += frame.stop.len();
    }
    Some(TextTurn { message, bytes, body: start..end.start, end: marker })
}
