//! The ids that mean anything: the first tokens of markers, and the ignored ids.

use std::collections::HashSet;

use crate::compile::ends::Ends;
use crate::compile::turn::Opened;
use crate::options::{Boundary, MaskerOptions};
use crate::vector::{IdSet, Lanes};

/// The sets of special ids that one test of a vector finds, where they are small enough.
#[derive(Debug)]
pub(crate) struct SpecialIds {
    /// The first tokens of all starts and ends.
    pub firsts: Option<IdSet>,
    /// Those and the ignored ids.
    pub all: Option<Specials>,
    /// Whether an id is ignored with which a marker begins.
    pub ignores_markers: bool,
}

impl SpecialIds {
    /// `turns`: a turn of each boundary.
    pub fn new(boundaries: &[Boundary], ends: &Ends, turns: &[Opened], ignored: &IdSet) -> SpecialIds {
        let starts = boundaries.iter().flat_map(|boundary| boundary.starts.iter().map(|ids| ids[0]));
        let first_of_ends = ends.sets.iter().flat_map(|set| set.markers.iter().map(|ids| ids[0]));
        let firsts = IdSet::new(starts.chain(first_of_ends));
        SpecialIds {
            ignores_markers: firsts.ids().iter().any(|&id| ignored.contains(id)),
            all: Specials::new(boundaries, ends, turns, &firsts, ignored),
            firsts: Some(firsts).filter(IdSet::fits_one_test),
        }
    }
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
    fn new(
        boundaries: &[Boundary],
        ends: &Ends,
        turns: &[Opened],
        firsts: &IdSet,
        ignored: &IdSet,
    ) -> Option<Specials> {
        let set = IdSet::new(firsts.ids().iter().chain(ignored.ids()).copied());
        if !set.fits_one_test() {
            return None;
        }
        let mut special = [Special::default(); 8];
        for &id in set.ids() {
            special[set.slot(id)] = Special { first: firsts.contains(id), ignored: ignored.contains(id) };
        }
        // As few ids of it as matter somewhere, if those can be tested for as fast.
        let part = |ids: &mut dyn Iterator<Item = i32>| {
            let part = IdSet::new(ids);
            if part.fits_one_test() { part } else { set.clone() }
        };
        let outside = part(&mut boundaries.iter().flat_map(|boundary| boundary.starts.iter().map(|ids| ids[0])));
        let inside = turns.iter().map(|turn| {
            let markers = ends.of(turn.boundary).map_or([].as_slice(), |set| &set.markers);
            let ignored = if turn.trained { ignored.ids() } else { &[] };
            part(&mut markers.iter().map(|ids| ids[0]).chain(ignored.iter().copied()))
        });
        Some(Specials { special, outside, inside: inside.collect(), set })
    }

    /// What an id of the set means.
    #[inline(always)]
    pub fn of<L: Lanes>(&self, id: L) -> Special {
        self.special[self.set.slot(id.to_i32().unwrap_or_default())]
    }

    /// What any id means.
    #[inline(always)]
    pub fn of_any<L: Lanes>(&self, id: L) -> Special {
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

/// An id that no marker has, and that is not ignored.
pub(super) fn unused_id(options: &MaskerOptions) -> i32 {
    let starts = options.boundaries.iter().flat_map(|boundary| boundary.starts.iter().flatten());
    let ends = options.boundaries.iter().flat_map(|boundary| boundary.ends.iter().flat_map(|end| &end.ids));
    let known: HashSet<i32> = starts.chain(ends).chain(&options.ignore_token_ids).copied().collect();
    (i32::MIN..).find(|id| !known.contains(id)).unwrap_or_default()
}
