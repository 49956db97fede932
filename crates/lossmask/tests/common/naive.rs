//! The definition of what is trained, written to be read: no automata, no state kept between tokens, quadratic.

use lossmask::{EndKind, MaskerOptions, Termination, TrainOnEos, Turn, Turns, Unterminated};
use std::ops::Range;

/// A turn and what was found of its end.
struct Found {
    boundary: usize,
    turn: Turn,
    end: Option<(EndKind, Range<usize>)>,
}

fn longest(markers: &[Vec<i32>], ids: &[i32], at: usize) -> Option<usize> {
    markers.iter().filter(|marker| ids[at..].starts_with(marker)).map(Vec::len).max()
}

/// The boundary that a start at `at` opens, and where its content starts.
fn start_at(options: &MaskerOptions, ids: &[i32], at: usize) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize, usize)> = None;
    for (index, boundary) in options.boundaries.iter().enumerate() {
        let Some(core) = longest(&boundary.starts, ids, at) else { continue };
        let header = core + longest(&boundary.tails, ids, at + core).unwrap_or(0);
        if best.is_none_or(|(_, best_core, best_header)| (core, header) > (best_core, best_header)) {
            best = Some((index, core, header));
        }
    }
    best.map(|(index, _, header)| (index, at + header))
}

fn end_from(options: &MaskerOptions, boundary: usize, ids: &[i32], from: usize) -> Option<(EndKind, Range<usize>)> {
    for at in from..ids.len() {
        let mut best: Option<(EndKind, Range<usize>)> = None;
        for end in &options.boundaries[boundary].ends {
            if ids[at..].starts_with(&end.ids) && best.as_ref().is_none_or(|best| end.ids.len() > best.1.len()) {
                best = Some((end.kind, at..at + end.ids.len()));
            }
        }
        if best.is_some() {
            return best;
        }
    }
    None
}

fn scan(options: &MaskerOptions, ids: &[i32]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut roles: Vec<&str> = Vec::new();
    for boundary in &options.boundaries {
        if !roles.contains(&boundary.role.as_str()) {
            roles.push(&boundary.role);
        }
    }
    let mut at = 0;
    while at < ids.len() {
        let Some((index, content_start)) = start_at(options, ids, at) else {
            at += 1;
            continue;
        };
        let boundary = &options.boundaries[index];
        let (end, content_end, looks_for_end) = match options.termination {
            Termination::NextStart => {
                let next = (content_start..ids.len()).find(|&next| start_at(options, ids, next).is_some());
                (None, next.unwrap_or(ids.len()), false)
            }
            Termination::EndMarker => {
                let end = end_from(options, index, ids, content_start);
                let content_end = end.as_ref().map_or(ids.len(), |end| end.1.start);
                (end, content_end, !boundary.ends.is_empty())
            }
        };
        let (turn_end, resume) = match &end {
            Some((EndKind::Consumed, marker)) => (marker.end, marker.end),
            Some((EndKind::Anchor, marker)) => (marker.end, marker.start),
            _ => (content_end, content_end),
        };
        found.push(Found {
            boundary: index,
            turn: Turn {
                role: roles.iter().position(|role| *role == boundary.role).unwrap() as u32,
                start: at,
                content_start,
                content_end,
                end: turn_end,
                trained: options.roles_to_train.contains(&boundary.role),
                terminated: end.is_some() || !looks_for_end,
            },
            end,
        });
        at = resume;
    }
    let last = found.iter().rposition(|found| found.turn.trained);
    for (index, found) in found.iter_mut().enumerate() {
        let selected = options.turns == Turns::All || last == Some(index);
        let whole = options.unterminated == Unterminated::RunToEnd || found.turn.terminated;
        found.turn.trained = options.train_on_inputs || (found.turn.trained && selected && whole);
    }
    found
}

/// The turns of a row.
pub fn turns(options: &MaskerOptions, ids: &[i32]) -> Vec<Turn> {
    scan(options, ids).iter().map(|found| found.turn).collect()
}

/// Which tokens of a row are trained.
pub fn keep(options: &MaskerOptions, ids: &[i32]) -> Vec<bool> {
    let mut keep = vec![options.train_on_inputs; ids.len()];
    if !options.train_on_inputs {
        keep_turns(options, ids, &mut keep);
    }
    for (keep, id) in keep.iter_mut().zip(ids) {
        *keep &= !options.ignore_token_ids.contains(id);
    }
    keep
}

fn keep_turns(options: &MaskerOptions, ids: &[i32], keep: &mut [bool]) {
    let found = scan(options, ids);
    let may_keep_end = |found: &Found| match &found.end {
        None => None,
        Some((EndKind::Before, marker)) => {
            (found.turn.trained && options.train_on_shared_end).then_some(marker.clone())
        }
        Some((_, marker)) => Some(marker.clone()),
    };
    let last_end = found.iter().filter(|found| found.turn.trained).filter_map(&may_keep_end).next_back();
    for found in &found {
        let mut kept = vec![false; ids.len()];
        if found.turn.trained {
            let from = if options.boundaries[found.boundary].include_start {
                found.turn.start
            } else {
                found.turn.content_start
            };
            kept[from..found.turn.content_end].fill(true);
        }
        if let Some(marker) = may_keep_end(found) {
            let keep_end = match options.train_on_eos {
                TrainOnEos::None => false,
                TrainOnEos::All => true,
                TrainOnEos::Turn => found.turn.trained,
                TrainOnEos::Last => found.turn.trained && last_end == Some(marker.clone()),
            };
            kept[marker].fill(keep_end);
        }
        if found.turn.trained {
            exclude(options, ids, found.turn.content_start..found.turn.end, &mut kept);
        }
        for (keep, kept) in keep.iter_mut().zip(kept) {
            *keep |= kept;
        }
    }
}

fn exclude(options: &MaskerOptions, ids: &[i32], turn: Range<usize>, kept: &mut [bool]) {
    let ids = &ids[..turn.end];
    let mut at = turn.start;
    while at < turn.end {
        let mut best: Option<&lossmask::Exclude> = None;
        for exclude in &options.exclude {
            if ids[at..].starts_with(&exclude.start) && best.is_none_or(|best| exclude.start.len() > best.start.len()) {
                best = Some(exclude);
            }
        }
        let Some(exclude) = best else {
            at += 1;
            continue;
        };
        let inner = at + exclude.start.len();
        let end = match exclude.end.as_slice() {
            [] => inner,
            end => (inner..turn.end).find(|&at| ids[at..].starts_with(end)).map_or(turn.end, |at| at + end.len()),
        };
        kept[at..end].fill(false);
        at = end;
    }
}

/// The labels of a row.
pub fn labels(options: &MaskerOptions, ids: &[i32]) -> Vec<i32> {
    ids.iter().zip(keep(options, ids)).map(|(&id, keep)| if keep { id } else { options.ignore_index }).collect()
}
