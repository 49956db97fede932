//! Where to look: which tokens of a row belong to a small set of ids, 64 at a time, and the labels written from such bits.
//!
//! The loops are written once, in `kernel`, over the few vector operations that an instruction set gives in its own file;
//! `scalar` gives them in plain Rust. Which set runs is chosen once, when a masker is built.

mod kernel;
mod scalar;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::classes::Classes;
use crate::ids::Label;

/// The instruction set that a masker's inner loops run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// Plain Rust.
    Scalar,
    /// x86-64's baseline, 128 bits.
    Sse2,
    /// x86-64 with 256 bits.
    Avx2,
    /// AArch64's baseline, 128 bits.
    Neon,
}

impl Engine {
    /// The engines that this machine can run, the fastest last.
    pub fn available() -> &'static [Engine] {
        #[cfg(target_arch = "x86_64")]
        return match x86::avx2::is_available() {
            true => &[Engine::Scalar, Engine::Sse2, Engine::Avx2],
            false => &[Engine::Scalar, Engine::Sse2],
        };
        #[cfg(target_arch = "aarch64")]
        return &[Engine::Scalar, Engine::Neon];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return &[Engine::Scalar];
    }

    /// The fastest engine that this machine can run.
    pub fn fastest() -> Engine {
        Engine::available()[Engine::available().len() - 1]
    }

    /// Lowercase name: `scalar`, `sse2`, `avx2`, `neon`.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Scalar => "scalar",
            Engine::Sse2 => "sse2",
            Engine::Avx2 => "avx2",
            Engine::Neon => "neon",
        }
    }
}

/// The inner loops of one engine for one type of ids.
///
/// # Safety
/// All of them may be called only on a machine that has the engine's instructions, which [`kernels`] sees to.
pub(crate) struct Kernels<L: 'static> {
    /// `classify(ids, words, set, out)`: bit `i` of `out[w]` becomes whether `ids[64 * w + i]` is in the set.
    ///
    /// Reads `64 * words` ids, writes `words` words.
    pub classify: unsafe fn(*const L, usize, &IdSet, *mut u64),
    /// Writes labels, and classifies what comes next in the same loop, so that reading and writing overlap.
    pub write: unsafe fn(&Writing<'_, L>),
    /// As `write`, past the caches: for outputs that no cache will hold. `labels` is aligned to 64 bytes.
    pub write_through: unsafe fn(&Writing<'_, L>),
    /// Labels tokens up to the first of a set, and says how many that is.
    pub stream: unsafe fn(&Streaming<'_, L>) -> usize,
    /// `list(bits, words, out)`: the places of the set bits, in order, and how many they are. Stops before a word with which
    /// there would be more than [`LIST`], and then returns `None`.
    ///
    /// Reads `words` words, writes up to `LIST + 64` places.
    pub list: unsafe fn(*const u64, usize, *mut u16) -> Option<usize>,
}

/// Places that [`Kernels::list`] lists at most.
pub(crate) const LIST: usize = 1024;

/// What [`Kernels::write`] does: `labels[i]` becomes `ids[i]` where bit `i` of `keep` is set, else `ignore`.
///
/// Reads `64 * words` ids and `words` words of `keep`, writes `64 * words` labels; `labels` either equals `ids` or does not
/// overlap them. `ahead` does not overlap `labels`.
pub(crate) struct Writing<'a, L> {
    pub ids: *const L,
    pub labels: *mut L,
    pub words: usize,
    pub keep: *const u64,
    pub ignore: L,
    pub ahead: Ahead<'a, L>,
}

/// What [`Kernels::stream`] does: up to the first id of the set, `labels[i]` becomes `ids[i]` if `keep` is set, else `ignore`.
///
/// Reads `length` ids, writes up to `length` labels: behind that first id any label may become its id. `labels` either equals
/// `ids` or does not overlap them. The set [fits one test](IdSet::fits_one_test).
pub(crate) struct Streaming<'a, L> {
    pub ids: *const L,
    pub labels: *mut L,
    pub length: usize,
    pub set: &'a IdSet,
    pub keep: bool,
    pub ignore: L,
}

/// Ids to be classified as [`Kernels::classify`] does. The set [fits one test](IdSet::fits_one_test) unless there are no words.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'a, L> {
    pub ids: *const L,
    pub words: usize,
    pub set: &'a IdSet,
    pub out: *mut u64,
}

impl<'a, L> Ahead<'a, L> {
    pub fn nothing(set: &'a IdSet) -> Ahead<'a, L> {
        Ahead { ids: std::ptr::null(), words: 0, set, out: std::ptr::null_mut() }
    }
}

/// The inner loops of one engine for both types of labels.
pub(crate) type KernelsPair = (&'static Kernels<i32>, &'static Kernels<i64>);

impl<L> std::fmt::Debug for Kernels<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kernels")
    }
}

macro_rules! kernels {
    ($module:path as $name:ident, $label:ty) => {{
        use $module as $name;
        static KERNELS: Kernels<$label> = Kernels {
            classify: $name::classify::<$label>,
            write: $name::write::<$label, false>,
            write_through: $name::write::<$label, true>,
            stream: $name::stream::<$label>,
            list: $name::list,
        };
        &KERNELS
    }};
}

macro_rules! choose {
    ($engine:expr, $label:ty) => {
        match $engine {
            #[cfg(target_arch = "x86_64")]
            Engine::Sse2 => kernels!(x86::sse2 as engine, $label),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => kernels!(x86::avx2 as engine, $label),
            #[cfg(target_arch = "aarch64")]
            Engine::Neon => kernels!(neon as engine, $label),
            _ => kernels!(scalar as engine, $label),
        }
    };
}

/// The inner loops for `i32` and `i64` on an engine, which must be one of [`Engine::available`].
pub(crate) fn kernels(engine: Engine) -> KernelsPair {
    assert!(Engine::available().contains(&engine), "{} is not available here", engine.name());
    (choose!(engine, i32), choose!(engine, i64))
}

/// Slots of a table: as many as a 256-bit vector has 32-bit lanes.
const SLOTS: usize = 8;
/// Sets that need more tables, or more comparisons where there are no tables, are looked up one id at a time.
const MAX_TABLES: usize = 16;
const MAX_COMPARISONS: usize = 16;

/// How an id finds its slot in a table: its signed 16-bit halves are multiplied with those of `factors` and added up, and three
/// bits of the sum are the slot. (One instruction multiplies and adds so.)
#[derive(Clone, Copy, Debug)]
struct Hash {
    factors: i32,
    shift: u32,
}

impl Hash {
    #[inline(always)]
    fn slot(self, id: i32) -> usize {
        let low = i32::from(id as i16) * i32::from(self.factors as i16);
        let high = (id >> 16) * (self.factors >> 16);
        (low.wrapping_add(high).cast_unsigned() >> self.shift) as usize % SLOTS
    }

    fn fullest_slot(self, ids: &[i32]) -> usize {
        let mut counts = [0; SLOTS];
        ids.iter().for_each(|&id| counts[self.slot(id)] += 1);
        counts.into_iter().max().unwrap_or(0)
    }

    /// The first of some pseudo-random ones that gives every id a slot of its own, else the one that spreads the ids best.
    fn best(ids: &[i32]) -> Hash {
        let first = Hash { factors: 0x9e37_79b1_u32.cast_signed(), shift: 13 };
        let mut best = (first.fullest_slot(ids), first);
        let mut factors = first.factors.cast_unsigned();
        // Eight ids find a free slot each once in 400 tries; more cannot.
        for _ in 0..if ids.len() <= SLOTS { 10_000 } else { 200 } {
            if best.0 <= 1 {
                break;
            }
            factors = factors.wrapping_mul(0x2c1b_3c6d).wrapping_add(0x297a_2d39);
            let hash = Hash { factors: factors.cast_signed(), ..first };
            best = std::cmp::min_by_key(best, (hash.fullest_slot(ids), hash), |(fullest, _)| *fullest);
        }
        best.1
    }
}

/// A set of ids, prepared for every engine.
#[derive(Clone, Debug)]
pub(crate) struct IdSet {
    ids: Vec<i32>,
    hash: Hash,
    /// Every id stands in its slot of one of the tables. A slot without an id holds an id of another slot, which it can
    /// never be compared equal to.
    tables: Vec<[i32; SLOTS]>,
    classes: Classes,
}

impl IdSet {
    pub fn new(ids: impl IntoIterator<Item = i32>) -> IdSet {
        let mut ids: Vec<i32> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let hash = Hash::best(&ids);
        let tables = tables(&ids, hash);
        IdSet { classes: Classes::new(ids.iter().copied()), ids, hash, tables }
    }

    /// A number below 8 that is another for each id of the set, if it [fits one test](IdSet::fits_one_test).
    #[inline(always)]
    pub fn slot(&self, id: i32) -> usize {
        self.hash.slot(id)
    }

    /// Whether every engine tests the set in a few instructions.
    pub fn fits_one_test(&self) -> bool {
        self.tables.len() == 1
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub fn ids(&self) -> &[i32] {
        &self.ids
    }

    /// Whether the id is in the set.
    #[inline(always)]
    pub fn contains<L: Label>(&self, id: L) -> bool {
        id.to_i32().is_some_and(|id| self.classes.of(id) != 0)
    }
}

fn tables(ids: &[i32], hash: Hash) -> Vec<[i32; SLOTS]> {
    let mut slots: [Vec<i32>; SLOTS] = Default::default();
    ids.iter().for_each(|&id| slots[hash.slot(id)].push(id));
    let count = slots.iter().map(Vec::len).max().unwrap_or(0).min(MAX_TABLES + 1);
    // What no id of slot `at` can be: a number whose slot is another.
    let other = |at: usize| if at == 0 { (0..).find(|&id| hash.slot(id) != 0).unwrap_or(0) } else { 0 };
    let others: [i32; SLOTS] = std::array::from_fn(other);
    (0..count).map(|table| std::array::from_fn(|at| slots[at].get(table).copied().unwrap_or(others[at]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<L: Label + std::fmt::Debug>(kernels: &Kernels<L>, ids: &[L], set: &IdSet, ignore: L) {
        let words = ids.len() / 64;
        let expected: Vec<bool> = ids.iter().map(|&id| id.to_i32().is_some_and(|id| set.ids().contains(&id))).collect();
        let mut bits = vec![0; words];
        // SAFETY: the engine is available, and the arrays hold what `words` says.
        unsafe { (kernels.classify)(ids.as_ptr(), words, set, bits.as_mut_ptr()) };
        let bit = |words: &[u64], at: usize| words[at / 64] >> (at % 64) & 1 == 1;
        for (at, &expected) in expected.iter().enumerate() {
            assert_eq!(bit(&bits, at), expected, "{:?} in {:?}", ids[at], set.ids());
        }
        for keep in [vec![0; words], vec![!0; words], vec![0x0f0f_1234_8000_0001; words]] {
            // Aligned to 64 bytes for `write_through`.
            let mut storage = vec![ignore; ids.len() + 64];
            let skip = storage.as_ptr().align_offset(64);
            let labels = &mut storage[skip..skip + ids.len()];
            for write in [kernels.write, kernels.write_through] {
                labels.fill(L::from_i32(77));
                let mut ahead = vec![0; words];
                let few = IdSet::new(set.ids().first().copied());
                let mut writing = Writing {
                    ids: ids.as_ptr(),
                    labels: labels.as_mut_ptr(),
                    words,
                    keep: keep.as_ptr(),
                    ignore,
                    ahead: Ahead::nothing(set),
                };
                if few.fits_one_test() {
                    writing.ahead = Ahead { ids: ids.as_ptr(), words, set: &few, out: ahead.as_mut_ptr() };
                }
                // SAFETY: as above; `labels` is aligned and does not overlap `ids`.
                unsafe { write(&writing) };
                for (at, id) in ids.iter().enumerate().filter(|_| few.fits_one_test()) {
                    assert_eq!(bit(&ahead, at), id.to_i32().is_some_and(|id| few.ids().contains(&id)), "ahead");
                }
                for at in 0..ids.len() {
                    let label = if bit(&keep, at) { ids[at] } else { ignore };
                    assert_eq!(labels[at], label, "label {at}");
                }
                // In place.
                labels.copy_from_slice(ids);
                let expected_labels: Vec<L> =
                    (0..ids.len()).map(|at| if bit(&keep, at) { ids[at] } else { ignore }).collect();
                // SAFETY: as above; both pointers are the same, derived from the one mutable borrow.
                unsafe {
                    let row = labels.as_mut_ptr();
                    write(&Writing { ids: row, labels: row, ahead: Ahead::nothing(set), ..writing });
                }
                assert_eq!(labels, expected_labels, "in place");
            }
        }
    }

    fn check_stream<L: Label + std::fmt::Debug>(kernels: &Kernels<L>, ids: &[L], set: &IdSet, ignore: L) {
        let expected = ids.iter().position(|&id| set.contains(id)).unwrap_or(ids.len());
        for keep in [false, true] {
            let mut labels = ids.to_vec();
            let row = labels.as_mut_ptr();
            // SAFETY: the engine is available, the pointers are valid for the row and the same.
            let streamed =
                unsafe { (kernels.stream)(&Streaming { ids: row, labels: row, length: ids.len(), set, keep, ignore }) };
            assert_eq!(streamed, expected);
            for at in 0..ids.len() {
                let label = if at < expected && !keep { ignore } else { ids[at] };
                assert_eq!(labels[at], label, "{at} of {expected}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_engine_streams_alike(
            set in prop::collection::vec(0..40i32, 1..4),
            length in 0..200usize,
            special in prop::option::of(0..200usize),
        ) {
            let set = IdSet::new(set);
            let special = special.filter(|_| set.fits_one_test());
            let wide: Vec<i64> = (0..length)
                .map(|at| if special == Some(at) { i64::from(set.ids()[0]) } else { (1 << 32) + at as i64 * 1000 })
                .collect();
            let narrow: Vec<i32> =
                wide.iter().map(|&id| id.to_i32().unwrap_or(1_000_000 + (id >> 3) as i32 % 1000)).collect();
            for &engine in Engine::available() {
                if set.fits_one_test() {
                    check_stream(kernels(engine).0, &narrow, &set, -100);
                    check_stream(kernels(engine).1, &wide, &set, -100);
                }
            }
        }
    }

    #[test]
    fn every_engine_lists_alike() {
        for bits in [vec![], vec![0_u64, 0], vec![1 << 63, 0, 0x8421], vec![!0; 16], [vec![!0; 16], vec![1]].concat()] {
            let expected: Vec<u16> =
                (0..64 * bits.len() as u16).filter(|&at| bits[at as usize / 64] >> (at % 64) & 1 == 1).collect();
            for &engine in Engine::available() {
                let mut out = [0; LIST + 64];
                // SAFETY: the engine is available, and the arrays hold what is asked for.
                let count = unsafe { (kernels(engine).0.list)(bits.as_ptr(), bits.len(), out.as_mut_ptr()) };
                let listed = count.map(|count| out[..count].to_vec());
                assert_eq!(listed, (expected.len() <= LIST).then(|| expected.clone()));
            }
        }
    }

    proptest! {
        #[test]
        fn every_engine_classifies_and_writes_alike(
            set in prop_oneof![
                prop::collection::vec(prop_oneof![0..40i32, 151_640..151_660i32, any::<i32>()], 0..12),
                prop::collection::vec(0..400i32, 0..300),
            ],
            strangers in prop::collection::vec(prop_oneof![0..400i64, 151_640..151_660i64, any::<i64>()], 1..20),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 192),
        ) {
            let pool: Vec<i64> = strangers.into_iter().chain(set.iter().map(|&id| i64::from(id))).collect();
            let wide: Vec<i64> = picks.iter().map(|pick| *pick.get(&pool)).collect();
            let narrow: Vec<i32> = wide.iter().map(|&id| id as i32).collect();
            let set = IdSet::new(set);
            for &engine in Engine::available() {
                let (kernels32, kernels64) = kernels(engine);
                check(kernels32, &narrow, &set, -100);
                check(kernels64, &wide, &set, -100);
            }
        }
    }
}
