//! What opens a turn: a core, and after it the longest of the boundary's tails.

use std::collections::HashMap;

use crate::compile::automaton::Automaton;
use crate::compile::candidates::Candidates;
use crate::compile::turn::Opened;
use crate::options::Boundary;
use crate::vector::Lanes;

/// Distinct cores beyond which they are not compared one by one.
const CORE_LIMIT: usize = 16;

/// The starts of all boundaries.
#[derive(Debug)]
pub(crate) struct Starts {
    /// Its patterns are the distinct cores.
    pub automaton: Automaton,
    /// The boundaries that each core opens, in order of declaration.
    pub boundaries: Vec<Vec<u32>>,
    /// Where the cores may begin.
    pub candidates: Candidates,
    /// The cores, where they are few.
    cores: Option<Cores>,
    /// A turn of each boundary.
    turns: Vec<Opened>,
    /// The tails of each boundary.
    tails: Vec<Option<Automaton>>,
}

/// The cores, to be compared with one by one.
#[derive(Debug)]
struct Cores {
    /// The longest first: the first that matches is the one that counts.
    records: Vec<Core>,
    /// See [`Plan::unused_id`](super::Plan::unused_id): read where the row has ended.
    unused_id: i32,
}

/// A core. Its first four tokens are compared as two pairs, of which the bits in the mask count.
#[derive(Debug)]
struct Core {
    first: Pair,
    second: Pair,
    /// The ids after the fourth.
    rest: Box<[i32]>,
    length: usize,
    opens: Opens,
}

/// What a core opens.
#[derive(Debug)]
enum Opens {
    /// A turn of one boundary, which has no tail.
    Bare(Opened),
    /// A turn of one boundary, whose tail is this single token or, if that is not there, what its automaton finds.
    Tailed(Opened, i32),
    /// What the longest tail decides, among the boundaries that share this pattern of [`Starts::automaton`].
    ByTail(u32),
}

/// Two ids as one number, and the bits of it that are compared.
#[derive(Clone, Copy, Debug)]
struct Pair {
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
    fn is(self, ids: u64) -> bool {
        ids & self.mask == self.ids
    }
}

/// Two ids as one number.
#[inline(always)]
fn pair(first: i32, second: i32) -> u64 {
    u64::from(first.cast_unsigned()) | u64::from(second.cast_unsigned()) << 32
}

impl Starts {
    /// `turns`: a turn of each boundary.
    pub fn new(boundaries: &[Boundary], turns: Vec<Opened>, unused_id: i32) -> Starts {
        let (cores, opens) = distinct_cores(boundaries);
        let automaton = Automaton::new(cores.iter().copied());
        let few = (cores.len() <= CORE_LIMIT).then(|| Cores::new(boundaries, &automaton, &opens, &turns, unused_id));
        let tails = |boundary: &Boundary| {
            (!boundary.tails.is_empty()).then(|| Automaton::new(boundary.tails.iter().map(Vec::as_slice)))
        };
        Starts {
            candidates: Candidates::new(cores.into_iter()),
            automaton,
            boundaries: opens,
            cores: few,
            turns,
            tails: boundaries.iter().map(tails).collect(),
        }
    }

    /// The turn that a start at `at` opens, and where its content starts.
    #[inline(always)]
    pub fn header_at<L: Lanes>(&self, ids: &[L], at: usize) -> Option<(&Opened, usize)> {
        let Some(cores) = &self.cores else {
            return self.long_header_at(ids, at);
        };
        let [first, second] = cores.window(ids, at);
        for core in &cores.records {
            if core.first.is(first)
                && core.second.is(second)
                && (core.rest.is_empty() || is_at(ids, at + 4, &core.rest))
            {
                let end = at + core.length;
                return Some(match &core.opens {
                    Opens::Bare(turn) => (turn, end),
                    Opens::Tailed(turn, tail) if ids.get(end) == Some(&L::from_i32(*tail)) => (turn, end + 1),
                    Opens::Tailed(turn, _) => (turn, self.tail(ids, turn.boundary, end)),
                    Opens::ByTail(pattern) => self.header(ids, *pattern, end),
                });
            }
        }
        None
    }

    #[inline(never)]
    fn long_header_at<L: Lanes>(&self, ids: &[L], at: usize) -> Option<(&Opened, usize)> {
        self.automaton.match_at(ids, at).map(|core| self.header(ids, core.pattern, core.end))
    }

    /// Where the longest tail of a boundary at `at` ends; `at` where there is none.
    #[inline(never)]
    fn tail<L: Lanes>(&self, ids: &[L], boundary: u32, at: usize) -> usize {
        let tails = self.tails[boundary as usize].as_ref();
        tails.and_then(|tails| tails.match_at(ids, at)).map_or(at, |tail| tail.end)
    }

    /// The turn that a core opens, and where its content starts: of the boundaries that share the core the one with the longest
    /// tail wins, the first declared on a tie.
    #[inline(never)]
    pub fn header<L: Lanes>(&self, ids: &[L], core: u32, core_end: usize) -> (&Opened, usize) {
        let mut best = (0, 0);
        for &boundary in &self.boundaries[core as usize] {
            let end = self.tail(ids, boundary, core_end);
            if end > best.1 {
                best = (boundary, end);
            }
        }
        (&self.turns[best.0 as usize], best.1)
    }
}

/// The distinct cores, and for each the boundaries that it opens.
fn distinct_cores(boundaries: &[Boundary]) -> (Vec<&[i32]>, Vec<Vec<u32>>) {
    let mut cores: Vec<&[i32]> = Vec::new();
    let mut opens: Vec<Vec<u32>> = Vec::new();
    let mut index: HashMap<&[i32], usize> = HashMap::new();
    for (number, boundary) in boundaries.iter().enumerate() {
        for core in &boundary.starts {
            let at = *index.entry(core).or_insert_with(|| {
                cores.push(core);
                opens.push(Vec::new());
                cores.len() - 1
            });
            if opens[at].last() != Some(&(number as u32)) {
                opens[at].push(number as u32);
            }
        }
    }
    (cores, opens)
}

impl Cores {
    /// `opens` and `turns`: see [`Starts::boundaries`] and [`Starts::turns`].
    fn new(
        boundaries: &[Boundary],
        automaton: &Automaton,
        opens: &[Vec<u32>],
        turns: &[Opened],
        unused_id: i32,
    ) -> Cores {
        let mut records: Vec<Core> = Vec::with_capacity(opens.len());
        for (boundary, core) in boundaries.iter().flat_map(|b| b.starts.iter().map(move |core| (b, core))) {
            let Some(found) = automaton.match_at(core, 0) else { continue };
            let opens = match *opens[found.pattern as usize].as_slice() {
                [only] if boundary.tails.is_empty() => Opens::Bare(turns[only as usize]),
                [only] => match usual_tail(&boundary.tails) {
                    Some(tail) => Opens::Tailed(turns[only as usize], tail),
                    None => Opens::ByTail(found.pattern),
                },
                _ => Opens::ByTail(found.pattern),
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
        Cores { records, unused_id }
    }

    /// The four tokens at `at`, as two pairs.
    #[inline(always)]
    fn window<L: Lanes>(&self, ids: &[L], at: usize) -> [u64; 2] {
        let id = |id: L| id.to_i32().unwrap_or(self.unused_id);
        match ids.get(at..at + 4) {
            Some(&[a, b, c, d]) => [pair(id(a), id(b)), pair(id(c), id(d))],
            _ => self.last_window(ids, at),
        }
    }

    /// The same where the row ends.
    #[cold]
    fn last_window<L: Lanes>(&self, ids: &[L], at: usize) -> [u64; 2] {
        let there = |index: usize| ids.get(at + index).and_then(|id| id.to_i32()).unwrap_or(self.unused_id);
        [pair(there(0), there(1)), pair(there(2), there(3))]
    }
}

#[inline(never)]
fn is_at<L: Lanes>(ids: &[L], at: usize, marker: &[i32]) -> bool {
    let there = ids.get(at..at + marker.len());
    there.is_some_and(|there| marker.iter().zip(there).all(|(&id, &there)| L::from_i32(id) == there))
}

/// The first tail of one token with which no longer one begins.
fn usual_tail(tails: &[Vec<i32>]) -> Option<i32> {
    let longer = |id| tails.iter().any(|tail| tail.len() > 1 && tail[0] == id);
    tails.iter().find(|tail| tail.len() == 1 && !longer(tail[0])).map(|tail| tail[0])
}
