//! The stretches of trained turns that are not trained.

use std::ops::Range;

use crate::compile::automaton::Automaton;
use crate::options::Exclude;
use crate::vector::Lanes;

#[derive(Debug)]
pub(crate) struct Excluded {
    starts: Automaton,
    /// What closes each start; `None`: the start alone is the stretch.
    ends: Vec<Option<Automaton>>,
}

impl Excluded {
    /// `None` where nothing is excluded.
    pub fn new(exclude: &[Exclude]) -> Option<Excluded> {
        let end = |exclude: &Exclude| (!exclude.end.is_empty()).then(|| Automaton::new([exclude.end.as_slice()]));
        (!exclude.is_empty()).then(|| Excluded {
            starts: Automaton::new(exclude.iter().map(|exclude| exclude.start.as_slice())),
            ends: exclude.iter().map(end).collect(),
        })
    }

    /// The first stretch that begins at `from` or later; one that is not closed runs to the end of `ids`.
    pub fn find<L: Lanes>(&self, ids: &[L], from: usize) -> Option<Range<usize>> {
        let start = self.starts.find(ids, from)?;
        let end = match &self.ends[start.pattern as usize] {
            None => start.end,
            Some(end) => end.find(ids, start.end).map_or(ids.len(), |end| end.end),
        };
        Some(start.start..end)
    }
}
