//! From decisions to the record: every token of a row with what it is, whether it is trained, and why.

use std::ops::Range;

use crate::compile::Plan;
use crate::label::Piece;
use crate::record::{Reason, Record, Span, TokenKind};
use crate::scan::Found;
use crate::vector::Lanes;

/// What is known of a row besides its ids.
///
/// ```
/// use lossmask::{Masker, MaskerOptions, RowContext};
///
/// let masker = Masker::new(&MaskerOptions { train_on_inputs: true, ignore_token_ids: vec![0], ..MaskerOptions::default() })?;
/// let context = RowContext { tokens: Some(1..3), pad_token_ids: &[0] };
/// assert_eq!(masker.record(&[0, 7, 8, 0], &context).trained_count(), 2);
/// # Ok::<(), lossmask::BuildError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RowContext<'a> {
    /// The tokens that are not padding, where padding is known by position. Only these are scanned.
    pub tokens: Option<Range<usize>>,
    /// Ignored ids that are padding; every other ignored id is a media token.
    pub pad_token_ids: &'a [i32],
}

impl RowContext<'_> {
    /// The tokens of a row of some length that are not padding.
    pub(crate) fn tokens(&self, length: usize) -> Range<usize> {
        self.tokens.clone().unwrap_or(0..length)
    }
}

/// The record of a row with these turns, which are counted from the first of the context's tokens.
pub(crate) fn record<L: Lanes>(plan: &Plan, ids: &[L], turns: &[Found], context: &RowContext<'_>) -> Record {
    let tokens = context.tokens(ids.len());
    let row = &ids[tokens.clone()];
    let rules = plan.row_rules(turns);
    let mut spans = Spans { spans: Vec::new() };
    let outside = |tokens, spans: &mut Spans| {
        let (trained, reason) = match plan.train_on_inputs {
            true => (true, Reason::TrainOnInputs),
            false => (false, Reason::Outside),
        };
        spans.add(Piece { tokens, kind: TokenKind::Scaffold, trained, reason }, None);
    };
    for (index, turn) in turns.iter().enumerate() {
        plan.pieces(row, turn, index, &rules, |piece| {
            outside(spans.end()..piece.tokens.start, &mut spans);
            spans.add(piece, Some(index as u32));
        });
    }
    outside(spans.end()..row.len(), &mut spans);
    let turns = turns.iter().enumerate().map(|(index, turn)| plan.public_turn(turn, index, &rules)).collect();
    let mut record = Record { roles: plan.roles.clone(), turns, spans: cut_ignored(plan, row, spans.spans, context) };
    shift(&mut record, tokens, ids.len());
    record
}

/// Splits the spans at ignored ids.
fn cut_ignored<L: Lanes>(plan: &Plan, row: &[L], spans: Vec<Span>, context: &RowContext<'_>) -> Vec<Span> {
    if plan.ignored.is_empty() {
        return spans;
    }
    let mut cut = Spans { spans: Vec::with_capacity(spans.len()) };
    for span in spans {
        let mut from = span.tokens.start;
        for at in span.tokens.clone() {
            let Some(id) = row[at].to_i32().filter(|_| plan.ignored.contains(row[at])) else { continue };
            let (kind, reason) = match context.pad_token_ids.contains(&id) {
                true => (TokenKind::Pad, Reason::Pad),
                false => (TokenKind::Media, Reason::Media),
            };
            cut.push(Span { tokens: from..at, ..span.clone() });
            cut.push(Span { tokens: at..at + 1, turn: span.turn, kind, trained: false, reason, weight: 0.0 });
            from = at + 1;
        }
        cut.push(Span { tokens: from..span.tokens.end, ..span });
    }
    cut.spans
}

/// Spans in order and without gaps.
struct Spans {
    spans: Vec<Span>,
}

impl Spans {
    fn end(&self) -> usize {
        self.spans.last().map_or(0, |span| span.tokens.end)
    }

    /// Adds a piece that begins at the end of the spans or before it. Where it overlaps what is there already, a trained
    /// token stays trained, and else the earlier turn keeps its end marker.
    fn add(&mut self, piece: Piece, turn: Option<u32>) {
        let weight = if piece.trained { 1.0 } else { 0.0 };
        let Piece { tokens, kind, trained, reason } = piece;
        let span = Span { tokens, turn, kind, trained, reason, weight };
        let fresh = span.tokens.start.max(self.end())..span.tokens.end;
        if trained && span.tokens.start < self.end() {
            self.override_untrained(&span);
        }
        self.push(Span { tokens: fresh, ..span });
    }

    fn override_untrained(&mut self, over: &Span) {
        let first = self.spans.partition_point(|span| span.tokens.end <= over.tokens.start);
        for span in self.spans.split_off(first) {
            if span.trained {
                self.push(span);
                continue;
            }
            let start = span.tokens.start.max(over.tokens.start);
            let end = span.tokens.end.min(over.tokens.end);
            self.push(Span { tokens: span.tokens.start..start, ..span.clone() });
            self.push(Span { tokens: start..end, ..over.clone() });
            self.push(Span { tokens: end.max(start)..span.tokens.end, ..span });
        }
    }

    /// Appends a span unless it is empty, joining it to an equal neighbour.
    fn push(&mut self, span: Span) {
        if span.tokens.is_empty() {
            return;
        }
        if let Some(last) = self.spans.last_mut() {
            let joined = Span { tokens: last.tokens.start..span.tokens.end, ..span.clone() };
            if (Span { tokens: joined.tokens.clone(), ..last.clone() }) == joined {
                *last = joined;
                return;
            }
        }
        self.spans.push(span);
    }
}

/// Moves a record of a row's tokens to their place among the padding.
fn shift(record: &mut Record, tokens: Range<usize>, length: usize) {
    let by = tokens.start;
    for turn in &mut record.turns {
        for at in [&mut turn.start, &mut turn.content_start, &mut turn.content_end, &mut turn.end] {
            *at += by;
        }
    }
    for span in &mut record.spans {
        span.tokens = span.tokens.start + by..span.tokens.end + by;
    }
    let pad = |tokens: Range<usize>| Span {
        tokens,
        turn: None,
        kind: TokenKind::Pad,
        trained: false,
        reason: Reason::Pad,
        weight: 0.0,
    };
    if by > 0 {
        record.spans.insert(0, pad(0..by));
    }
    if tokens.end < length {
        record.spans.push(pad(tokens.end..length));
    }
}
