//! The tokens of a row's pieces, with what is trained of them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use lossmask::{Reason, Record, Span, TokenKind, Turn};

/// What rows are made with beside the declaration.
pub(crate) struct Settings {
    pub train_on_inputs: bool,
    /// Weight in the loss per role; a role not listed weighs 1.
    pub weights: BTreeMap<String, f32>,
    /// Ids that are never trained.
    pub ignored: Vec<i32>,
    pub bos_token_id: Option<i32>,
    pub eos_token_id: Option<i32>,
    pub sequence_len: Option<usize>,
}

/// A row as it grows.
#[derive(Default)]
pub(crate) struct Builder {
    pub ids: Vec<i32>,
    pub record: Record,
}

impl Builder {
    /// Begins a turn of a role at the row's end so far.
    pub(super) fn begin(&mut self, role: &str, trained: bool) {
        let roles = &mut self.record.roles;
        let index = roles.iter().position(|known| &**known == role).unwrap_or_else(|| {
            roles.push(Arc::from(role));
            roles.len() - 1
        });
        let at = self.ids.len();
        self.record.turns.push(Turn {
            role: index as u32,
            start: at,
            content_start: at,
            content_end: at,
            end: at,
            trained,
            terminated: true,
        });
    }

    /// Appends ids of one kind to the turn that was begun last.
    pub(super) fn push(&mut self, ids: &[i32], kind: TokenKind, trained: bool, settings: &Settings) {
        let start = self.ids.len();
        self.ids.extend_from_slice(ids);
        let (trained, reason) = decide(kind, trained, settings.train_on_inputs);
        let role = self.record.turns.last().map_or("", |turn| &*self.record.roles[turn.role as usize]);
        let weight = if trained { settings.weights.get(role).copied().unwrap_or(1.0) } else { 0.0 };
        let mut from = start;
        for at in start..self.ids.len() {
            if settings.ignored.contains(&self.ids[at]) {
                self.span(from..at, kind, (trained, reason, weight));
                self.span(at..at + 1, TokenKind::Media, (false, Reason::Media, 0.0));
                from = at + 1;
            }
        }
        self.span(from..self.ids.len(), kind, (trained, reason, weight));
        let end = self.ids.len();
        if let Some(turn) = self.record.turns.last_mut() {
            turn.end = end;
            match kind {
                TokenKind::Scaffold | TokenKind::Header if turn.content_start == start => turn.content_start = end,
                TokenKind::End => return,
                _ => {}
            }
            turn.content_end = end;
        }
    }

    fn span(&mut self, tokens: Range<usize>, kind: TokenKind, (trained, reason, weight): (bool, Reason, f32)) {
        if tokens.is_empty() {
            return;
        }
        let turn = self.record.turns.len().checked_sub(1).map(|turn| turn as u32);
        self.record.spans.push(Span { tokens, turn, kind, trained, reason, weight });
    }
}

impl Builder {
    /// Rows of at most `len` tokens.
    pub(super) fn chunks(self, len: usize) -> Vec<Builder> {
        let starts = (0..self.ids.len()).step_by(len.max(1));
        starts.map(|start| self.part(start..self.ids.len().min(start + len.max(1)))).collect()
    }

    fn part(&self, tokens: Range<usize>) -> Builder {
        let within = |at: usize| at.clamp(tokens.start, tokens.end) - tokens.start;
        let spans = self
            .record
            .spans
            .iter()
            .map(|span| Span { tokens: within(span.tokens.start)..within(span.tokens.end), ..span.clone() });
        let turns = self.record.turns.iter().map(|turn| Turn {
            start: within(turn.start),
            content_start: within(turn.content_start),
            content_end: within(turn.content_end),
            end: within(turn.end),
            ..*turn
        });
        let record = Record {
            roles: self.record.roles.clone(),
            turns: turns.collect(),
            spans: spans.filter(|span| !span.tokens.is_empty()).collect(),
        };
        Builder { ids: self.ids[tokens].to_vec(), record }
    }
}

fn decide(kind: TokenKind, trained: bool, train_on_inputs: bool) -> (bool, Reason) {
    match (trained, kind) {
        (false, TokenKind::Header) if !train_on_inputs => (false, Reason::Header),
        (true, TokenKind::End) => (true, Reason::TrainOnEos),
        (true, _) => (true, Reason::Role),
        (false, _) if train_on_inputs => (true, Reason::TrainOnInputs),
        (false, TokenKind::Scaffold) => (false, Reason::Scaffold),
        (false, _) => (false, Reason::RoleNotTrained),
    }
}
