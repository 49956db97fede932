//! The inner loops, over the operations of [`Simd`].

use std::mem::MaybeUninit;

use crate::ids::Label;
use crate::search::{Ahead, IdSet, LIST, Streaming, Writing};

/// Bytes between what is written and what is asked for to be written.
const WRITE_AHEAD: usize = 1024;
/// Bytes between what is read and what is asked for to be read.
const READ_AHEAD: usize = 2048;

/// A vector of 32-bit lanes. Masks are vectors whose lanes are all ones or all zeros.
///
/// # Safety
/// The operations may be called only on a machine that has the instruction set, and pointers must be valid for the lanes
/// read or written; no alignment is asked for unless said.
pub(crate) trait Simd: Copy {
    const LANES: usize;
    /// Whether [`Simd::in_table`] is one lookup rather than a chain of comparisons.
    const TABLES: bool;

    unsafe fn splat(value: i32) -> Self;
    /// The two values in turn.
    unsafe fn splat_pair(even: i32, odd: i32) -> Self;
    unsafe fn zero() -> Self;
    unsafe fn load(from: *const i32) -> Self;
    /// The low halves of 64-bit lanes, and where the whole equals the low half sign-extended.
    unsafe fn load_wide(from: *const i64) -> (Self, Self);
    unsafe fn equal(self, other: Self) -> Self;
    /// Whether signed lanes are greater.
    unsafe fn greater(self, other: Self) -> Self;
    /// The wrapping sum.
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn and(self, other: Self) -> Self;
    unsafe fn or(self, other: Self) -> Self;
    /// What [`Simd::store`] wants to know of 64 ids, from a bit for each.
    type Keep: Copy;
    unsafe fn keep(bits: u64) -> Self::Keep;
    /// The part of one of the vectors: lanes with the highest bit set are kept.
    unsafe fn part(keep: Self::Keep, vector: usize) -> Self;
    /// A mask as a bit for each lane.
    unsafe fn lane_bits(self) -> u32;
    /// The masks of consecutive vectors as 64 bits.
    unsafe fn bits(masks: &impl Masks<Self>) -> u64;
    /// Each bit becomes the parity of those up to it.
    #[inline(always)]
    unsafe fn parities(mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }
    /// The [`Hash`](super::Hash) of each lane, of which the lowest three bits count.
    unsafe fn hash(self, factors: Self) -> Self;
    /// `table[hash % 8] == self`
    unsafe fn in_table(self, table: &[i32; 8], hash: Self) -> Self;
    /// Stores `ids` where the highest bit of `keep` is set, else `ignore`.
    unsafe fn store(to: *mut i32, ids: Self, keep: Self, ignore: Self);
    /// Stores all lanes.
    unsafe fn store_all(self, to: *mut i32);
    /// Stores all lanes past the caches; `to` is aligned to the vector.
    unsafe fn store_through(self, to: *mut i32);
    /// As [`Simd::store`] for the 64-bit lanes at `from`; `to` may equal `from`.
    unsafe fn store_wide(to: *mut i64, from: *const i64, keep: Self, ignore: i64);
    /// Ends a run of stores past the caches.
    unsafe fn fence();
    /// Asks for the cache line of an address, which may be any, because it is needed soon.
    unsafe fn fetch(to: *const u8);
}

/// The masks of the vectors that 64 ids make.
///
/// This is a trait and not a closure, as are the sets below, because closures do not take part in the inlining into functions
/// that are compiled for a larger instruction set.
pub(crate) trait Masks<S> {
    unsafe fn mask(&self, vector: usize) -> S;
}

/// How a type of ids is loaded into 32-bit lanes and stored again.
pub(crate) trait Lanes: Label {
    /// Which ids of a vector at `from` are in the set.
    unsafe fn test<S: Simd, M: Members<S>>(from: *const Self, members: &M) -> S;
    unsafe fn put<S: Simd>(to: *mut Self, from: *const Self, keep: S, ignore: Self);
    /// Fills a vector.
    unsafe fn fill<S: Simd>(to: *mut Self, ignore: Self);
    /// Copies a vector.
    unsafe fn copy<S: Simd>(to: *mut Self, from: *const Self);
}

impl Lanes for i32 {
    #[inline(always)]
    unsafe fn test<S: Simd, M: Members<S>>(from: *const i32, members: &M) -> S {
        // SAFETY: the caller's contract is that of `load`.
        unsafe { members.test(S::load(from)) }
    }

    #[inline(always)]
    unsafe fn put<S: Simd>(to: *mut i32, from: *const i32, keep: S, ignore: i32) {
        // SAFETY: the caller's contract is that of `load` and `store`; the load comes first, so `to` may equal `from`.
        unsafe { S::store(to, S::load(from), keep, S::splat(ignore)) }
    }

    #[inline(always)]
    unsafe fn fill<S: Simd>(to: *mut i32, ignore: i32) {
        // SAFETY: the caller's contract is that of `store_all`.
        unsafe { S::splat(ignore).store_all(to) }
    }

    #[inline(always)]
    unsafe fn copy<S: Simd>(to: *mut i32, from: *const i32) {
        // SAFETY: the caller's contract is that of `load` and `store_all`.
        unsafe { S::load(from).store_all(to) }
    }
}

impl Lanes for i64 {
    #[inline(always)]
    unsafe fn test<S: Simd, M: Members<S>>(from: *const i64, members: &M) -> S {
        // SAFETY: the caller's contract is that of `load_wide`.
        unsafe {
            let (low, fits) = S::load_wide(from);
            members.test(low).and(fits)
        }
    }

    #[inline(always)]
    unsafe fn put<S: Simd>(to: *mut i64, from: *const i64, keep: S, ignore: i64) {
        // SAFETY: the caller's contract is that of `store_wide`.
        unsafe { S::store_wide(to, from, keep, ignore) }
    }

    #[inline(always)]
    unsafe fn fill<S: Simd>(to: *mut i64, ignore: i64) {
        let lanes = [ignore as i32, (ignore >> 32) as i32];
        // SAFETY: the caller's contract is that of `store_all`: a 64-bit lane is two of 32 bits.
        unsafe {
            let pair = S::splat_pair(lanes[0], lanes[1]);
            pair.store_all(to.cast());
            pair.store_all(to.cast::<i32>().add(S::LANES));
        }
    }

    #[inline(always)]
    unsafe fn copy<S: Simd>(to: *mut i64, from: *const i64) {
        // SAFETY: as above; both loads come first, so `to` may equal `from`.
        unsafe {
            let first = S::load(from.cast());
            let second = S::load(from.cast::<i32>().add(S::LANES));
            first.store_all(to.cast());
            second.store_all(to.cast::<i32>().add(S::LANES));
        }
    }
}

/// A set in the form that one loop tests.
pub(crate) trait Members<S> {
    unsafe fn test(&self, lanes: S) -> S;
}

/// The empty set.
struct Nobody;
/// One id, in every lane.
struct One<S>(S);
/// Ids close together: the span's shift and limit.
struct Close<S>(S, S);
/// Ids in a slot of a table each, and the hash's factors.
struct Table<'a, S>(&'a [i32; 8], S);
/// Ids in several tables, and the hash's factors.
struct Tables<'a, S>(&'a [[i32; 8]], S);
/// Ids to be compared with one by one.
struct Chain<'a>(&'a [i32]);

impl<S: Simd> Members<S> for Nobody {
    #[inline(always)]
    unsafe fn test(&self, _: S) -> S {
        // SAFETY: the caller has the instruction set; so in the impls below.
        unsafe { S::zero() }
    }
}

impl<S: Simd> Members<S> for One<S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.equal(self.0) }
    }
}

impl<S: Simd> Members<S> for Close<S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.add(self.0).greater(self.1) }
    }
}

impl<S: Simd> Members<S> for Table<'_, S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.in_table(self.0, lanes.hash(self.1)) }
    }
}

impl<S: Simd> Members<S> for Tables<'_, S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe {
            let mut found = S::zero();
            let hash = lanes.hash(self.1);
            for table in self.0 {
                found = found.or(lanes.in_table(table, hash));
            }
            found
        }
    }
}

impl<S: Simd> Members<S> for Chain<'_> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe {
            let mut found = S::zero();
            for &id in self.0 {
                found = found.or(lanes.equal(S::splat(id)));
            }
            found
        }
    }
}

/// Runs `$body` with `$members` bound to the form of the set that `S` tests fastest; `$large` for a set too large for it.
macro_rules! with_members {
    ($set:expr, $simd:ty, $members:ident => $body:expr, large => $large:expr) => {
        match ($set.ids.as_slice(), $set.tables.as_slice()) {
            ([], _) => {
                let $members = Nobody;
                $body
            }
            ([id], _) => {
                let $members = One(<$simd>::splat(*id));
                $body
            }
            (_, [table]) if <$simd>::TABLES => {
                let $members = Table(table, <$simd>::splat($set.hash.factors));
                $body
            }
            (_, tables) if <$simd>::TABLES && tables.len() <= super::MAX_TABLES => {
                let $members = Tables(tables, <$simd>::splat($set.hash.factors));
                $body
            }
            (ids, _) if !<$simd>::TABLES && ids.len() <= super::MAX_COMPARISONS => {
                let $members = Chain(ids);
                $body
            }
            _ => $large,
        }
    };
}

/// Runs `$body` with `$members` bound to the form of a set that [fits one test](IdSet::fits_one_test).
macro_rules! with_one_test {
    ($set:expr, $simd:ty, $members:ident => $body:expr) => {
        match $set.tables.first() {
            Some(table) if <$simd>::TABLES => {
                let $members = Table(table, <$simd>::splat($set.hash.factors));
                $body
            }
            _ => {
                let $members = Chain(&$set.ids);
                $body
            }
        }
    };
}

/// 64 ids and a set.
struct Word<'a, L, M> {
    ids: *const L,
    members: &'a M,
}

impl<S: Simd, L: Lanes, M: Members<S>> Masks<S> for Word<'_, L, M> {
    #[inline(always)]
    unsafe fn mask(&self, vector: usize) -> S {
        // SAFETY: the pointer is valid for 64 ids, and `vector` is one of their vectors.
        unsafe { L::test(self.ids.add(vector * S::LANES), self.members) }
    }
}

/// The loop behind [`Kernels::classify`](super::Kernels::classify).
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn classify<S: Simd, L: Lanes>(ids: *const L, words: usize, set: &IdSet, out: *mut u64) {
    // SAFETY: `ids` is valid for `64 * words` ids and `out` for `words` words, and no index below goes beyond; the caller has
    // the instruction set.
    unsafe {
        with_members!(set, S, members => {
            for word in 0..words {
                let at = ids.add(64 * word);
                *out.add(word) = S::bits(&Word { ids: at, members: &members });
            }
        }, large => {
            for word in 0..words {
                *out.add(word) = one_by_one(ids.add(64 * word), set);
            }
        });
    }
}

/// Writes labels, and classifies what comes next in the same loop, so that reading and writing overlap.
///
/// # Safety
/// What [`Writing`] says; the machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn write<S: Simd, L: Lanes>(writing: &Writing<'_, L>) {
    let &Writing { ids, labels, words, keep, ignore, ref ahead } = writing;
    let both = words.min(ahead.words);
    // SAFETY: the arrays are valid for what `words` and `ahead.words` say, and no index below goes beyond; every vector is
    // loaded before it is stored to the same place, so `labels` may equal `ids`; without words ahead the members are never
    // asked; the caller has the instruction set.
    unsafe {
        with_one_test!(ahead.set, S, members => {
            for word in 0..both {
                let at = 64 * word;
                for line in (0..64 * size_of::<L>()).step_by(64) {
                    S::fetch(labels.add(at).cast::<u8>().wrapping_add(WRITE_AHEAD + line));
                    S::fetch(ahead.ids.add(at).cast::<u8>().wrapping_add(READ_AHEAD + line));
                }
                *ahead.out.add(word) = S::bits(&Word { ids: ahead.ids.add(at), members: &members });
                write_word::<S, L>(ids.add(at), labels.add(at), *keep.add(word), ignore);
            }
        });
        for word in both..words {
            let at = 64 * word;
            write_word::<S, L>(ids.add(at), labels.add(at), *keep.add(word), ignore);
        }
        look_ahead::<S, L>(&ahead.behind(both));
    }
}

/// Classifies what comes next.
///
/// # Safety
/// What [`Ahead`] says; the machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn look_ahead<S: Simd, L: Lanes>(ahead: &Ahead<'_, L>) {
    // SAFETY: the arrays are valid for so many words; the caller has the instruction set.
    unsafe {
        with_one_test!(ahead.set, S, members => {
            for word in 0..ahead.words {
                *ahead.out.add(word) = S::bits(&Word { ids: ahead.ids.add(64 * word), members: &members });
            }
        });
    }
}

/// Copies whole cache lines past the caches. A [fence](Simd::fence) has to follow the last.
///
/// # Safety
/// Both pointers are valid for so many bytes, do not overlap, and are aligned to 64 bytes, of which `bytes` is a multiple. The
/// machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn copy_through<S: Simd>(to: *mut u8, from: *const u8, bytes: usize) {
    // SAFETY: the caller's promise: a line is a whole number of vectors.
    unsafe {
        for at in (0..bytes).step_by(4 * S::LANES) {
            S::load(from.add(at).cast()).store_through(to.add(at).cast());
        }
    }
}

/// Labels tokens up to the first that may be of a set, and says how many that is.
///
/// # Safety
/// What [`Streaming`] says; the machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn stream<S: Simd, L: Lanes>(streaming: &Streaming<'_, L>) -> usize {
    // SAFETY: the caller's contract is that of `stream_to`.
    unsafe {
        match (streaming.set.ids.as_slice(), streaming.set.span) {
            (&[id], _) => stream_to(streaming, &One(S::splat(id))),
            (_, Some(span)) => stream_to(streaming, &Close(S::splat(span.shift), S::splat(span.limit))),
            _ => with_one_test!(streaming.set, S, members => stream_to::<S, L, _>(streaming, &members)),
        }
    }
}

#[inline(always)]
unsafe fn stream_to<S: Simd, L: Lanes, M: Members<S>>(streaming: &Streaming<'_, L>, members: &M) -> usize {
    let &Streaming { ids, labels, length, set, keep, ignore } = streaming;
    let mut at = 0;
    // SAFETY: both pointers are valid for `length` ids and no index below goes beyond; every vector is loaded before it is
    // stored to the same place, so `labels` may equal `ids`; the caller has the instruction set.
    unsafe {
        // Up to where the labels are aligned, so that no store below crosses a cache line.
        let unaligned = labels.align_offset(4 * S::LANES);
        if unaligned != 0 && S::LANES <= length {
            let bits = L::test(ids, members).lane_bits();
            let clear = (bits | 1 << unaligned).trailing_zeros();
            store_before::<S, L>(ids, labels, clear, keep, ignore);
            at = clear as usize;
            if at != unaligned {
                return at;
            }
        }
        while at + 4 * S::LANES <= length {
            let (ids, labels) = (ids.add(at), labels.add(at));
            let mut found = [S::zero(); 4];
            for (vector, found) in found.iter_mut().enumerate() {
                *found = L::test(ids.add(vector * S::LANES), members);
            }
            if found[0].or(found[1]).or(found[2].or(found[3])).lane_bits() != 0 {
                let mut bits = 0;
                for (vector, found) in found.into_iter().enumerate() {
                    bits |= found.lane_bits() << (vector * S::LANES);
                }
                let clear = bits.trailing_zeros();
                for vector in 0..4 {
                    let first = vector * S::LANES;
                    store_before::<S, L>(
                        ids.add(first),
                        labels.add(first),
                        clear.saturating_sub(first as u32),
                        keep,
                        ignore,
                    );
                }
                return at + clear as usize;
            }
            for at in (0..4 * S::LANES * size_of::<L>()).step_by(64) {
                S::fetch(labels.cast::<u8>().wrapping_add(WRITE_AHEAD + at));
                S::fetch(ids.cast::<u8>().wrapping_add(READ_AHEAD + at));
            }
            for vector in 0..4 {
                let first = vector * S::LANES;
                if keep {
                    L::copy::<S>(labels.add(first), ids.add(first));
                } else {
                    L::fill::<S>(labels.add(first), ignore);
                }
            }
            at += 4 * S::LANES;
        }
        while at + S::LANES <= length {
            let bits = L::test(ids.add(at), members).lane_bits();
            let clear = (bits | 1 << S::LANES).trailing_zeros();
            store_before::<S, L>(ids.add(at), labels.add(at), clear, keep, ignore);
            at += clear as usize;
            if bits != 0 {
                return at;
            }
        }
        while at < length && !set.may_hold(*ids.add(at)) {
            *labels.add(at) = if keep { *ids.add(at) } else { ignore };
            at += 1;
        }
    }
    at
}

/// Labels the lanes before `clear`, and gives the others their ids.
#[inline(always)]
unsafe fn store_before<S: Simd, L: Lanes>(ids: *const L, labels: *mut L, clear: u32, keep: bool, ignore: L) {
    // SAFETY: both pointers are valid for a vector.
    unsafe {
        if keep {
            L::copy::<S>(labels, ids);
        } else {
            let others = S::part(S::keep(!0 << clear.min(63)), 0);
            L::put::<S>(labels, ids, others, ignore);
        }
    }
}

/// The places of the set bits, in order; `None` if they are more than [`LIST`](super::LIST).
#[inline(always)]
pub(crate) fn list<'l>(bits: &[u64], out: &'l mut [MaybeUninit<u16>; LIST + 64]) -> Option<&'l [u16]> {
    let mut count = 0;
    for (word, &bits) in bits.iter().enumerate() {
        let mut bits = bits;
        if bits == 0 {
            continue;
        }
        let found = bits.count_ones() as usize;
        if count + found > LIST {
            return None;
        }
        let mut at = 0;
        // Six at a time whether there are so many or not: what is too much is written over by the next word.
        while at < found {
            for place in at..at + 6 {
                let bit = bits.trailing_zeros() as u16;
                // SAFETY: at most `LIST` places stand before this word's, and it writes 64 at most.
                unsafe { out.get_unchecked_mut(count + place) }.write((64 * word) as u16 + bit);
                bits &= bits.wrapping_sub(1);
            }
            at += 6;
        }
        count += found;
    }
    // SAFETY: so many places are written now.
    Some(unsafe { std::slice::from_raw_parts(out.as_ptr().cast(), count) })
}

#[inline(always)]
unsafe fn write_word<S: Simd, L: Lanes>(ids: *const L, labels: *mut L, keep: u64, ignore: L) {
    // SAFETY: both pointers are valid for 64 ids; `put` and `copy` load before they store.
    unsafe {
        if keep == 0 {
            for vector in 0..64 / S::LANES {
                L::fill::<S>(labels.add(vector * S::LANES), ignore);
            }
        } else if keep == !0 {
            for vector in 0..64 / S::LANES {
                let at = vector * S::LANES;
                L::copy::<S>(labels.add(at), ids.add(at));
            }
        } else {
            let keep = S::keep(keep);
            for vector in 0..64 / S::LANES {
                let at = vector * S::LANES;
                L::put::<S>(labels.add(at), ids.add(at), S::part(keep, vector), ignore);
            }
        }
    }
}

/// 64 ids looked up one by one.
#[inline(always)]
unsafe fn one_by_one<L: Lanes>(ids: *const L, set: &IdSet) -> u64 {
    // SAFETY: the caller's pointer is valid for 64 ids.
    let ids = unsafe { std::slice::from_raw_parts(ids, 64) };
    let mut bits = 0;
    for (at, &id) in ids.iter().enumerate() {
        bits |= u64::from(set.contains(id)) << at;
    }
    bits
}
