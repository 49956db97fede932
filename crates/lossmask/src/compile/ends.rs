//! What closes a turn.

use std::collections::HashMap;

use crate::compile::automaton::Automaton;
use crate::compile::candidates::Candidates;
use crate::options::{Boundary, EndKind, Termination};
use crate::vector::Lanes;

/// Distinct sets of end markers up to which each is searched for by itself.
pub(crate) const END_MAPS: usize = 3;

/// The distinct sets of end markers.
#[derive(Debug)]
pub(crate) struct Ends {
    pub sets: Vec<EndSet>,
    /// Where the ends may begin: of every set, or of all together where there are more than [`END_MAPS`].
    pub candidates: Vec<Candidates>,
    /// Index into [`Ends::sets`] for each boundary; `None`: the turn runs to the end of the row.
    pub of_boundary: Vec<Option<u32>>,
}

/// The end markers of a boundary.
#[derive(Debug)]
pub(crate) struct EndSet {
    pub automaton: Automaton,
    /// The markers, in the automaton's order.
    pub markers: Vec<Vec<i32>>,
    /// The kind of each marker.
    pub kinds: Vec<EndKind>,
    /// Index into [`Ends::candidates`].
    pub map: usize,
    /// The only end, where it is one token that the turn consumes.
    pub only: Option<i32>,
}

impl Ends {
    pub fn new(boundaries: &[Boundary], termination: Termination) -> Ends {
        let mut known: HashMap<Vec<(&[i32], EndKind)>, u32> = HashMap::new();
        let mut sets: Vec<EndSet> = Vec::new();
        let mut of_boundary = Vec::with_capacity(boundaries.len());
        for boundary in boundaries {
            let ends: Vec<_> = boundary.ends.iter().map(|end| (end.ids.as_slice(), end.kind)).collect();
            let has_ends = !ends.is_empty() && termination == Termination::EndMarker;
            of_boundary.push(has_ends.then(|| {
                *known.entry(ends).or_insert_with_key(|ends| {
                    sets.push(EndSet::new(ends));
                    sets.len() as u32 - 1
                })
            }));
        }
        let candidates = candidates(&mut sets);
        Ends { sets, candidates, of_boundary }
    }

    /// The end markers of a boundary.
    #[inline(always)]
    pub fn of(&self, boundary: u32) -> Option<&EndSet> {
        Some(&self.sets[self.of_boundary[boundary as usize]? as usize])
    }
}

fn candidates(sets: &mut [EndSet]) -> Vec<Candidates> {
    let markers = |set: &EndSet| Candidates::new(set.markers.iter().map(Vec::as_slice));
    if sets.len() > END_MAPS {
        let all = sets.iter().flat_map(|set| set.markers.iter().map(Vec::as_slice));
        return vec![Candidates::new(all)];
    }
    sets.iter_mut().enumerate().for_each(|(index, set)| set.map = index);
    sets.iter().map(markers).collect()
}

impl EndSet {
    fn new(ends: &[(&[i32], EndKind)]) -> EndSet {
        EndSet {
            automaton: Automaton::new(ends.iter().map(|end| end.0)),
            markers: ends.iter().map(|end| end.0.to_vec()).collect(),
            kinds: ends.iter().map(|end| end.1).collect(),
            map: 0,
            only: match *ends {
                [(&[id], EndKind::Consumed)] => Some(id),
                _ => None,
            },
        }
    }

    /// The end marker at a token, and where it ends.
    #[inline(always)]
    pub fn marker_at<L: Lanes>(&self, ids: &[L], at: usize) -> Option<(u32, usize)> {
        match self.only {
            Some(id) => (ids[at] == L::from_i32(id)).then_some((0, at + 1)),
            None => self.automaton.match_at(ids, at).map(|found| (found.pattern, found.end)),
        }
    }
}
