//! What the options are compiled into, once: automata for the markers, and what is trained of each turn.

use std::collections::HashMap;
use std::sync::Arc;

use crate::automaton::Automaton;
use crate::error::{BuildError, BuildErrorKind};
use crate::options::{Boundary, EndKind, MaskerOptions, Termination, TrainOnEos, Turns, Unterminated};
use crate::semantics::{Semantics, Templates};

const MARKER_TOKEN_LIMIT: usize = 1 << 24;

/// The compiled options.
#[derive(Debug)]
pub(crate) struct Plan {
    pub roles: Vec<Arc<str>>,
    pub boundaries: Vec<BoundaryPlan>,
    /// Finds the turns' starts. Its patterns are the distinct cores.
    pub starts: Automaton,
    /// The boundaries that each core opens, in order of declaration.
    pub heads: Vec<Vec<u32>>,
    /// The distinct sets of end markers.
    pub end_sets: Vec<EndSet>,
    pub exclude: Option<ExcludePlan>,
    /// Sorted, without duplicates.
    pub ignored: Vec<i32>,
    pub ignore_index: i32,
    pub train_on_eos: TrainOnEos,
    pub train_on_inputs: bool,
    pub train_on_shared_end: bool,
    pub termination: Termination,
    pub unterminated: Unterminated,
    pub turns: Turns,
    /// Whose rules find the turns.
    pub semantics: Semantics,
    /// TRL's templates, where it is TRL's rules.
    pub templates: Option<Templates>,
}

#[derive(Debug)]
pub(crate) struct BoundaryPlan {
    /// Index into [`Plan::roles`].
    pub role: u32,
    /// Whether the role is in `roles_to_train`.
    pub trained: bool,
    pub include_start: bool,
    pub starts: Vec<Vec<i32>>,
    /// Finds the longest tail behind the core.
    pub tails: Option<Automaton>,
    /// Index into [`Plan::end_sets`]; `None`: the turn runs to the end of the row.
    pub ends: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct EndSet {
    pub automaton: Automaton,
    /// The kind of each of its patterns.
    pub kinds: Vec<EndKind>,
}

#[derive(Debug)]
pub(crate) struct ExcludePlan {
    pub starts: Automaton,
    /// What closes each start; `None`: the start alone is the stretch.
    pub ends: Vec<Option<Automaton>>,
}

impl Plan {
    pub fn new(options: &MaskerOptions) -> Result<Plan, BuildError> {
        validate(options)?;
        let mut plan = Plan {
            roles: Vec::new(),
            boundaries: Vec::with_capacity(options.boundaries.len()),
            starts: Automaton::new([]),
            heads: Vec::new(),
            end_sets: Vec::new(),
            exclude: exclude(options),
            ignored: sorted(&options.ignore_token_ids),
            ignore_index: options.ignore_index,
            train_on_eos: options.train_on_eos,
            train_on_inputs: options.train_on_inputs,
            train_on_shared_end: options.train_on_shared_end,
            termination: options.termination,
            unterminated: options.unterminated,
            turns: options.turns,
            semantics: Semantics::Boundaries,
            templates: None,
        };
        plan.add_boundaries(options);
        plan.add_starts(&options.boundaries);
        Ok(plan)
    }

    fn add_boundaries(&mut self, options: &MaskerOptions) {
        let mut end_sets: HashMap<Vec<(&[i32], EndKind)>, u32> = HashMap::new();
        for boundary in &options.boundaries {
            let role = self.role_index(&boundary.role);
            let ends: Vec<_> = boundary.ends.iter().map(|end| (end.ids.as_slice(), end.kind)).collect();
            let ends = (!ends.is_empty() && options.termination == Termination::EndMarker).then(|| {
                *end_sets.entry(ends).or_insert_with_key(|ends| {
                    self.end_sets.push(EndSet {
                        automaton: Automaton::new(ends.iter().map(|end| end.0)),
                        kinds: ends.iter().map(|end| end.1).collect(),
                    });
                    self.end_sets.len() as u32 - 1
                })
            });
            self.boundaries.push(BoundaryPlan {
                role,
                trained: options.roles_to_train.contains(&boundary.role),
                include_start: boundary.include_start,
                starts: boundary.starts.clone(),
                tails: (!boundary.tails.is_empty()).then(|| Automaton::new(boundary.tails.iter().map(Vec::as_slice))),
                ends,
            });
        }
    }

    fn role_index(&mut self, name: &str) -> u32 {
        let known = self.roles.iter().position(|role| &**role == name);
        known.unwrap_or_else(|| {
            self.roles.push(name.into());
            self.roles.len() - 1
        }) as u32
    }

    fn add_starts(&mut self, boundaries: &[Boundary]) {
        let mut cores: Vec<&[i32]> = Vec::new();
        let mut index: HashMap<&[i32], usize> = HashMap::new();
        for (number, boundary) in boundaries.iter().enumerate() {
            for core in &boundary.starts {
                let at = *index.entry(core).or_insert_with(|| {
                    cores.push(core);
                    self.heads.push(Vec::new());
                    cores.len() - 1
                });
                if self.heads[at].last() != Some(&(number as u32)) {
                    self.heads[at].push(number as u32);
                }
            }
        }
        self.starts = Automaton::new(cores.iter().copied());
    }

    pub fn is_ignored(&self, id: i32) -> bool {
        self.ignored.binary_search(&id).is_ok()
    }
}

fn exclude(options: &MaskerOptions) -> Option<ExcludePlan> {
    (!options.exclude.is_empty()).then(|| ExcludePlan {
        starts: Automaton::new(options.exclude.iter().map(|exclude| exclude.start.as_slice())),
        ends: options
            .exclude
            .iter()
            .map(|exclude| (!exclude.end.is_empty()).then(|| Automaton::new([exclude.end.as_slice()])))
            .collect(),
    })
}

fn sorted(ids: &[i32]) -> Vec<i32> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn validate(options: &MaskerOptions) -> Result<(), BuildError> {
    let mut tokens = 0_usize;
    for (number, boundary) in options.boundaries.iter().enumerate() {
        let fail = |field: &str, kind| {
            Err(BuildError::new(format!("boundaries[{number}].{field}"), Some(&boundary.role), kind))
        };
        if boundary.role.is_empty() {
            return Err(BuildError::new(format!("boundaries[{number}].role"), None, BuildErrorKind::EmptyRole));
        }
        let markers = (boundary.starts.iter().enumerate().map(|(at, ids)| ("starts", at, ids)))
            .chain(boundary.tails.iter().enumerate().map(|(at, ids)| ("tails", at, ids)))
            .chain(boundary.ends.iter().enumerate().map(|(at, end)| ("ends", at, &end.ids)));
        for (field, at, ids) in markers {
            if ids.is_empty() {
                return fail(&format!("{field}[{at}]"), BuildErrorKind::EmptyMarker);
            }
            tokens = tokens.saturating_add(ids.len());
            if tokens > MARKER_TOKEN_LIMIT {
                return fail(&format!("{field}[{at}]"), BuildErrorKind::TooManyMarkers);
            }
        }
        let mut kinds = HashMap::new();
        for (at, end) in boundary.ends.iter().enumerate() {
            if *kinds.entry(&end.ids).or_insert(end.kind) != end.kind {
                return fail(&format!("ends[{at}]"), BuildErrorKind::AmbiguousEnd);
            }
        }
    }
    if let Some(at) = options.roles_to_train.iter().position(String::is_empty) {
        return Err(BuildError::new(format!("rolesToTrain[{at}]"), None, BuildErrorKind::EmptyRole));
    }
    for (at, exclude) in options.exclude.iter().enumerate() {
        if exclude.start.is_empty() {
            return Err(BuildError::new(format!("exclude[{at}].start"), None, BuildErrorKind::EmptyMarker));
        }
    }
    Ok(())
}
