//! The turns of a rendered conversation: where the boundaries find them in the template's own text, and where a message's
//! text stands without any boundary.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use lossmask::{Boundary, EndKind, Masker, Record, RowContext, Turn};

use super::Row;
use super::canvas::{Paint, unroll};
use super::policy::Policy;
use crate::template::TextTurn;

/// One turn and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) turn: Turn,
    /// The message that the turn's end belongs to; `None`: the template made the turn.
    pub(crate) owner: Option<u32>,
    /// End markers: their tokens, and whose they are.
    pub(crate) ends: Vec<(Range<usize>, EndKind)>,
}

/// What is known of a row before it is decided what of it is trained.
pub(crate) struct Structure {
    pub(crate) roles: Vec<Arc<str>>,
    pub(crate) turns: Vec<Found>,
    /// The boundaries' decisions, with turns numbered as in `turns`.
    pub(crate) canvas: Vec<Paint>,
}

impl Structure {
    /// Moves the beginning of every turn to where the generation prompt ends: the model writes all that follows.
    pub(crate) fn begin_after_prompt(&mut self, row: &Row<'_>) {
        let written = row.template.turns(row.rendered, row.origins);
        for found in &mut self.turns {
            let turn = &mut found.turn;
            let Some(span) = row.spans.get(turn.content_start.min(turn.content_end.saturating_sub(1))) else {
                continue;
            };
            let own = written.iter().find(|text| text.bytes.start < span.end && span.start < text.bytes.end);
            let Some(prompted) = own.and_then(|text| row.template.prompted(row.rendered, text)) else { continue };
            let start = row.spans.partition_point(|span| span.start < prompted);
            let free = |at: &usize| (turn.start..turn.content_end).contains(at) || self.canvas[*at].turn.is_none();
            if start < turn.content_start && (start..turn.content_start).all(|at| free(&at)) {
                turn.content_start = start;
                turn.start = turn.start.min(start);
            }
        }
        renumber(self);
    }
}

/// Finds turns.
pub(crate) struct TurnFinder {
    masker: Masker,
    boundaries: Vec<Boundary>,
    markers: HashSet<i32>,
}

/// How far behind a turn an end token may stand, as in axolotl: templates write white space in between.
const END_REACH: usize = 3;

impl TurnFinder {
    pub(crate) fn new(masker: Masker, boundaries: Vec<Boundary>) -> Self {
        let starts = boundaries.iter().flat_map(|boundary| boundary.starts.iter().flatten());
        let ends = boundaries.iter().flat_map(|boundary| boundary.ends.iter().flat_map(|end| &end.ids));
        let markers = starts.chain(ends).copied().collect();
        TurnFinder { masker, boundaries, markers }
    }

    /// The turns of a row, by the template's text alone: nothing that stands in the data opens or closes a turn.
    pub(crate) fn by_content(&self, row: &Row<'_>, policy: &Policy) -> Structure {
        let ids: Vec<i32> = row
            .ids
            .iter()
            .zip(row.tokens)
            .map(|(&id, token)| if token.whole && self.markers.contains(&id) { -1 } else { id })
            .collect();
        let mut structure = self.scanned(row, &self.masker.record(&ids, &RowContext::default()));
        self.add_messages_without_turn(row, policy, &mut structure);
        structure
    }

    /// The turns of a row, by its ids alone.
    pub(crate) fn by_ids(&self, row: &Row<'_>) -> Structure {
        self.scanned(row, &self.masker.record(row.ids, &RowContext::default()))
    }

    fn scanned(&self, row: &Row<'_>, record: &Record) -> Structure {
        let found = |turn: &Turn| {
            let role = &record.roles[turn.role as usize];
            let ends = self.marker_at(row.ids, turn.content_end, Some(role)).filter(|_| turn.terminated);
            let ends = ends.map(|(length, kind)| (turn.content_end..turn.content_end + length, kind));
            Found { turn: *turn, owner: self.owner(row, turn, role), ends: ends.into_iter().collect() }
        };
        Structure {
            roles: record.roles.clone(),
            turns: record.turns.iter().map(found).collect(),
            canvas: unroll(record),
        }
    }

    /// The message that a turn's end belongs to: the last one with text in it; of a turn without any, the one that the template was
    /// writing, unless that has turns of its own: then the turn is the template's (a default system prompt).
    fn owner(&self, row: &Row<'_>, turn: &Turn, role: &str) -> Option<u32> {
        let text = row.tokens.get(turn.content_start..turn.content_end)?;
        if let Some(last) = text.iter().rev().find(|token| token.is_message_text()) {
            return last.message;
        }
        let written = row.tokens[turn.start..turn.end].iter().rev().find_map(|token| token.message)?;
        let source = row.conversation.sources.get(written as usize)?;
        let has_own = source.role != role && self.boundaries.iter().any(|boundary| boundary.role == source.role);
        (!has_own).then_some(written)
    }

    /// The end marker of a role's boundary at a position, the longest one. `None`: of any boundary, its own only.
    fn marker_at(&self, ids: &[i32], at: usize, role: Option<&str>) -> Option<(usize, EndKind)> {
        let boundaries = self.boundaries.iter().filter(|boundary| role.is_none_or(|role| boundary.role == role));
        let ends = boundaries.flat_map(|boundary| &boundary.ends);
        let here =
            ends.filter(|end| ids[at..].starts_with(&end.ids) && (role.is_some() || end.kind != EndKind::Before));
        here.max_by_key(|end| end.ids.len()).map(|end| (end.ids.len(), end.kind))
    }

    /// Turns for text of messages that no boundary found: an answer right behind another one, a role without a marker, a
    /// family without boundaries.
    fn add_messages_without_turn(&self, row: &Row<'_>, policy: &Policy, structure: &mut Structure) {
        let mut group: Option<(u32, Range<usize>)> = None;
        let mut groups = Vec::new();
        for (at, token) in row.tokens.iter().enumerate() {
            let covered = structure.canvas[at].turn.is_some();
            let own = token.message.filter(|_| token.is_message_text() && !covered);
            match (&mut group, own) {
                (Some((message, tokens)), Some(here)) if *message == here => tokens.end = at + 1,
                (_, Some(here)) => groups.extend(group.replace((here, at..at + 1))),
                (_, None) if covered || token.is_message_text() => groups.extend(group.take()),
                _ => {}
            }
        }
        groups.extend(group);
        if groups.is_empty() {
            return;
        }
        let written = row.template.turns(row.rendered, row.origins);
        let mut groups: Vec<_> = groups.into_iter().flat_map(|group| cut_at_headers(row, &written, group)).collect();
        groups.extend(self.silent(row, structure, &written));
        for (message, tokens) in groups {
            let at = &row.spans[tokens.start];
            let text = written
                .iter()
                .find(|turn| turn.message == message as usize && turn.body.start < at.end && at.start <= turn.body.end);
            let found = self.found(row, policy, structure, message, tokens, text);
            structure.turns.push(found);
        }
        renumber(structure);
    }

    /// Answers without a word: where their end marker is, with no token in front of it.
    fn silent(&self, row: &Row<'_>, structure: &Structure, written: &[TextTurn]) -> Vec<(u32, Range<usize>)> {
        let speaks: HashSet<Option<u32>> =
            row.tokens.iter().filter(|token| token.is_message_text()).map(|token| token.message).collect();
        let answers =
            written.iter().filter(|turn| !turn.end.is_empty() && !speaks.contains(&Some(turn.message as u32)));
        let place = |turn: &TextTurn| {
            let at = row.spans.partition_point(|span| span.start < turn.end.start);
            (at < row.ids.len() && structure.canvas[at].turn.is_none()).then_some((turn.message as u32, at..at))
        };
        answers.filter_map(place).collect()
    }

    fn found(
        &self,
        row: &Row<'_>,
        policy: &Policy,
        structure: &mut Structure,
        message: u32,
        tokens: Range<usize>,
        text: Option<&TextTurn>,
    ) -> Found {
        let role = row.conversation.sources.get(message as usize).map_or("", |source| source.role.as_str());
        let free = |at: &usize| structure.canvas[*at].turn.is_none();
        // The tags around reasoning and tool calls are the turn's too.
        let own = || row.spans[tokens.start].start..row.spans[tokens.end.max(tokens.start + 1) - 1].end;
        let body = text.map_or_else(own, |text| text.body.clone());
        let before = (0..tokens.start).rev().take_while(|at| free(at) && row.spans[*at].start >= body.start);
        let start = before.last().unwrap_or(tokens.start);
        // A blank of the template in front of them is not.
        let is_blank = |at: &usize| !row.tokens[*at].is_data() && row.text_of(*at).trim().is_empty();
        let start = (start..tokens.start).find(|at| !is_blank(at)).unwrap_or(tokens.start);
        let behind = (tokens.end..row.ids.len()).take_while(|at| free(at) && row.spans[*at].end <= body.end);
        let content_end = behind.last().map_or(tokens.end, |at| at + 1);
        let mut ends = self.ends_after(row, policy, structure, role, content_end);
        // The template's own words after every answer are an end too.
        let has_own = self.boundaries.is_empty() || self.boundaries.iter().any(|boundary| boundary.role == role);
        if let Some(text) = text.filter(|text| has_own && !text.end.is_empty()) {
            let marker = (content_end..row.ids.len()).take_while(|at| free(at) && row.spans[*at].end <= text.end.end);
            let marker = marker.last().map(|last| content_end..last + 1);
            let new = marker.filter(|marker| ends.iter().all(|(known, _)| known.start >= marker.end));
            ends.splice(0..0, new.map(|marker| (marker, EndKind::Consumed)));
        }
        let end = ends.last().map_or(content_end, |(marker, kind)| match kind {
            EndKind::Before => content_end,
            _ => marker.end,
        });
        let turn = Turn {
            role: role_index(&mut structure.roles, role),
            start,
            content_start: start,
            content_end,
            end,
            trained: false,
            terminated: true,
        };
        Found { turn, owner: Some(message), ends }
    }

    /// The end markers close behind a turn's content: its boundary's, else those that the config names.
    fn ends_after(
        &self,
        row: &Row<'_>,
        policy: &Policy,
        structure: &Structure,
        role: &str,
        from: usize,
    ) -> Vec<(Range<usize>, EndKind)> {
        let declared = self.boundaries.iter().any(|boundary| boundary.role == role).then_some(role);
        let reach = (from..row.ids.len().min(from + END_REACH + 1))
            .take_while(|&at| structure.canvas[at].turn.is_none() && !row.tokens[at].is_data());
        let mut ends = Vec::new();
        for at in reach {
            if let Some((length, kind)) = self.marker_at(row.ids, at, declared) {
                return vec![(at..at + length, kind)];
            }
            if policy.is_end_token(row.ids[at]) {
                ends.push((at..at + 1, EndKind::Consumed));
            }
        }
        ends
    }
}

/// A message's tokens, cut where the template heads it again: gpt-oss does so between analysis and answer.
fn cut_at_headers(
    row: &Row<'_>,
    written: &[TextTurn],
    (message, tokens): (u32, Range<usize>),
) -> Vec<(u32, Range<usize>)> {
    let own = written.iter().filter(|turn| turn.message == message as usize);
    let starts = own.map(|turn| row.spans.partition_point(|span| span.start < turn.bytes.start));
    let mut cuts = vec![tokens.start];
    cuts.extend(starts.filter(|at| tokens.start < *at && *at < tokens.end));
    cuts.push(tokens.end);
    cuts.sort_unstable();
    let says = |at: &usize| row.tokens[*at].is_message_text() && row.tokens[*at].message == Some(message);
    let part = |cut: &[usize]| {
        let first = (cut[0]..cut[1]).find(says)?;
        let last = (first..cut[1]).rfind(says)?;
        Some((message, first..last + 1))
    };
    cuts.windows(2).filter_map(part).collect()
}

fn role_index(roles: &mut Vec<Arc<str>>, role: &str) -> u32 {
    let known = roles.iter().position(|known| &**known == role);
    known.unwrap_or_else(|| {
        roles.push(Arc::from(role));
        roles.len() - 1
    }) as u32
}

/// Puts the turns in order, and their numbers into the canvas.
fn renumber(structure: &mut Structure) {
    structure.turns.sort_by_key(|found| found.turn.start);
    for (index, found) in structure.turns.iter().enumerate() {
        let marker = found.ends.last().map_or(found.turn.end, |(tokens, _)| tokens.end);
        for paint in &mut structure.canvas[found.turn.start..found.turn.end.max(marker)] {
            // A marker that opens the next turn keeps that turn's number.
            if found.turn.end == marker || paint.turn.is_none() {
                paint.turn = Some(index as u32);
            }
        }
    }
}
