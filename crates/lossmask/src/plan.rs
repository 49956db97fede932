//! What the options are compiled into, once: automata for the markers, and what is trained of each turn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::automaton::Automaton;
use crate::candidates::Candidates;
use crate::error::{BuildError, BuildErrorKind};
use crate::ids::Label;
use crate::options::{Boundary, EndKind, MaskerOptions, Termination, Turns, Unterminated};
use crate::search::{Engine, IdSet, KernelsPair, kernels};
use crate::semantics::{Semantics, Templates};
use crate::trained::{EndRule, EndTraining, TurnEnd};

/// Distinct sets of end markers that are looked for each for itself.
pub(crate) const END_MAPS: usize = 3;
/// Distinct cores beyond which the automata are asked.
const CORE_LIMIT: usize = 16;
const MARKER_TOKEN_LIMIT: usize = 1 << 24;

/// The compiled options.
#[derive(Debug)]
pub(crate) struct Plan {
    pub roles: Vec<Arc<str>>,
    pub boundaries: Vec<BoundaryPlan>,
    /// A turn of each boundary.
    pub opened: Vec<Opened>,
    /// An id that no marker has, and that is not ignored.
    pub nobody: i32,
    /// Whether an id is ignored with which a marker begins.
    pub ignores_markers: bool,
    /// Finds the turns' starts. Its patterns are the distinct cores.
    pub starts: Automaton,
    /// The boundaries that each core opens, in order of declaration.
    pub heads: Vec<Vec<u32>>,
    pub start_candidates: Candidates,
    /// The first tokens of all starts and ends, where one test of a vector tells them all.
    pub firsts: Option<IdSet>,
    /// Those and the ignored ids.
    pub specials: Option<Specials>,
    /// The cores, where they are few.
    pub cores: Option<Cores>,
    /// Tokens of the longest header or end.
    pub longest_marker: usize,
    /// The distinct sets of end markers.
    pub end_sets: Vec<EndSet>,
    /// Where the ends may begin: of every end set, or of all together where there are many.
    pub end_candidates: Vec<Candidates>,
    pub exclude: Option<ExcludePlan>,
    pub ignored: IdSet,
    pub ignore_index: i32,
    pub train_on_inputs: bool,
    /// Which end markers are trained.
    pub end_rule: EndRule,
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
    /// Those that mean anything outside of turns: the first tokens of starts.
    pub outside: IdSet,
    /// Those that mean anything in the turns of each boundary: the first tokens of its ends and, if it is trained, the ignored ids.
    pub inside: Vec<IdSet>,
}

impl Specials {
    /// What an id of the set means.
    #[inline(always)]
    pub fn of<L: Label>(&self, id: L) -> Special {
        self.special[self.set.slot(id.to_i32().unwrap_or_default())]
    }

    /// What any id means.
    #[inline(always)]
    pub fn of_any<L: Label>(&self, id: L) -> Special {
        if self.set.is_in_slot(id) { self.of(id) } else { Special::default() }
    }
}

/// What an id means.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Special {
    /// A marker may begin with it.
    pub first: bool,
    pub ignored: bool,
}

/// The cores, to be compared with one by one.
#[derive(Debug)]
pub(crate) struct Cores {
    /// The longest first: the first that stands in the row is the one that counts.
    pub records: Vec<Core>,
    /// See [`Plan::nobody`]: what stands behind the end of the row.
    pub nobody: i32,
}

/// A core. Its first four tokens are compared as two pairs, of which the bits in the mask count.
#[derive(Debug)]
pub(crate) struct Core {
    pub first: Pair,
    pub second: Pair,
    /// The ids behind the fourth.
    pub rest: Box<[i32]>,
    pub length: usize,
    pub opens: Opens,
}

/// What a core opens.
#[derive(Debug)]
pub(crate) enum Opens {
    /// A turn of one boundary, which has no tail.
    Bare(Opened),
    /// A turn of one boundary, whose tail is this single token or, if that is not there, what its automaton finds.
    Tailed(Opened, i32),
    /// What the longest tail says, of the boundaries that share this pattern of [`Plan::starts`].
    Asked(u32),
}

/// Two ids as one number, and the bits of it that are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    ids: u64,
    mask: u64,
}

impl Pair {
    /// The first two of the ids.
    fn new(ids: &[i32]) -> Pair {
        let at = |index: usize| ids.get(index).copied().unwrap_or(0);
        let mask = match ids.len() {
            0 => 0,
            1 => u64::from(u32::MAX),
            _ => !0,
        };
        Pair { ids: pair(at(0), at(1)), mask }
    }

    #[inline(always)]
    pub fn is(self, ids: u64) -> bool {
        ids & self.mask == self.ids
    }
}

/// Two ids as one number.
#[inline(always)]
pub(crate) fn pair(first: i32, second: i32) -> u64 {
    u64::from(first.cast_unsigned()) | u64::from(second.cast_unsigned()) << 32
}

/// What the inner loops want to know of an open turn, close together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    /// Index into [`Plan::boundaries`]; [`OUTSIDE`] where no turn is open.
    pub boundary: u32,
    /// The only end, where it is one token that the turn consumes; else [`Plan::nobody`].
    pub end: i32,
    /// Whether the role is trained.
    pub trained: bool,
    pub include_start: bool,
    /// Whether an end marker that the turn consumes is trained.
    pub trains_end: bool,
    /// Whether such a marker is trained if it is the row's last.
    pub trains_last_end: bool,
}

/// No turn.
pub(crate) const OUTSIDE: u32 = u32::MAX;

impl Opened {
    /// No turn is open.
    #[inline(always)]
    pub fn nothing(nobody: i32) -> Opened {
        let not = false;
        Opened {
            boundary: OUTSIDE,
            end: nobody,
            trained: not,
            include_start: not,
            trains_end: not,
            trains_last_end: not,
        }
    }

    #[inline(always)]
    pub fn is_nothing(&self) -> bool {
        self.boundary == OUTSIDE
    }
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
    /// The only end, where it is one token that the turn consumes.
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
            opened: Vec::with_capacity(options.boundaries.len()),
            nobody: nobody(options),
            ignores_markers: false,
            starts: Automaton::new([]),
            heads: Vec::new(),
            start_candidates: Candidates::new([].into_iter()),
            firsts: None,
            specials: None,
            cores: None,
            longest_marker: options.boundaries.iter().map(longest_marker).max().unwrap_or(0),
            end_sets: Vec::new(),
            end_candidates: Vec::new(),
            exclude: exclude(options),
            ignored: IdSet::new(options.ignore_token_ids.iter().copied()),
            ignore_index: options.ignore_index,
            train_on_inputs: options.train_on_inputs,
            end_rule: EndRule { train_on_eos: options.train_on_eos, train_on_shared_end: options.train_on_shared_end },
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
        plan.add_cores(&options.boundaries);
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
                            [(&[id], EndKind::Consumed)] => Some(id),
                            _ => None,
                        },
                        kinds: ends.iter().map(|end| end.1).collect(),
                    });
                    self.end_sets.len() as u32 - 1
                })
            });
            let trained = options.roles_to_train.contains(&boundary.role);
            let end = TurnEnd { kind: EndKind::Consumed, turn_trained: trained };
            let end_training = self.end_rule.training(end);
            self.opened.push(Opened {
                boundary: self.boundaries.len() as u32,
                end: ends.and_then(|set| self.end_sets[set as usize].only).unwrap_or(self.nobody),
                trained,
                include_start: boundary.include_start,
                trains_end: end_training == EndTraining::Always,
                trains_last_end: end_training == EndTraining::IfLast,
            });
            self.boundaries.push(BoundaryPlan {
                role,
                trained,
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

    fn add_cores(&mut self, boundaries: &[Boundary]) {
        if self.heads.len() > CORE_LIMIT {
            return;
        }
        let mut records: Vec<Core> = Vec::with_capacity(self.heads.len());
        for (boundary, core) in boundaries.iter().flat_map(|b| b.starts.iter().map(move |core| (b, core))) {
            let Some(found) = self.starts.match_at(core, 0) else { continue };
            let opens = match *self.heads[found.pattern as usize].as_slice() {
                [only] if boundary.tails.is_empty() => Opens::Bare(self.opened[only as usize]),
                [only] => match usual_tail(&boundary.tails) {
                    Some(tail) => Opens::Tailed(self.opened[only as usize], tail),
                    None => Opens::Asked(found.pattern),
                },
                _ => Opens::Asked(found.pattern),
            };
            records.push(Core {
                first: Pair::new(core),
                second: Pair::new(core.get(2..).unwrap_or_default()),
                rest: core.get(4..).unwrap_or_default().into(),
                length: core.len(),
                opens,
            });
        }
        records.sort_by_key(|core| std::cmp::Reverse(core.length));
        self.cores = Some(Cores { records, nobody: self.nobody });
    }

    fn add_firsts(&mut self, boundaries: &[Boundary]) {
        let starts = boundaries.iter().flat_map(|boundary| boundary.starts.iter().map(|ids| ids[0]));
        let ends = self.end_sets.iter().flat_map(|set| set.markers.iter().map(|ids| ids[0]));
        let firsts = IdSet::new(starts.chain(ends));
        self.ignores_markers = firsts.ids().iter().any(|&id| self.ignored.contains(id));
        let set = IdSet::new(firsts.ids().iter().chain(self.ignored.ids()).copied());
        self.specials = set.fits_one_test().then(|| {
            let mut special = [Special::default(); 8];
            for &id in set.ids() {
                let (first, ignored) = (firsts.contains(id), self.ignored.contains(id));
                special[set.slot(id)] = Special { first, ignored };
            }
            // As few ids of it as matter somewhere, if those can be told as fast.
            let part = |ids: &mut dyn Iterator<Item = i32>| {
                let part = IdSet::new(ids);
                if part.fits_one_test() { part } else { set.clone() }
            };
            let outside = part(&mut boundaries.iter().flat_map(|boundary| boundary.starts.iter().map(|ids| ids[0])));
            let inside = self.boundaries.iter().map(|boundary| {
                let ends = boundary.ends.map_or([].as_slice(), |ends| &self.end_sets[ends as usize].markers);
                let ignored = if boundary.trained { self.ignored.ids() } else { &[] };
                part(&mut ends.iter().map(|ids| ids[0]).chain(ignored.iter().copied()))
            });
            Specials { special, outside, inside: inside.collect(), set }
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

/// An id that means nothing.
fn nobody(options: &MaskerOptions) -> i32 {
    let starts = options.boundaries.iter().flat_map(|boundary| boundary.starts.iter().flatten());
    let ends = options.boundaries.iter().flat_map(|boundary| boundary.ends.iter().flat_map(|end| &end.ids));
    let known: HashSet<i32> = starts.chain(ends).chain(&options.ignore_token_ids).copied().collect();
    (i32::MIN..).find(|id| !known.contains(id)).unwrap_or_default()
}

/// Tokens of the longest header or end of a boundary.
fn longest_marker(boundary: &Boundary) -> usize {
    let longest = |markers: &[Vec<i32>]| markers.iter().map(Vec::len).max().unwrap_or(0);
    let end = boundary.ends.iter().map(|end| end.ids.len()).max().unwrap_or(0);
    end.max(longest(&boundary.starts) + longest(&boundary.tails))
}

/// The first tail of one token with which no longer one begins.
fn usual_tail(tails: &[Vec<i32>]) -> Option<i32> {
    let longer = |id| tails.iter().any(|tail| tail.len() > 1 && tail[0] == id);
    tails.iter().find(|tail| tail.len() == 1 && !longer(tail[0])).map(|tail| tail[0])
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
