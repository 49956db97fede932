//! The types of ids, as lanes of vectors.

use crate::vector::simd::{Members, Simd};

/// A type of ids: `i32` or `i64`. How it is loaded into 32-bit lanes and stored again.
///
/// # Safety
/// The unsafe functions have the contract of [`Simd`], for a vector of [`Simd::LANES`] ids.
pub(crate) trait Lanes: Copy + Eq + Ord + Send + Sync + 'static {
    /// `value` in this type.
    fn from_i32(value: i32) -> Self;
    /// The id as `i32`, if it is one.
    fn to_i32(self) -> Option<i32>;
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
    fn from_i32(value: i32) -> i32 {
        value
    }

    #[inline(always)]
    fn to_i32(self) -> Option<i32> {
        Some(self)
    }

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
    fn from_i32(value: i32) -> i64 {
        i64::from(value)
    }

    #[inline(always)]
    fn to_i32(self) -> Option<i32> {
        i32::try_from(self).ok()
    }

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
