//! What the options are compiled into, once: automata and sets of ids for the markers, and what is trained of each turn.

pub(crate) mod automaton;
pub(crate) mod candidates;
mod ends;
mod exclude;
mod special;
mod starts;
mod turn;
mod validate;

use std::sync::Arc;

pub(crate) use ends::{END_MAPS, EndSet, Ends};
pub(crate) use exclude::Excluded;
pub(crate) use special::{SpecialIds, Specials};
pub(crate) use starts::Starts;
pub(crate) use turn::Opened;

use crate::error::BuildError;
use crate::options::{Boundary, MaskerOptions, Termination};
use crate::trained::{EndRule, TurnRule};
use crate::vector::IdSet;

/// The compiled options.
#[derive(Debug)]
pub(crate) struct Plan {
    pub roles: Vec<Arc<str>>,
    pub boundaries: Vec<BoundaryPlan>,
    pub starts: Starts,
    pub ends: Ends,
    pub special: SpecialIds,
    /// Tokens of the longest header or end.
    pub longest_marker: usize,
    pub excluded: Option<Excluded>,
    pub ignored: IdSet,
    /// An id that no marker has, and that is not ignored.
    pub unused_id: i32,
    pub ignore_index: i32,
    pub train_on_inputs: bool,
    pub turn_rule: TurnRule,
    pub end_rule: EndRule,
    pub termination: Termination,
}

/// What of a boundary is needed after its turns are found.
#[derive(Debug)]
pub(crate) struct BoundaryPlan {
    /// Index into [`Plan::roles`].
    pub role: u32,
    /// Whether the role is in `roles_to_train`.
    pub trained: bool,
    pub include_start: bool,
    /// Whether its turns have end markers; else they run to the end of the row.
    pub has_ends: bool,
}

impl Plan {
    pub fn new(options: &MaskerOptions) -> Result<Plan, BuildError> {
        validate::validate(options)?;
        let boundaries = &options.boundaries;
        let unused_id = special::unused_id(options);
        let ends = Ends::new(boundaries, options.termination);
        let turn = |(index, boundary): (usize, &Boundary)| {
            let only = ends.of(index as u32).and_then(|set| set.only).unwrap_or(unused_id);
            Opened::new(index, boundary, only, options)
        };
        let turns: Vec<Opened> = boundaries.iter().enumerate().map(turn).collect();
        let ignored = IdSet::new(options.ignore_token_ids.iter().copied());
        let (roles, role_of) = roles(boundaries);
        let boundary_plan = |(index, turn): (usize, &Opened)| BoundaryPlan {
            role: role_of[index],
            trained: turn.trained,
            include_start: turn.include_start,
            has_ends: ends.of_boundary[index].is_some(),
        };
        Ok(Plan {
            roles,
            boundaries: turns.iter().enumerate().map(boundary_plan).collect(),
            special: SpecialIds::new(boundaries, &ends, &turns, &ignored),
            starts: Starts::new(boundaries, turns, unused_id),
            ends,
            longest_marker: boundaries.iter().map(longest_marker).max().unwrap_or(0),
            excluded: Excluded::new(&options.exclude),
            ignored,
            unused_id,
            ignore_index: options.ignore_index,
            train_on_inputs: options.train_on_inputs,
            turn_rule: TurnRule { turns: options.turns, unterminated: options.unterminated },
            end_rule: turn::end_rule(options),
            termination: options.termination,
        })
    }
}

/// The distinct role names in order of declaration, and which of them each boundary has.
fn roles(boundaries: &[Boundary]) -> (Vec<Arc<str>>, Vec<u32>) {
    let mut roles: Vec<Arc<str>> = Vec::new();
    let mut index_of = |name: &str| {
        let known = roles.iter().position(|role| &**role == name);
        known.unwrap_or_else(|| {
            roles.push(name.into());
            roles.len() - 1
        }) as u32
    };
    let of_boundary = boundaries.iter().map(|boundary| index_of(&boundary.role)).collect();
    (roles, of_boundary)
}

/// Tokens of the longest header or end of a boundary.
fn longest_marker(boundary: &Boundary) -> usize {
    let longest = |markers: &[Vec<i32>]| markers.iter().map(Vec::len).max().unwrap_or(0);
    let end = boundary.ends.iter().map(|end| end.ids.len()).max().unwrap_or(0);
    end.max(longest(&boundary.starts) + longest(&boundary.tails))
}
