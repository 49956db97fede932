//! Two routes over one row: where they differ first.

use lossmask::{Diagnosis, Record, Severity};

use super::Row;
use super::canvas::unroll;

/// Which tokens a comparison looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every token.
    All,
    /// Text of messages: routes may have different rules for what the template wrote.
    MessageText,
}

/// The first token that one route trains and the other does not.
pub(crate) fn conflict(
    row: &Row<'_>,
    scope: Scope,
    first: (&str, &Record),
    second: (&str, &Record),
) -> Option<Diagnosis> {
    let (a, b) = (unroll(first.1), unroll(second.1));
    let looks_at = |at: usize| match scope {
        Scope::All => true,
        Scope::MessageText => row.tokens[at].whole && row.tokens[at].is_message_text(),
    };
    let at = (0..a.len()).find(|&at| looks_at(at) && a[at].trained != b[at].trained)?;
    let reading = |(name, _): (&str, &Record), paint: &super::canvas::Paint| {
        let verb = if paint.trained { "trains" } else { "does not train" };
        format!("the {name} route {verb} it ({}, {})", paint.kind.name(), paint.reason.name())
    };
    let token = String::from_utf8_lossy(row.tokenizer.token_bytes(row.ids[at])).into_owned();
    Some(Diagnosis {
        code: "routes-differ",
        severity: Severity::Error,
        span: Some(at..at + 1),
        message: format!("token {at} ({token:?}): {}, {}", reading(first, &a[at]), reading(second, &b[at])),
        hint: Some(format!("the labels are those of the {} route; set `route` to choose one", first.0)),
    })
}
