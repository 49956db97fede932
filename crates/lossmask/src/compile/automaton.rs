//! The judge of what matches: an Aho-Corasick automaton over token ids that reports the leftmost, then longest match.
//!
//! Ids that occur in no pattern share class 0, so the transition table stays small whatever the vocabulary.

use std::collections::VecDeque;

use crate::vector::{Classes, Lanes};

const ROOT: u32 = 0;
/// The state no match can start from any more: what was found is the answer.
const DEAD: u32 = u32::MAX;
const NO_PATTERN: u32 = u32::MAX;
/// The bit of a table's entry that leads to a state worth looking at; [`DEAD`] has it too.
const NEWS: u32 = 1 << 31;
/// Tables larger than this many entries follow failure links at run time instead.
const DENSE_LIMIT: usize = 1 << 18;
/// Up to so many patterns are compared one by one.
const FLAT_LIMIT: usize = 8;

/// A match of a pattern, `[start, end)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub pattern: u32,
    pub start: usize,
    pub end: usize,
}

#[derive(Clone, Debug)]
enum Transitions {
    /// `states * classes` targets, failures resolved: where the target's row begins, with [`NEWS`] where it reports something.
    Dense(Vec<u32>),
    /// The trie's own edges, sorted by class; what is missing follows the failure link.
    Sparse(Vec<Vec<(u32, u32)>>),
}

/// A leftmost-longest multi-pattern matcher over token ids.
#[derive(Clone, Debug)]
pub(crate) struct Automaton {
    classes: Classes,
    class_count: usize,
    transitions: Transitions,
    fail: Vec<u32>,
    depth: Vec<u32>,
    /// The pattern to report on entering a state, [`NO_PATTERN`] if none.
    output: Vec<u32>,
    /// The pattern that a state's own path spells, [`NO_PATTERN`] if none.
    own: Vec<u32>,
    /// The first pattern whose beginning a state's path is.
    below: Vec<u32>,
    lengths: Vec<u32>,
    /// The patterns themselves, longest first, where they are few: comparing them is faster than walking the trie.
    flat: Option<Vec<Flat>>,
}

/// A pattern to be compared with.
#[derive(Clone, Debug)]
struct Flat {
    pattern: u32,
    first: i32,
    /// The second token; equals the first where there is none.
    second: i32,
    /// The tokens after the second.
    rest: Box<[i32]>,
    length: usize,
}

/// The trie while it is built.
struct Trie {
    edges: Vec<Vec<(u32, u32)>>,
    depth: Vec<u32>,
    own: Vec<u32>,
    below: Vec<u32>,
}

impl Trie {
    fn new() -> Trie {
        Trie { edges: vec![Vec::new()], depth: vec![0], own: vec![NO_PATTERN], below: vec![NO_PATTERN] }
    }

    fn child(&self, state: u32, class: u32) -> Option<u32> {
        let edges = &self.edges[state as usize];
        edges.binary_search_by_key(&class, |edge| edge.0).ok().map(|at| edges[at].1)
    }

    /// Adds a pattern; of two equal ones the first stays.
    fn insert(&mut self, pattern: u32, path: impl Iterator<Item = u32>) {
        let mut state = ROOT;
        for class in path {
            let edges = &self.edges[state as usize];
            state = match edges.binary_search_by_key(&class, |edge| edge.0) {
                Ok(at) => edges[at].1,
                Err(at) => {
                    let next = self.edges.len() as u32;
                    self.edges[state as usize].insert(at, (class, next));
                    self.edges.push(Vec::new());
                    self.depth.push(self.depth[state as usize] + 1);
                    self.own.push(NO_PATTERN);
                    self.below.push(pattern);
                    next
                }
            };
        }
        let own = &mut self.own[state as usize];
        if *own == NO_PATTERN {
            *own = pattern;
        }
    }

    /// The state of the longest proper suffix of each state's path, in breadth-first order of the states.
    fn failures(&self) -> (Vec<u32>, Vec<u32>) {
        let mut fail = vec![ROOT; self.edges.len()];
        let mut order = Vec::with_capacity(self.edges.len());
        let mut queue = VecDeque::from([ROOT]);
        while let Some(state) = queue.pop_front() {
            order.push(state);
            for &(class, child) in &self.edges[state as usize] {
                queue.push_back(child);
                if state == ROOT {
                    continue;
                }
                let mut suffix = fail[state as usize];
                fail[child as usize] = loop {
                    match self.child(suffix, class) {
                        Some(next) => break next,
                        None if suffix == ROOT => break ROOT,
                        None => suffix = fail[suffix as usize],
                    }
                };
            }
        }
        (fail, order)
    }
}

impl Automaton {
    /// Compiles the patterns; of equal ones the first is reported. No pattern may be empty.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p [i32]> + Clone) -> Automaton {
        Automaton::with_dense_limit(patterns, DENSE_LIMIT)
    }

    pub(crate) fn with_dense_limit<'p>(
        patterns: impl IntoIterator<Item = &'p [i32]> + Clone,
        dense_limit: usize,
    ) -> Automaton {
        let classes = Classes::new(patterns.clone().into_iter().flatten().copied());
        let class_count = classes.count();
        let mut trie = Trie::new();
        let mut lengths = Vec::new();
        let mut flat = Vec::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            debug_assert!(!pattern.is_empty());
            flat.push(Flat {
                pattern: index as u32,
                first: pattern[0],
                second: pattern.get(1).copied().unwrap_or(pattern[0]),
                rest: pattern.get(2..).unwrap_or_default().into(),
                length: pattern.len(),
            });
            trie.insert(index as u32, pattern.iter().map(|&id| classes.of(id)));
            lengths.push(pattern.len() as u32);
        }
        flat.sort_by_key(|flat| std::cmp::Reverse(flat.length));
        let (mut fail, order) = trie.failures();
        let output = leftmost(&trie, &mut fail, &order, &lengths);
        let transitions = if trie.edges.len().saturating_mul(class_count) <= dense_limit {
            Transitions::Dense(dense(&trie, &fail, &order, class_count, &output))
        } else {
            Transitions::Sparse(trie.edges)
        };
        Automaton {
            classes,
            class_count,
            transitions,
            fail,
            depth: trie.depth,
            output,
            own: trie.own,
            below: trie.below,
            lengths,
            flat: (flat.len() <= FLAT_LIMIT).then_some(flat),
        }
    }

    /// The length of a pattern.
    pub fn pattern_len(&self, pattern: u32) -> usize {
        self.lengths[pattern as usize] as usize
    }

    /// The leftmost, then longest match that begins at `from` or later.
    pub fn find<L: Lanes>(&self, ids: &[L], from: usize) -> Option<Match> {
        self.find_until(ids, from, ids.len())
    }

    /// The leftmost, then longest match that begins in `[from, limit)`.
    pub fn find_until<L: Lanes>(&self, ids: &[L], from: usize, limit: usize) -> Option<Match> {
        let mut state = ROOT;
        let mut found = None;
        let mut at = from;
        while at < ids.len() {
            if at >= limit && at - self.depth[state as usize] as usize >= limit {
                break;
            }
            state = match &self.transitions {
                Transitions::Dense(table) => {
                    let end = if at < limit { limit.min(ids.len()) } else { at + 1 };
                    let (state, read) = self.run(table, &ids[at..end], state);
                    at += read;
                    state
                }
                Transitions::Sparse(_) => {
                    at += 1;
                    self.step(state, self.class_of(ids[at - 1]))
                }
            };
            if state == DEAD {
                break;
            }
            let pattern = self.output[state as usize];
            if pattern != NO_PATTERN {
                found = Some(Match { pattern, start: at - self.pattern_len(pattern), end: at });
            }
        }
        found.filter(|found| found.start < limit)
    }

    /// Steps through the table until a state that reports something, or no state: the state, and the tokens read.
    fn run<L: Lanes>(&self, table: &[u32], ids: &[L], state: u32) -> (u32, usize) {
        let mut entry = state * self.class_count as u32;
        for (read, &id) in ids.iter().enumerate() {
            entry = table[entry as usize + self.class_of(id) as usize];
            if entry >= NEWS {
                let row = entry & !NEWS;
                let state = if entry == DEAD { DEAD } else { row / self.class_count as u32 };
                return (state, read + 1);
            }
        }
        (entry / self.class_count as u32, ids.len())
    }

    /// The longest match that begins exactly at `at`.
    #[inline]
    pub fn match_at<L: Lanes>(&self, ids: &[L], at: usize) -> Option<Match> {
        let Some(flat) = &self.flat else { return self.walk(ids, at).0 };
        let first = *ids.get(at)?;
        // After the row's last token there is no second one; a pattern of that length does not fit then anyway.
        let second = ids.get(at + 1).copied().unwrap_or(first);
        for flat in flat {
            if first == L::from_i32(flat.first)
                && (flat.length == 1 || second == L::from_i32(flat.second))
                && at + flat.length <= ids.len()
                && flat.rest.iter().zip(&ids[(at + 2).min(ids.len())..]).all(|(&id, &there)| L::from_i32(id) == there)
            {
                return Some(Match { pattern: flat.pattern, start: at, end: at + flat.length });
            }
        }
        None
    }

    /// The longest beginning of a pattern that is at `at`: the first such pattern, and how many of its tokens.
    pub fn prefix_at<L: Lanes>(&self, ids: &[L], at: usize) -> Option<(u32, usize)> {
        let (_, state) = self.walk(ids, at);
        (state != ROOT).then(|| (self.below[state as usize], self.depth[state as usize] as usize))
    }

    /// Walks the trie from `at` on: the longest pattern on the way, and the last state.
    fn walk<L: Lanes>(&self, ids: &[L], at: usize) -> (Option<Match>, u32) {
        let mut state = ROOT;
        let mut found = None;
        for (length, &id) in ids.get(at..).unwrap_or_default().iter().enumerate() {
            let next = self.step(state, self.class_of(id));
            if next == DEAD || self.depth[next as usize] as usize != length + 1 {
                break;
            }
            state = next;
            let pattern = self.own[state as usize];
            if pattern != NO_PATTERN {
                found = Some(Match { pattern, start: at, end: at + length + 1 });
            }
        }
        (found, state)
    }

    #[inline(always)]
    fn class_of<L: Lanes>(&self, id: L) -> u32 {
        id.to_i32().map_or(0, |id| self.classes.of(id))
    }

    #[inline(always)]
    fn step(&self, state: u32, class: u32) -> u32 {
        match &self.transitions {
            Transitions::Dense(table) => match table[state as usize * self.class_count + class as usize] {
                DEAD => DEAD,
                entry => (entry & !NEWS) / self.class_count as u32,
            },
            Transitions::Sparse(edges) => {
                let mut state = state;
                loop {
                    let edges = &edges[state as usize];
                    if let Ok(at) = edges.binary_search_by_key(&class, |edge| edge.0) {
                        return edges[at].1;
                    }
                    if state == ROOT {
                        return ROOT;
                    }
                    state = self.fail[state as usize];
                    if state == DEAD {
                        return DEAD;
                    }
                }
            }
        }
    }
}

/// Turns an all-matches automaton into a leftmost-longest one: cuts the failure links that would give up the leftmost
/// match seen on the way to a state, and returns what each state reports.
fn leftmost(trie: &Trie, fail: &mut [u32], order: &[u32], lengths: &[u32]) -> Vec<u32> {
    let states = trie.edges.len();
    // The longest pattern that ends a state's path, and where in the path the leftmost match begins.
    let mut ends = vec![NO_PATTERN; states];
    let mut leftmost = vec![u32::MAX; states];
    let mut output = vec![NO_PATTERN; states];
    let full = fail.to_vec();
    for &state in order {
        let at = state as usize;
        let depth = trie.depth[at];
        let own = trie.own[at];
        ends[at] = if own != NO_PATTERN || state == ROOT { own } else { ends[full[at] as usize] };
        if ends[at] != NO_PATTERN {
            let start = depth - lengths[ends[at] as usize];
            if start <= leftmost[at] {
                leftmost[at] = start;
                output[at] = ends[at];
            }
        }
        for &(_, child) in &trie.edges[at] {
            leftmost[child as usize] = leftmost[at];
        }
        if state != ROOT && depth - trie.depth[full[at] as usize] > leftmost[at] {
            fail[at] = DEAD;
        }
    }
    output
}

fn dense(trie: &Trie, fail: &[u32], order: &[u32], class_count: usize, output: &[u32]) -> Vec<u32> {
    let mut table = vec![ROOT; trie.edges.len() * class_count];
    for &state in order {
        let row = state as usize * class_count;
        if state != ROOT {
            match fail[state as usize] {
                DEAD => table[row..row + class_count].fill(DEAD),
                suffix => table.copy_within(suffix as usize * class_count..(suffix as usize + 1) * class_count, row),
            }
        }
        for &(class, child) in &trie.edges[state as usize] {
            let news = if output[child as usize] == NO_PATTERN { 0 } else { NEWS };
            table[row + class as usize] = (child * class_count as u32) | news;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition: the first position where a pattern is, the longest there, the first declared on a tie.
    fn naive(patterns: &[Vec<i32>], ids: &[i32], from: usize) -> Option<Match> {
        (from..ids.len()).find_map(|start| naive_at(patterns, ids, start))
    }

    fn naive_at(patterns: &[Vec<i32>], ids: &[i32], start: usize) -> Option<Match> {
        let mut best: Option<Match> = None;
        for (index, pattern) in patterns.iter().enumerate() {
            let end = start + pattern.len();
            if ids[start..].starts_with(pattern) && best.is_none_or(|best| end > best.end) {
                best = Some(Match { pattern: index as u32, start, end });
            }
        }
        best
    }

    fn check(patterns: &[Vec<i32>], ids: &[i32]) {
        for dense_limit in [0, DENSE_LIMIT] {
            let automaton = Automaton::with_dense_limit(patterns.iter().map(Vec::as_slice), dense_limit);
            for from in 0..=ids.len() {
                assert_eq!(
                    automaton.find(ids, from),
                    naive(patterns, ids, from),
                    "{patterns:?} in {ids:?} from {from}"
                );
                let anchored = if from < ids.len() { naive_at(patterns, ids, from) } else { None };
                assert_eq!(automaton.match_at(ids, from), anchored, "{patterns:?} in {ids:?} at {from}");
                assert_eq!(automaton.walk(ids, from).0, anchored, "{patterns:?} in {ids:?} at {from}, by the trie");
                for limit in from..=ids.len() {
                    let until = naive(patterns, ids, from).filter(|found| found.start < limit);
                    assert_eq!(
                        automaton.find_until(ids, from, limit),
                        until,
                        "{patterns:?} in {ids:?} {from}..{limit}"
                    );
                }
            }
        }
    }

    #[test]
    fn leftmost_then_longest() {
        // A match inside the path of a longer one that fails, and a later one that must not replace it.
        check(&[vec![1, 2, 3, 4, 5], vec![2, 3], vec![3, 4, 9]], &[1, 2, 3, 4, 9]);
        check(&[vec![1], vec![1, 2, 3, 4], vec![2, 3]], &[1, 2, 3, 9, 1, 2, 3, 4]);
        check(&[vec![1, 2, 3, 4], vec![2], vec![2, 3, 9]], &[1, 2, 3, 9]);
        check(&[vec![7, 7, 7], vec![7, 7]], &[7, 7, 7, 7, 7, 7, 7]);
        check(&[], &[1, 2, 3]);
    }

    #[test]
    fn ids_beyond_i32_match_nothing() {
        let automaton = Automaton::new([[-1].as_slice(), &[5]]);
        let ids = [i64::from(u32::MAX), 5 + (1 << 32), -1];
        assert_eq!(automaton.find(&ids, 0), Some(Match { pattern: 0, start: 2, end: 3 }));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_definition(
            patterns in prop::collection::vec(prop::collection::vec(0..3i32, 1..6), 0..6),
            ids in prop::collection::vec(0..4i32, 0..24),
        ) {
            check(&patterns, &ids);
        }
    }
}
