//! A token that stands for many becomes many, and the record grows with it.

use std::ops::Range;

use lossmask::{Reason, Record, Span, TokenKind};

use super::Placed;
use crate::row::{EncodedRow, RowError, RowMedia};

/// Unfolds a row's media. `spans` are the bytes of the row's tokens in the edited text.
///
/// Everything that lies wholly within a piece of media is media and is not trained, whatever a route made of it.
pub(crate) fn unfold(
    row: &mut EncodedRow,
    spans: Option<&[Range<usize>]>,
    placed: Vec<Placed>,
) -> Result<(), RowError> {
    if placed.is_empty() {
        return Ok(());
    }
    let Some(spans) = spans else {
        return Err(RowError {
            code: "spans-unproven",
            path: None,
            message: "the tokens cannot be proven to spell the text, so where the media stand is not known".to_owned(),
            hint: Some("use another tokenizer file".to_owned()),
        });
    };
    let inside: Vec<Range<usize>> = placed.iter().map(|placed| tokens_within(spans, &placed.bytes)).collect();
    let mut counts = vec![1u32; row.ids.len()];
    for (start, count) in placed.iter().flat_map(|placed| &placed.folded) {
        let at = spans.partition_point(|span| span.start < *start);
        if let Some(token) = counts.get_mut(at) {
            *token = *count;
        }
    }
    let mut starts = Vec::with_capacity(counts.len() + 1);
    let mut total = 0usize;
    for count in &counts {
        starts.push(total);
        total += *count as usize;
    }
    starts.push(total);
    let map = |at: usize| starts[at.min(counts.len())];

    let mut ids = Vec::with_capacity(total);
    for (id, count) in row.ids.iter().zip(&counts) {
        ids.extend(std::iter::repeat_n(*id, *count as usize));
    }
    row.ids = ids;
    mask(&mut row.record, &inside);
    for span in &mut row.record.spans {
        span.tokens = map(span.tokens.start)..map(span.tokens.end);
    }
    for turn in &mut row.record.turns {
        for position in [&mut turn.start, &mut turn.content_start, &mut turn.content_end, &mut turn.end] {
            *position = map(*position);
        }
    }
    for span in row.diagnostics.iter_mut().filter_map(|diagnosis| diagnosis.span.as_mut()) {
        *span = map(span.start)..map(span.end);
    }
    row.media = placed
        .into_iter()
        .zip(inside)
        .map(|(placed, tokens)| RowMedia {
            kind: placed.kind,
            reference: placed.reference,
            tokens: map(tokens.start)..map(tokens.end),
            grid: placed.expansion.grid,
        })
        .collect();
    Ok(())
}

/// The tokens that lie wholly within a stretch of the text.
fn tokens_within(spans: &[Range<usize>], bytes: &Range<usize>) -> Range<usize> {
    let start = spans.partition_point(|span| span.start < bytes.start);
    let end = spans.partition_point(|span| span.end <= bytes.end);
    start..end.max(start)
}

/// Makes the tokens of `inside` media that is not trained.
fn mask(record: &mut Record, inside: &[Range<usize>]) {
    let mut spans: Vec<Span> = Vec::with_capacity(record.spans.len() + 2 * inside.len());
    let mut next = 0;
    for span in record.spans.drain(..) {
        let mut rest = span.tokens.clone();
        while next < inside.len() && inside[next].end <= rest.start {
            next += 1;
        }
        for media in inside[next..].iter().take_while(|media| media.start < span.tokens.end) {
            let covered = media.start.max(rest.start)..media.end.min(rest.end);
            if covered.is_empty() {
                continue;
            }
            push(&mut spans, Span { tokens: rest.start..covered.start, ..span.clone() });
            let masked =
                Span { kind: TokenKind::Media, trained: false, reason: Reason::Media, weight: 0.0, ..span.clone() };
            push(&mut spans, Span { tokens: covered.clone(), ..masked });
            rest.start = covered.end;
        }
        push(&mut spans, Span { tokens: rest, ..span });
    }
    record.spans = spans;
}

/// Appends a span, joined to the one before it where they say the same.
fn push(spans: &mut Vec<Span>, span: Span) {
    if span.tokens.is_empty() {
        return;
    }
    match spans.last_mut() {
        Some(last) if Span { tokens: last.tokens.clone(), ..span.clone() } == *last => {
            last.tokens.end = span.tokens.end
        }
        _ => spans.push(span),
    }
}
