//! What the ids of a row alone show to be odd about its turns.

use std::ops::Range;

use crate::compile::{EndSet, Plan};
use crate::diagnosis::{Diagnosis, Severity};
use crate::options::EndKind;
use crate::scan::Found;
use crate::vector::Lanes;

/// An end marker that ends nothing.
struct StrayEnd {
    marker: Range<usize>,
    /// The first token after the end of the turn before.
    text: usize,
    /// Where in between a start marker nearly is.
    near_miss: Option<usize>,
}

/// See [`Masker::diagnose`](crate::Masker::diagnose).
pub(crate) fn diagnose<L: Lanes>(plan: &Plan, ids: &[L], turns: &[Found]) -> Vec<Diagnosis> {
    // Where only one role is declared, all that is not its own lies outside on purpose.
    if plan.train_on_inputs || plan.roles.len() < 2 {
        return Vec::new();
    }
    stray_ends(plan, ids, turns).into_iter().map(diagnosis).collect()
}

/// Where an end marker lies outside of every turn with text in front of it, or ends a turn, should open the next one
/// as well, and opens none.
fn stray_ends<L: Lanes>(plan: &Plan, ids: &[L], turns: &[Found]) -> Vec<StrayEnd> {
    let mut strays = Vec::new();
    for (index, turn) in turns.iter().enumerate() {
        let next = turns.get(index + 1);
        let gap = turn.end()..next.map_or(ids.len(), |next| next.start);
        if turn.end == Some(EndKind::Anchor) && next.is_some_and(|next| next.start > turn.content_end) {
            strays.push(stray_end(plan, ids, gap.start, turn.content_end..turn.marker_end, gap.end));
        }
        strays_between(plan, ids, gap, &mut strays);
    }
    strays
}

/// `gap` lies between turns.
fn strays_between<L: Lanes>(plan: &Plan, ids: &[L], gap: Range<usize>, strays: &mut Vec<StrayEnd>) {
    let at_row_end = gap.end == ids.len();
    let mut text = gap.start;
    let mut at = gap.start;
    while at < gap.end {
        let Some(end) = own_end_at(plan, ids, at, gap.end) else {
            at += 1;
            continue;
        };
        let mut run = end;
        while let Some(next) = own_end_at(plan, ids, run, gap.end) {
            run = next;
        }
        // Several to the end of the row are padding whose id is that of the marker.
        let padding = at_row_end && run == ids.len() && run > end;
        if at > text && !padding {
            strays.push(stray_end(plan, ids, text, at..end, at));
        }
        (text, at) = (run, run);
    }
}

fn stray_end<L: Lanes>(plan: &Plan, ids: &[L], text: usize, marker: Range<usize>, until: usize) -> StrayEnd {
    let near_miss = (text..until).find(|&at| plan.starts.automaton.prefix_at(ids, at).is_some());
    StrayEnd { marker, text, near_miss }
}

/// Where an end marker ends that belongs to its turn, begins at `at`, and ends at `limit` or before.
fn own_end_at<L: Lanes>(plan: &Plan, ids: &[L], at: usize, limit: usize) -> Option<usize> {
    let own = |set: &EndSet| {
        let (marker, end) = (at < limit).then(|| set.marker_at(ids, at))??;
        (set.kinds[marker as usize] != EndKind::Before && end <= limit).then_some(end)
    };
    plan.ends.sets.iter().filter_map(own).max()
}

fn diagnosis(stray: StrayEnd) -> Diagnosis {
    let StrayEnd { marker, text, near_miss } = stray;
    let (why, hint) = match near_miss {
        Some(at) => (
            format!("the first tokens of a start marker are at token {at} without the rest"),
            "declare the role that begins there",
        ),
        None => (
            format!("the text around it, from token {text} on, is in no turn"),
            "a marker typed in a message, or a message without a start marker: the text routes, which know the messages, can tell which",
        ),
    };
    Diagnosis {
        code: "stray-end-marker",
        severity: Severity::Warning,
        message: format!("the end marker at token {} ends no turn as it should: {why}", marker.start),
        span: Some(marker),
        hint: Some(hint.to_owned()),
    }
}
