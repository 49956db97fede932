//! What an instruction set gives.

use crate::vector::Engine;

/// A vector of 32-bit lanes. Masks are vectors whose lanes are all ones or all zeros.
///
/// # Safety
/// The operations may be called only on a machine that has the instruction set, and pointers must be valid for the lanes
/// read or written; no alignment is needed unless said.
pub(crate) trait Simd: Copy {
    const ENGINE: Engine;
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
    /// What [`Simd::store`] needs to know of 64 ids, from a bit for each.
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
    /// The [`Hash`](super::set::Hash) of each lane, of which the lowest three bits count.
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
/// This is a trait and not a closure, as are the sets of `members`, because closures are not inlined into functions that are compiled
/// for a larger instruction set.
pub(crate) trait Masks<S> {
    unsafe fn mask(&self, vector: usize) -> S;
}

/// A set in the form that one loop tests.
///
/// # Safety
/// The machine has the instructions of `S`.
pub(crate) trait Members<S> {
    unsafe fn test(&self, lanes: S) -> S;
}
