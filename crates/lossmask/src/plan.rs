//! What the options are compiled into, once: automata for the markers, and what is trained of each turn.

use std::collections::HashMap;
use std::sync::Arc;

use crate::automaton::Automaton;
use crate::candidates::Candidates;
use crate::error::{BuildError, BuildErrorKind};
use crate::ids::Label;
use crate::options::{Boundary, EndKind, MaskerOptions, Termination, TrainOnEos, Turns, Unterminated};
use crate::search::{Engine, IdSet, KernelsPair, kernels};
use crate::semantics::{Semantics, Templates};

/// Distinct sets of end markers that are looked for each for itself.
pub(crate) const END_MAPS: usize = 3;
/// Headers beyond which the automata are asked.
const HEADER_LIMIT: usize = 16;
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
    pub start_candidates: Candidates,
    /// The first tokens of all starts and ends, where one test of a vector tells them all.
    pub firsts: Option<IdSet>,
    /// Those and the ignored ids.
    pub specials: Option<Specials>,
    /// Every header as one sequence of ids, where that makes few.
    pub headers: Option<Headers>,
    /// The distinct sets of end markers.
    pub end_sets: Vec<EndSet>,
    /// Where the ends may begin: of every end set, or of all together where there are many.
    pub end_candidates: Vec<Candidates>,
    pub exclude: Option<ExcludePlan>,
    pub ignored: IdSet,
    pub ignore_index: i32,
    pub train_on_eos: TrainOnEos,
    pub train_on_inputs: bool,
    pub train_on_shared_end: bool,
    pub termination: Termination,
    pub unterminated: Unterminated,
    pub turns: Turns,
    pub engine: Engine,
    pub kernels: KernelsPair,
    /// Input and output together beyond which stores go past the caches.
    pub through_bytes: usize,
    /// See [`Plan::decidable_as_it_scans`].
    pub decides_as_it_scans: bool,
    /// Whose rules find the turns.
    pub semantics: Semantics,
    /// TRL's templates, where it is TRL's rules.
    pub templates: Option<Templates>,
}

/// The ids that mean anything, few enough for one test of a vector.
#[derive(Debug)]
pub(crate) struct Specials {
    pub set: IdSet,
    /// What the id of each slot is.
    pub special: [Special; 8],
}

impl Specials {
    /// What an id of the set means.
    #[inline(always)]
    pub fn of<L: Label>(&self, id: L) -> Special {
        self.special[self.set.slot(id.to_i32().unwrap_or_default())]
    }
}

/// What an id means.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Special {
    /// A marker may begin with it.
    pub first: bool,
    pub ignored: bool,
}

/// Starts with their tails, to be compared with in one go.
#[derive(Debug)]
pub(crate) struct Headers {
    /// The first that stands in the row is the one that counts.
    pub records: Vec<Header>,
    /// An id that is in no header: what stands behind the end of the row.
    pub stranger: i32,
}

/// A core with a tail, or without.
#[derive(Debug)]
pub(crate) struct Header {
    /// The first two ids; only those bits of it that are in the mask.
    pub key: u64,
    pub mask: u64,
    pub boundary: u32,
    pub length: usize,
    /// The ids behind the second.
    pub rest: Box<[i32]>,
}

/// Two ids as one number.
#[inline(always)]
pub(crate) fn key(first: i32, second: i32) -> u64 {
    u64::from(first.cast_unsigned()) | u64::from(second.cast_unsigned()) << 32
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
    /// The markers, in the automaton's order.
    pub markers: Vec<Vec<i32>>,
    /// Index into [`Plan::end_candidates`].
    pub map: usize,
    /// The id that is the only end, if the set is that.
    pub only: Option<i32>,
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
            start_candidates: Candidates::new([].into_iter()),
            firsts: None,
            specials: None,
            headers: None,
            end_sets: Vec::new(),
            end_candidates: Vec::new(),
            exclude: exclude(options),
            ignored: IdSet::new(options.ignore_token_ids.iter().copied()),
            ignore_index: options.ignore_index,
            train_on_eos: options.train_on_eos,
            train_on_inputs: options.train_on_inputs,
            train_on_shared_end: options.train_on_shared_end,
            termination: options.termination,
            unterminated: options.unterminated,
            turns: options.turns,
            engine: Engine::fastest(),
            kernels: kernels(Engine::fastest()),
            through_bytes: 64 << 20,
            decides_as_it_scans: false,
            semantics: Semantics::Boundaries,
            templates: None,
        };
        plan.add_boundaries(options);
        plan.add_starts(&options.boundaries);
        plan.add_headers(&options.boundaries);
        plan.add_end_candidates();
        plan.add_firsts(&options.boundaries);
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
                        markers: ends.iter().map(|end| end.0.to_vec()).collect(),
                        map: 0,
                        only: match *ends.as_slice() {
                            [(&[id], _)] => Some(id),
                            _ => None,
                        },
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
        self.start_candidates = Candidates::new(cores.into_iter());
    }

    fn add_headers(&mut self, boundaries: &[Boundary]) {
        let count: usize = boundaries.iter().map(|b| b.starts.len() * (b.tails.len() + 1)).sum();
        if count > HEADER_LIMIT {
            return;
        }
        // The longest core wins, then the longest tail, then the first declared.
        let mut headers = Vec::with_capacity(count);
        for (number, boundary) in boundaries.iter().enumerate() {
            for core in &boundary.starts {
                let tails = boundary.tails.iter().map(Vec::as_slice).chain([[].as_slice()]);
                headers.extend(tails.map(|tail| (core.len(), [core, tail].concat(), number as u32)));
            }
        }
        headers.sort_by_key(|(core, ids, _)| std::cmp::Reverse((*core, ids.len())));
        let known = |id| headers.iter().any(|(_, ids, _)| ids.contains(&id));
        let stranger = (i32::MIN..).find(|&id| !known(id)).unwrap_or_default();
        let records = headers.iter().map(|(_, ids, boundary)| Header {
            key: key(ids[0], ids.get(1).copied().unwrap_or(0)),
            mask: if ids.len() > 1 { !0 } else { u64::from(u32::MAX) },
            boundary: *boundary,
            length: ids.len(),
            rest: ids.get(2..).unwrap_or_default().into(),
        });
        self.headers = Some(Headers { records: records.collect(), stranger });
    }

    fn add_firsts(&mut self, boundaries: &[Boundary]) {
        let starts = boundaries.iter().flat_map(|boundary| boundary.starts.iter().map(|ids| ids[0]));
        let ends = self.end_sets.iter().flat_map(|set| set.markers.iter().map(|ids| ids[0]));
        let firsts = IdSet::new(starts.chain(ends));
        let set = IdSet::new(firsts.ids().iter().chain(self.ignored.ids()).copied());
        self.specials = set.fits_one_test().then(|| {
            let mut special = [Special::default(); 8];
            for &id in set.ids() {
                let (first, ignored) = (firsts.contains(id), self.ignored.contains(id));
                special[set.slot(id)] = Special { first, ignored };
            }
            Specials { set, special }
        });
        self.firsts = Some(firsts).filter(IdSet::fits_one_test);
    }

    fn add_end_candidates(&mut self) {
        if self.end_sets.len() <= END_MAPS {
            for (index, set) in self.end_sets.iter_mut().enumerate() {
                set.map = index;
                self.end_candidates.push(Candidates::new(set.markers.iter().map(Vec::as_slice)));
            }
        } else {
            let all = self.end_sets.iter().flat_map(|set| set.markers.iter().map(Vec::as_slice));
            self.end_candidates.push(Candidates::new(all));
        }
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
