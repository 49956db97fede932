//! Where a marker can begin: bits over a chunk of a row, made by the vector search and thinned out where they are dense.

use crate::vector::{Available, IdSet, Lanes, classify};

/// Tokens of a row that are looked at together. They and their labels stay in the first-level cache.
pub(crate) const CHUNK: usize = 64 * WORDS;
pub(crate) const WORDS: usize = 32;
/// Candidates in a chunk beyond which the tokens after them are looked at too, before anything is compared.
const DENSE: u32 = CHUNK as u32 / 16;
/// Positions of a marker that thinning looks at, as long as many candidates are left.
const POSITIONS: usize = 16;

/// The tokens possible at the first positions of some markers.
#[derive(Debug)]
pub(crate) struct Candidates {
    /// The first tokens.
    first: IdSet,
    /// Each position beyond the first: the tokens possible there, and the first tokens of the markers that end before it.
    later: Vec<(IdSet, IdSet)>,
}

impl Candidates {
    pub fn new<'m>(markers: impl Iterator<Item = &'m [i32]> + Clone) -> Candidates {
        let longest = markers.clone().map(<[i32]>::len).max().unwrap_or(0);
        let at = |position: usize| IdSet::new(markers.clone().filter_map(move |ids| ids.get(position).copied()));
        let ending =
            |position: usize| IdSet::new(markers.clone().filter(move |ids| ids.len() == position).map(|ids| ids[0]));
        let later = (1..longest.min(POSITIONS)).map(|position| (at(position), ending(position))).collect();
        Candidates { first: at(0), later }
    }

    /// Sets bit `i` of `out` where a marker may begin at `from + i`, for `count` tokens, which must lie in the row.
    pub fn find<L: Lanes>(&self, engine: Available, ids: &[L], from: usize, count: usize, out: &mut [u64; WORDS]) {
        classify(engine, ids, from, count, &self.first, out);
        let words = count.div_ceil(64);
        let found: u32 = out[..words].iter().map(|word| word.count_ones()).sum();
        if found > DENSE && !self.later.is_empty() {
            self.thin_out(engine, ids, from, count, out);
        }
    }

    #[cold]
    fn thin_out<L: Lanes>(&self, engine: Available, ids: &[L], from: usize, count: usize, out: &mut [u64; WORDS]) {
        let mut open = *out;
        out.fill(0);
        let mut bits = [0; WORDS];
        let many = |bits: &[u64; WORDS]| bits.iter().map(|word| word.count_ones()).sum::<u32>() > DENSE;
        for (position, (possible, ending)) in self.later.iter().enumerate() {
            if !ending.is_empty() {
                classify(engine, ids, from, count, ending, &mut bits);
                for word in 0..WORDS {
                    out[word] |= open[word] & bits[word];
                }
            }
            // Bit `i` is about the token that many positions later.
            let later = (from + position + 1).min(ids.len());
            classify(engine, ids, later, count.min(ids.len() - later), possible, &mut bits);
            for word in 0..WORDS {
                open[word] &= bits[word];
            }
            if !many(&open) {
                break;
            }
        }
        for word in 0..WORDS {
            out[word] |= open[word];
        }
    }
}
