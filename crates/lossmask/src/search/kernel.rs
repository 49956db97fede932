//! The inner loops, over the operations of [`Simd`].

use crate::ids::Label;
use crate::search::{IdSet, Streaming, Writing};

/// A vector of 32-bit lanes. Masks are vectors whose lanes are all ones or all zeros.
///
/// # Safety
/// The operations may be called only on a machine that has the instruction set, and pointers must be valid for the lanes
/// read or written; no alignment is asked for unless said.
pub(super) trait Simd: Copy {
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
    /// The [`Hash`](super::Hash) of each lane, of which the lowest three bits count.
    unsafe fn hash(self, factors: Self, shift: Self) -> Self;
    /// `table[hash % 8] == self`
    unsafe fn in_table(self, table: &[i32; 8], hash: Self) -> Self;
    /// Stores `ids` where the highest bit of `keep` is set, else `ignore`. `THROUGH`: past the caches, and `to` is aligned to the vector.
    unsafe fn store<const THROUGH: bool>(to: *mut i32, ids: Self, keep: Self, ignore: Self);
    /// Stores all lanes; `THROUGH` as in [`Simd::store`].
    unsafe fn store_all<const THROUGH: bool>(self, to: *mut i32);
    /// As [`Simd::store`] for the 64-bit lanes at `from`; `to` may equal `from`.
    unsafe fn store_wide<const THROUGH: bool>(to: *mut i64, from: *const i64, keep: Self, ignore: i64);
    /// Ends a run of stores past the caches.
    unsafe fn fence();
}

/// The masks of the vectors that 64 ids make.
///
/// This is a trait and not a closure, as are the sets below, because closures do not take part in the inlining into functions
/// that are compiled for a larger instruction set.
pub(super) trait Masks<S> {
    unsafe fn mask(&self, vector: usize) -> S;
}

/// How a type of ids is loaded into 32-bit lanes and stored again.
pub(crate) trait Lanes: Label {
    /// Which ids of a vector at `from` are in the set.
    #[allow(private_bounds)]
    unsafe fn test<S: Simd, M: Members<S>>(from: *const Self, members: &M) -> S;
    #[allow(private_bounds)]
    unsafe fn put<S: Simd, const THROUGH: bool>(to: *mut Self, from: *const Self, keep: S, ignore: Self);
    /// Fills a vector.
    #[allow(private_bounds)]
    unsafe fn fill<S: Simd, const THROUGH: bool>(to: *mut Self, ignore: Self);
    /// Copies a vector.
    #[allow(private_bounds)]
    unsafe fn copy<S: Simd, const THROUGH: bool>(to: *mut Self, from: *const Self);
}

impl Lanes for i32 {
    #[inline(always)]
    unsafe fn test<S: Simd, M: Members<S>>(from: *const i32, members: &M) -> S {
        // SAFETY: the caller's contract is that of `load`.
        unsafe { members.test(S::load(from)) }
    }

    #[inline(always)]
    unsafe fn put<S: Simd, const THROUGH: bool>(to: *mut i32, from: *const i32, keep: S, ignore: i32) {
        // SAFETY: the caller's contract is that of `load` and `store`; the load comes first, so `to` may equal `from`.
        unsafe { S::store::<THROUGH>(to, S::load(from), keep, S::splat(ignore)) }
    }

    #[inline(always)]
    unsafe fn fill<S: Simd, const THROUGH: bool>(to: *mut i32, ignore: i32) {
        // SAFETY: the caller's contract is that of `store_all`.
        unsafe { S::splat(ignore).store_all::<THROUGH>(to) }
    }

    #[inline(always)]
    unsafe fn copy<S: Simd, const THROUGH: bool>(to: *mut i32, from: *const i32) {
        // SAFETY: the caller's contract is that of `load` and `store_all`.
        unsafe { S::load(from).store_all::<THROUGH>(to) }
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
    unsafe fn put<S: Simd, const THROUGH: bool>(to: *mut i64, from: *const i64, keep: S, ignore: i64) {
        // SAFETY: the caller's contract is that of `store_wide`.
        unsafe { S::store_wide::<THROUGH>(to, from, keep, ignore) }
    }

    #[inline(always)]
    unsafe fn fill<S: Simd, const THROUGH: bool>(to: *mut i64, ignore: i64) {
        let lanes = [ignore as i32, (ignore >> 32) as i32];
        // SAFETY: the caller's contract is that of `store_all`: a 64-bit lane is two of 32 bits.
        unsafe {
            let pair = S::splat_pair(lanes[0], lanes[1]);
            pair.store_all::<THROUGH>(to.cast());
            pair.store_all::<THROUGH>(to.cast::<i32>().add(S::LANES));
        }
    }

    #[inline(always)]
    unsafe fn copy<S: Simd, const THROUGH: bool>(to: *mut i64, from: *const i64) {
        // SAFETY: as above; both loads come first, so `to` may equal `from`.
        unsafe {
            let first = S::load(from.cast());
            let second = S::load(from.cast::<i32>().add(S::LANES));
            first.store_all::<THROUGH>(to.cast());
            second.store_all::<THROUGH>(to.cast::<i32>().add(S::LANES));
        }
    }
}

/// A set in the form that one loop tests.
pub(super) trait Members<S> {
    unsafe fn test(&self, lanes: S) -> S;
}

/// The empty set.
struct Nobody;
/// One id, in every lane.
struct One<S>(S);
/// Ids in a slot of a table each, the hash's factors and shift.
struct Table<'a, S>(&'a [i32; 8], S, S);
/// Ids in several tables, the hash's factors and shift.
struct Tables<'a, S>(&'a [[i32; 8]], S, S);
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

impl<S: Simd> Members<S> for Table<'_, S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe { lanes.in_table(self.0, lanes.hash(self.1, self.2)) }
    }
}

impl<S: Simd> Members<S> for Tables<'_, S> {
    #[inline(always)]
    unsafe fn test(&self, lanes: S) -> S {
        // SAFETY: see above.
        unsafe {
            let mut found = S::zero();
            let hash = lanes.hash(self.1, self.2);
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
                let $members = Table(table, <$simd>::splat($set.hash.factors), <$simd>::splat($set.hash.shift as i32));
                $body
            }
            (_, tables) if <$simd>::TABLES && tables.len() <= super::MAX_TABLES => {
                let $members =
                    Tables(tables, <$simd>::splat($set.hash.factors), <$simd>::splat($set.hash.shift as i32));
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

/// The loop behind [`Kernels::write`](super::Kernels::write).
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn write<S: Simd, L: Lanes, const THROUGH: bool>(writing: &Writing<'_, L>) {
    let set = writing.ahead.set;
    // SAFETY: the caller's contract is that of `write_ahead`; without words ahead the members are never asked.
    unsafe {
        match set.tables.first() {
            Some(table) if S::TABLES => {
                let (factors, shift) = (S::splat(set.hash.factors), S::splat(set.hash.shift as i32));
                write_ahead::<S, L, _, THROUGH>(writing, &Table(table, factors, shift));
            }
            _ => write_ahead::<S, L, _, THROUGH>(writing, &Chain(&set.ids)),
        }
        if THROUGH {
            S::fence();
        }
    }
}

#[inline(always)]
unsafe fn write_ahead<S: Simd, L: Lanes, A: Members<S>, const THROUGH: bool>(writing: &Writing<'_, L>, next: &A) {
    let &Writing { ids, labels, words, keep, ignore, ref ahead } = writing;
    let both = words.min(ahead.words);
    // SAFETY: the arrays are valid for what `words` and `ahead.words` say, and no index below goes beyond; every vector is
    // loaded before it is stored to the same place, so `labels` may equal `ids`; the caller has the instruction set.
    unsafe {
        for word in 0..both {
            let at = 64 * word;
            *ahead.out.add(word) = S::bits(&Word { ids: ahead.ids.add(at), members: next });
            write_word::<S, L, THROUGH>(ids.add(at), labels.add(at), *keep.add(word), ignore);
        }
        for word in both..words {
            let at = 64 * word;
            write_word::<S, L, THROUGH>(ids.add(at), labels.add(at), *keep.add(word), ignore);
        }
        for word in both..ahead.words {
            *ahead.out.add(word) = S::bits(&Word { ids: ahead.ids.add(64 * word), members: next });
        }
    }
}

/// The loop behind [`Kernels::stream`](super::Kernels::stream).
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn stream<S: Simd, L: Lanes>(streaming: &Streaming<'_, L>) -> usize {
    let set = streaming.set;
    // SAFETY: the caller's contract is that of `stream_to`.
    unsafe {
        match set.tables.first() {
            Some(table) if S::TABLES => {
                let (factors, shift) = (S::splat(set.hash.factors), S::splat(set.hash.shift as i32));
                stream_to::<S, L, _>(streaming, &Table(table, factors, shift))
            }
            _ => stream_to::<S, L, _>(streaming, &Chain(&set.ids)),
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
            for vector in 0..4 {
                let first = vector * S::LANES;
                if keep {
                    L::copy::<S, false>(labels.add(first), ids.add(first));
                } else {
                    L::fill::<S, false>(labels.add(first), ignore);
                }
            }
            at += 4 * S::LANES;
        }
        while at < length && !set.contains(*ids.add(at)) {
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
            L::copy::<S, false>(labels, ids);
        } else {
            let others = S::part(S::keep(!0 << clear.min(63)), 0);
            L::put::<S, false>(labels, ids, others, ignore);
        }
    }
}

/// The loop behind [`Kernels::list`](super::Kernels::list).
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn list(bits: *const u64, words: usize, out: *mut u16) -> Option<usize> {
    let mut count = 0;
    for word in 0..words {
        // SAFETY: `word` is one of the words.
        let mut bits = unsafe { *bits.add(word) };
        if bits == 0 {
            continue;
        }
        let found = bits.count_ones() as usize;
        if count + found > super::LIST {
            return None;
        }
        let mut at = 0;
        // Eight at a time whether there are so many or not: what is too much is written over by the next word.
        while at < found {
            for place in at..at + 8 {
                // SAFETY: at most `LIST` places stand before this word's, and it writes 64 at most.
                unsafe { *out.add(count + place) = (64 * word) as u16 + bits.trailing_zeros() as u16 };
                bits &= bits.wrapping_sub(1);
            }
            at += 8;
        }
        count += found;
    }
    Some(count)
}

#[inline(always)]
unsafe fn write_word<S: Simd, L: Lanes, const THROUGH: bool>(ids: *const L, labels: *mut L, keep: u64, ignore: L) {
    // SAFETY: both pointers are valid for 64 ids; `put` and `copy` load before they store.
    unsafe {
        if keep == 0 {
            for vector in 0..64 / S::LANES {
                L::fill::<S, THROUGH>(labels.add(vector * S::LANES), ignore);
            }
        } else if keep == !0 {
            for vector in 0..64 / S::LANES {
                let at = vector * S::LANES;
                L::copy::<S, THROUGH>(labels.add(at), ids.add(at));
            }
        } else {
            let keep = S::keep(keep);
            for vector in 0..64 / S::LANES {
                let at = vector * S::LANES;
                L::put::<S, THROUGH>(labels.add(at), ids.add(at), S::part(keep, vector), ignore);
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
