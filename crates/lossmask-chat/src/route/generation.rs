//! `{% generation %}` blocks: what transformers' `return_assistant_tokens_mask` marks, and turn by turn.

use std::ops::Range;
use std::sync::Arc;

use lossmask::{Reason, Record, TokenKind, Turn};

use super::Row;
use super::canvas::{Paint, roll};
use super::policy::Policy;
use crate::spec::Straddle;

/// The row's record by its generation blocks. A token that overlaps a block is part of it, unless `straddle` excludes it.
pub(crate) fn record(
    row: &Row<'_>,
    blocks: &[Range<usize>],
    policy: &Policy,
    straddle: Option<Straddle>,
    ignored: &[i32],
    flags: bool,
) -> Record {
    let off = Paint { reason: Reason::NotGenerated, ..Paint::OUTSIDE };
    let mut canvas = vec![off; row.ids.len()];
    let mut turns = Vec::with_capacity(blocks.len());
    for block in blocks.iter().filter(|block| !block.is_empty()) {
        let tokens = tokens_of(row, block, straddle);
        if tokens.is_empty() {
            continue;
        }
        let index = turns.len() as u32;
        let mut trained = false;
        for at in tokens.clone() {
            // Templates write a block's edges while their loop stands at another message.
            let is_answer = |&owner: &u32| {
                row.conversation.sources.get(owner as usize).is_some_and(|source| source.role == "assistant")
            };
            let owner = row.tokens.get(at).and_then(|token| token.message).filter(is_answer);
            let verdict = owner.and_then(|owner| policy.message(row.conversation, owner, flags));
            let verdict = verdict.unwrap_or_else(|| policy.role("assistant"));
            let paint = &mut canvas[at];
            *paint = Paint { turn: Some(index), kind: TokenKind::Content, ..*paint };
            let reason = if verdict.trained { Reason::Generation } else { verdict.reason };
            paint.decide(verdict.trained, reason);
            paint.weight = verdict.weight;
            trained |= verdict.trained;
        }
        let (start, end) = (tokens.start, tokens.end);
        turns.push(Turn { role: 0, start, content_start: start, content_end: end, end, trained, terminated: true });
    }
    for (paint, id) in canvas.iter_mut().zip(row.ids) {
        if ignored.contains(id) {
            paint.kind = TokenKind::Media;
            paint.decide(false, Reason::Media);
        }
    }
    Record { roles: vec![Arc::from("assistant")], turns, spans: roll(&canvas) }
}

fn tokens_of(row: &Row<'_>, block: &Range<usize>, straddle: Option<Straddle>) -> Range<usize> {
    match straddle {
        Some(Straddle::Exclude) => {
            let start = row.spans.partition_point(|span| span.start < block.start);
            let end = row.spans.partition_point(|span| span.end <= block.end);
            start..end.max(start)
        }
        Some(Straddle::Include) | None => {
            let start = row.spans.partition_point(|span| span.end <= block.start);
            let end = row.spans.partition_point(|span| span.start < block.end);
            start..end.max(start)
        }
    }
}
