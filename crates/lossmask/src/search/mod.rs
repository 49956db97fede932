//! Where to look: which tokens of a row belong to a small set of ids, 64 at a time, and the labels written from such bits.
//!
//! The loops are written once, in `kernel`, over the few vector operations that an instruction set gives in its own file;
//! `scalar` gives them in plain Rust. Which set runs is chosen once, when a masker is built.

pub(crate) mod kernel;
mod scalar;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use kernel::{Lanes, Simd};

use crate::classes::Classes;
use crate::ids::Label;
use crate::labels::Row;
use crate::plan::Plan;
use crate::scan::Found;

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

/// What is compiled for each engine, for one type of ids.
///
/// # Safety
/// All of them may be called only on a machine that has the engine's instructions, which [`kernels`] sees to.
pub(crate) struct Kernels<L: 'static> {
    /// `classify(ids, words, set, out)`: bit `i` of `out[w]` becomes whether `ids[64 * w + i]` is in the set.
    ///
    /// Reads `64 * words` ids, writes `words` words.
    pub classify: unsafe fn(*const L, usize, &IdSet, *mut u64),
    /// See [`boundary_turns`](crate::scan::boundary_turns).
    pub turns: unsafe fn(&Plan, &[L], &mut Vec<Found>),
    /// See [`labels`](crate::labels::labels).
    pub labels: unsafe fn(&Plan, Row<L>, *mut L),
    /// See [`bits`](crate::labels::bits).
    pub bits: unsafe fn(&Plan, Row<L>, *mut u8),
}

/// Places that [`kernel::list`] lists at most.
pub(crate) const LIST: usize = 1024;

/// What [`kernel::write`] does: `labels[i]` becomes `ids[i]` where bit `i` of `keep` is set, else `ignore`.
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

/// What [`kernel::stream`] does: up to the first id that the set [may hold](IdSet::may_hold), `labels[i]` becomes `ids[i]` if `keep`
/// is set, else `ignore`.
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

    /// Without the first words.
    fn behind(self, words: usize) -> Ahead<'a, L> {
        let (ids, out) = (self.ids.wrapping_add(64 * words), self.out.wrapping_add(words));
        Ahead { ids, words: self.words - words, out, ..self }
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
            turns: $name::turns::<$label>,
            labels: $name::labels::<$label>,
            bits: $name::bits::<$label>,
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
}

/// Bits of the sum below those that are the slot. A constant, because a shift by a variable is more than one instruction.
const HASH_SHIFT: u32 = 13;

impl Hash {
    #[inline(always)]
    fn slot(self, id: i32) -> usize {
        let low = i32::from(id as i16) * i32::from(self.factors as i16);
        let high = (id >> 16) * (self.factors >> 16);
        (low.wrapping_add(high).cast_unsigned() >> HASH_SHIFT) as usize % SLOTS
    }

    fn fullest_slot(self, ids: &[i32]) -> usize {
        let mut counts = [0; SLOTS];
        ids.iter().for_each(|&id| counts[self.slot(id)] += 1);
        counts.into_iter().max().unwrap_or(0)
    }

    /// The first of some pseudo-random ones that gives every id a slot of its own, else the one that spreads the ids best.
    fn best(ids: &[i32]) -> Hash {
        let first = Hash { factors: 0x9e37_79b1_u32.cast_signed() };
        let mut best = (first.fullest_slot(ids), first);
        let mut factors = first.factors.cast_unsigned();
        // Eight ids find a free slot each once in 400 tries; more cannot.
        for _ in 0..if ids.len() <= SLOTS { 10_000 } else { 200 } {
            if best.0 <= 1 {
                break;
            }
            factors = factors.wrapping_mul(0x2c1b_3c6d).wrapping_add(0x297a_2d39);
            let hash = Hash { factors: factors.cast_signed() };
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
    span: Option<Span>,
    classes: Classes,
}

/// Ids close together: those for which the wrapping sum with `shift` is greater than `limit`.
#[derive(Clone, Copy, Debug)]
struct Span {
    shift: i32,
    limit: i32,
}

/// From the lowest to the highest id of a set that is searched for as a span: control tokens lie together, and what lies between
/// them is seldom met.
const SPAN_LENGTH: u32 = 1024;

impl Span {
    /// The span of sorted ids, if it is short.
    fn of(ids: &[i32]) -> Option<Span> {
        let (&low, &high) = ids.first().zip(ids.last())?;
        let length = high.abs_diff(low);
        let span = || Span { shift: i32::MAX.wrapping_sub(high), limit: i32::MAX - 1 - length.cast_signed() };
        (length < SPAN_LENGTH).then(span)
    }

    fn contains(self, id: i32) -> bool {
        id.wrapping_add(self.shift) > self.limit
    }
}

impl IdSet {
    pub fn new(ids: impl IntoIterator<Item = i32>) -> IdSet {
        let mut ids: Vec<i32> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let hash = Hash::best(&ids);
        let tables = tables(&ids, hash);
        IdSet { classes: Classes::new(ids.iter().copied()), span: Span::of(&ids), ids, hash, tables }
    }

    /// A number below 8 that is another for each id of the set, if it [fits one test](IdSet::fits_one_test).
    #[inline(always)]
    pub fn slot(&self, id: i32) -> usize {
        self.hash.slot(id)
    }

    /// Whether the id is in the set, which [fits one test](IdSet::fits_one_test).
    #[inline(always)]
    pub fn is_in_slot<L: Label>(&self, id: L) -> bool {
        let table = self.tables.first().unwrap_or(&[0; SLOTS]);
        id.to_i32().is_some_and(|id| table[self.slot(id)] == id)
    }

    /// Whether [`kernel::stream`] stops at the id: always at those of the set, at times at others.
    pub fn may_hold<L: Label>(&self, id: L) -> bool {
        match self.span {
            Some(span) if self.ids.len() > 1 => id.to_i32().is_some_and(|id| span.contains(id)),
            _ => self.contains(id),
        }
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
    use std::mem::MaybeUninit;

    use super::*;
    use proptest::prelude::*;

    /// Runs a check for every engine's vectors. The check is not compiled for the larger instruction set, its operations are.
    macro_rules! every_engine {
        ($check:ident($($argument:expr),*)) => {
            for &engine in Engine::available() {
                // SAFETY: the engine is available.
                unsafe {
                    match engine {
                        #[cfg(target_arch = "x86_64")]
                        Engine::Sse2 => $check::<x86::sse2::Sse2, _>($($argument),*),
                        #[cfg(target_arch = "x86_64")]
                        Engine::Avx2 => $check::<x86::avx2::Avx2, _>($($argument),*),
                        #[cfg(target_arch = "aarch64")]
                        Engine::Neon => $check::<neon::Neon, _>($($argument),*),
                        _ => $check::<scalar::Plain, _>($($argument),*),
                    }
                }
            }
        };
    }

    fn bit(words: &[u64], at: usize) -> bool {
        words[at / 64] >> (at % 64) & 1 == 1
    }

    fn membership<L: Label>(ids: &[L], set: &IdSet) -> Vec<bool> {
        ids.iter().map(|&id| id.to_i32().is_some_and(|id| set.ids().contains(&id))).collect()
    }

    unsafe fn check_classify<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L], set: &IdSet) {
        let words = ids.len() / 64;
        let mut bits = vec![0; words];
        // SAFETY: the caller's engine is available, and the arrays hold what `words` says.
        unsafe { kernel::classify::<S, L>(ids.as_ptr(), words, set, bits.as_mut_ptr()) };
        for (at, expected) in membership(ids, set).into_iter().enumerate() {
            assert_eq!(bit(&bits, at), expected, "{:?} in {:?}", ids[at], set.ids());
        }
    }

    unsafe fn check_write<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L], set: &IdSet) {
        let words = ids.len() / 64;
        let ignore = L::from_i32(-100);
        for keep in [vec![0; words], vec![!0; words], vec![0x0f0f_1234_8000_0001; words]] {
            let expected: Vec<L> = (0..ids.len()).map(|at| if bit(&keep, at) { ids[at] } else { ignore }).collect();
            // As many words ahead as are written, fewer, and more.
            for ahead_words in [words, words / 2, 0] {
                let mut labels = vec![L::from_i32(77); ids.len()];
                let mut bits = vec![0; words];
                let ahead = Ahead { ids: ids.as_ptr(), words: ahead_words, set, out: bits.as_mut_ptr() };
                for written in [words, words / 3] {
                    let (ids, labels, keep) = (ids.as_ptr(), labels.as_mut_ptr(), keep.as_ptr());
                    // SAFETY: as above; `labels` does not overlap `ids`.
                    unsafe { kernel::write::<S, L>(&Writing { ids, labels, words: written, keep, ignore, ahead }) };
                }
                assert_eq!(labels, expected);
                let seen = membership(&ids[..64 * ahead_words], set);
                assert!(seen.iter().enumerate().all(|(at, &expected)| bit(&bits, at) == expected), "ahead");
            }
            let mut row = ids.to_vec();
            let (labels, keep) = (row.as_mut_ptr(), keep.as_ptr());
            let ahead = Ahead::nothing(set);
            // SAFETY: as above; both pointers are the same, derived from the one mutable borrow.
            unsafe { kernel::write::<S, L>(&Writing { ids: labels, labels, words, keep, ignore, ahead }) };
            assert_eq!(row, expected, "in place");
        }
    }

    unsafe fn check_stream<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L], set: &IdSet) {
        let ignore = L::from_i32(-100);
        let expected = ids.iter().position(|&id| set.may_hold(id)).unwrap_or(ids.len());
        for keep in [false, true] {
            let mut labels = ids.to_vec();
            let row = labels.as_mut_ptr();
            let streaming = Streaming { ids: row, labels: row, length: ids.len(), set, keep, ignore };
            // SAFETY: the engine is available, the pointers are valid for the row and the same.
            assert_eq!(unsafe { kernel::stream::<S, L>(&streaming) }, expected);
            for at in 0..ids.len() {
                let label = if at < expected && !keep { ignore } else { ids[at] };
                assert_eq!(labels[at], label, "{at} of {expected}");
            }
        }
    }

    unsafe fn check_copy_through<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L]) {
        #[repr(align(64))]
        struct Line<L>([L; 16]);
        let line = |at: usize| Line(std::array::from_fn(|lane| ids[(at + lane) % ids.len()]));
        let from: Vec<Line<L>> = (0..5).map(line).collect();
        let mut to: Vec<Line<L>> = (0..5).map(|_| line(7)).collect();
        let bytes = size_of_val(from.as_slice());
        // SAFETY: the engine is available; both arrays hold so many bytes in whole lines.
        unsafe { kernel::copy_through::<S>(to.as_mut_ptr().cast(), from.as_ptr().cast(), bytes) };
        assert!(from.iter().zip(&to).all(|(from, to)| from.0 == to.0));
    }

    /// `L` is only there for [`every_engine`].
    unsafe fn check_parities<S: Simd, L>(bits: u64, _: L) {
        // SAFETY: the engine is available.
        let parities = unsafe { S::parities(bits) };
        for at in 0..64 {
            assert_eq!(parities >> at & 1 == 1, (bits << (63 - at)).count_ones() % 2 == 1, "bit {at} of {bits:x}");
        }
    }

    proptest! {
        #[test]
        fn every_engine_adds_up_parities_alike(bits in any::<u64>()) {
            every_engine!(check_parities(bits, ()));
        }

        #[test]
        fn every_engine_streams_alike(
            // One id, some that make a short span, and some that do not.
            set in prop_oneof![
                prop::collection::vec(0..40i32, 0..4),
                prop::collection::vec(prop_oneof![Just(i32::MIN), Just(i32::MAX), 0..3_000i32], 1..4),
            ],
            length in 0..200usize,
            special in prop::option::of(0..200usize),
            near in -1..2i32,
        ) {
            let set = IdSet::new(set);
            let first = set.ids().first().map_or(7, |id| i64::from(id.saturating_add(near)));
            let wide: Vec<i64> = (0..length)
                .map(|at| if special == Some(at) { first } else { (1 << 32) + at as i64 * 1000 })
                .collect();
            let narrow: Vec<i32> =
                wide.iter().map(|&id| id.to_i32().unwrap_or(1_000_000 + (id >> 3) as i32 % 1000)).collect();
            for &id in &narrow {
                prop_assert!(set.may_hold(id) || !set.ids().contains(&id));
            }
            if set.fits_one_test() {
                every_engine!(check_stream(&narrow, &set));
                every_engine!(check_stream(&wide, &set));
            }
        }

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
            let few = IdSet::new(set.first().copied());
            let set = IdSet::new(set);
            every_engine!(check_classify(&narrow, &set));
            every_engine!(check_classify(&wide, &set));
            every_engine!(check_write(&narrow, &few));
            every_engine!(check_write(&wide, &few));
            every_engine!(check_copy_through(&narrow));
            every_engine!(check_copy_through(&wide));
        }
    }

    #[test]
    fn lists_the_places_of_bits() {
        for bits in [vec![], vec![0_u64, 0], vec![1 << 63, 0, 0x8421], vec![!0; 16], [vec![!0; 16], vec![1]].concat()] {
            let expected: Vec<u16> = (0..64 * bits.len()).filter(|&at| bit(&bits, at)).map(|at| at as u16).collect();
            let mut out = [const { MaybeUninit::uninit() }; LIST + 64];
            let listed = kernel::list(&bits, &mut out);
            assert_eq!(listed, (expected.len() <= LIST).then_some(expected.as_slice()));
        }
    }
}
