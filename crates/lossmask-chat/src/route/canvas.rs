//! A row's decisions token by token, while they are being made.

use lossmask::{Reason, Record, Span, TokenKind};

/// One token's decision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Paint {
    pub(crate) turn: Option<u32>,
    pub(crate) kind: TokenKind,
    pub(crate) trained: bool,
    pub(crate) reason: Reason,
    pub(crate) weight: f32,
}

impl Paint {
    /// A token of no turn.
    pub(crate) const OUTSIDE: Paint =
        Paint { turn: None, kind: TokenKind::Scaffold, trained: false, reason: Reason::Outside, weight: 0.0 };

    /// Sets the decision.
    pub(crate) fn decide(&mut self, trained: bool, reason: Reason) {
        self.trained = trained;
        self.reason = reason;
        self.weight = if trained { 1.0 } else { 0.0 };
    }
}

/// The decision of every token of a record.
pub(crate) fn unroll(record: &Record) -> Vec<Paint> {
    let mut canvas = Vec::with_capacity(record.token_count());
    for span in &record.spans {
        let paint =
            Paint { turn: span.turn, kind: span.kind, trained: span.trained, reason: span.reason, weight: span.weight };
        canvas.extend(std::iter::repeat_n(paint, span.tokens.len()));
    }
    canvas
}

/// The spans of a canvas: runs of equal decisions.
pub(crate) fn roll(canvas: &[Paint]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut last: Option<Paint> = None;
    for (at, paint) in canvas.iter().enumerate() {
        match spans.last_mut() {
            Some(span) if last == Some(*paint) => span.tokens.end = at + 1,
            _ => {
                let Paint { turn, kind, trained, reason, weight } = *paint;
                spans.push(Span { tokens: at..at + 1, turn, kind, trained, reason, weight });
                last = Some(*paint);
            }
        }
    }
    spans
}
