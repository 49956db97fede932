//! The vector operations of x86-64: 128 bits, which every such machine has, and 256 bits.
//!
//! The operations are inlined into the loops over them. A function that is to run on [`Avx2`] has to be compiled for its instructions.

use std::arch::x86_64::*;

use crate::vector::set::HASH_SHIFT;
use crate::vector::simd::Masks;
use crate::vector::{Engine, IdSet, Lanes, Simd, kernel};

/// Whether the machine has the instructions that functions for [`Avx2`] are compiled for.
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
}

/// [`kernel::classify`] for [`Avx2`].
///
/// # Safety
/// As there.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
pub(super) unsafe fn classify_avx2<L: Lanes>(ids: *const L, words: usize, set: &IdSet, out: *mut u64) {
    // SAFETY: the caller's contract is the loop's, and that the machine has these instructions.
    unsafe { kernel::classify::<Avx2, L>(ids, words, set, out) }
}

#[derive(Clone, Copy)]
pub(crate) struct Sse2(__m128i);

// SAFETY (all blocks below): SSE2 is part of x86-64. Pointers are valid for the lanes that are read or written by the trait's contract. All
// loads and stores are the unaligned forms but the one of `store_through`, of which the contract says that the pointer is aligned.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Sse2 {
    const ENGINE: Engine = Engine::Sse2;
    const LANES: usize = 4;
    const TABLES: bool = false;

    #[inline(always)]
    unsafe fn splat(value: i32) -> Sse2 {
        Sse2(unsafe { _mm_set1_epi32(value) })
    }
    #[inline(always)]
    unsafe fn splat_pair(even: i32, odd: i32) -> Sse2 {
        let pair = i64::from(odd) << 32 | i64::from(even.cast_unsigned());
        Sse2(unsafe { _mm_set1_epi64x(pair) })
    }
    #[inline(always)]
    unsafe fn zero() -> Sse2 {
        Sse2(unsafe { _mm_setzero_si128() })
    }
    #[inline(always)]
    unsafe fn load(from: *const i32) -> Sse2 {
        Sse2(unsafe { _mm_loadu_si128(from.cast()) })
    }
    #[inline(always)]
    unsafe fn load_wide(from: *const i64) -> (Sse2, Sse2) {
        unsafe {
            let first = _mm_castsi128_ps(_mm_loadu_si128(from.cast()));
            let second = _mm_castsi128_ps(_mm_loadu_si128(from.add(2).cast()));
            let low = _mm_castps_si128(_mm_shuffle_ps::<0b10_00_10_00>(first, second));
            let high = _mm_castps_si128(_mm_shuffle_ps::<0b11_01_11_01>(first, second));
            (Sse2(low), Sse2(_mm_cmpeq_epi32(high, _mm_srai_epi32::<31>(low))))
        }
    }
    #[inline(always)]
    unsafe fn equal(self, other: Sse2) -> Sse2 {
        Sse2(unsafe { _mm_cmpeq_epi32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn greater(self, other: Sse2) -> Sse2 {
        Sse2(unsafe { _mm_cmpgt_epi32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Sse2) -> Sse2 {
        Sse2(unsafe { _mm_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn and(self, other: Sse2) -> Sse2 {
        Sse2(unsafe { _mm_and_si128(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn or(self, other: Sse2) -> Sse2 {
        Sse2(unsafe { _mm_or_si128(self.0, other.0) })
    }
    type Keep = u64;
    #[inline(always)]
    unsafe fn keep(bits: u64) -> u64 {
        bits
    }
    #[inline(always)]
    unsafe fn part(keep: u64, vector: usize) -> Sse2 {
        unsafe {
            let lane = _mm_setr_epi32(1, 2, 4, 8);
            let bits = _mm_set1_epi32((keep >> (4 * vector)) as i32);
            Sse2(_mm_cmpeq_epi32(_mm_and_si128(bits, lane), lane))
        }
    }
    #[inline(always)]
    unsafe fn lane_bits(self) -> u32 {
        unsafe { _mm_movemask_ps(_mm_castsi128_ps(self.0)).cast_unsigned() }
    }
    #[inline(always)]
    unsafe fn bits(masks: &impl Masks<Sse2>) -> u64 {
        let mut bits = 0;
        for part in 0..4 {
            unsafe {
                let at = 4 * part;
                let low = _mm_packs_epi32(masks.mask(at).0, masks.mask(at + 1).0);
                let high = _mm_packs_epi32(masks.mask(at + 2).0, masks.mask(at + 3).0);
                let found = _mm_movemask_epi8(_mm_packs_epi16(low, high));
                bits |= u64::from(found.cast_unsigned()) << (16 * part);
            }
        }
        bits
    }
    #[inline(always)]
    unsafe fn hash(self, _: Sse2) -> Sse2 {
        unreachable!("no tables without a variable permutation")
    }
    #[inline(always)]
    unsafe fn in_table(self, _: &[i32; 8], _: Sse2) -> Sse2 {
        unreachable!("no tables without a variable permutation")
    }
    #[inline(always)]
    unsafe fn store(to: *mut i32, ids: Sse2, keep: Sse2, ignore: Sse2) {
        unsafe {
            let labels = _mm_or_si128(_mm_and_si128(keep.0, ids.0), _mm_andnot_si128(keep.0, ignore.0));
            _mm_storeu_si128(to.cast(), labels)
        }
    }
    #[inline(always)]
    unsafe fn store_all(self, to: *mut i32) {
        unsafe { _mm_storeu_si128(to.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn store_through(self, to: *mut i32) {
        unsafe { _mm_stream_si128(to.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn store_wide(to: *mut i64, from: *const i64, keep: Sse2, ignore: i64) {
        unsafe {
            let ignore = _mm_set1_epi64x(ignore);
            let halves = [_mm_unpacklo_epi32(keep.0, keep.0), _mm_unpackhi_epi32(keep.0, keep.0)];
            for (half, keep) in halves.into_iter().enumerate() {
                let ids = _mm_loadu_si128(from.add(2 * half).cast());
                let labels = _mm_or_si128(_mm_and_si128(keep, ids), _mm_andnot_si128(keep, ignore));
                let to = to.add(2 * half).cast();
                _mm_storeu_si128(to, labels)
            }
        }
    }
    #[inline(always)]
    unsafe fn fence() {
        unsafe { _mm_sfence() }
    }
    #[inline(always)]
    unsafe fn fetch(to: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(to.cast()) }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256i);

// SAFETY (all blocks below): by the trait's contract the machine has AVX2 and carry-less products, and pointers are valid for the lanes that
// are read or written. All loads and stores are the unaligned forms but the one of `store_through`, of which the contract says that the
// pointer is aligned.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Avx2 {
    const ENGINE: Engine = Engine::Avx2;
    const LANES: usize = 8;
    const TABLES: bool = true;

    #[inline(always)]
    unsafe fn splat(value: i32) -> Avx2 {
        Avx2(unsafe { _mm256_set1_epi32(value) })
    }
    #[inline(always)]
    unsafe fn splat_pair(even: i32, odd: i32) -> Avx2 {
        let pair = i64::from(odd) << 32 | i64::from(even.cast_unsigned());
        Avx2(unsafe { _mm256_set1_epi64x(pair) })
    }
    #[inline(always)]
    unsafe fn zero() -> Avx2 {
        Avx2(unsafe { _mm256_setzero_si256() })
    }
    #[inline(always)]
    unsafe fn load(from: *const i32) -> Avx2 {
        Avx2(unsafe { _mm256_loadu_si256(from.cast()) })
    }
    #[inline(always)]
    unsafe fn load_wide(from: *const i64) -> (Avx2, Avx2) {
        unsafe {
            let first = _mm256_castsi256_ps(_mm256_loadu_si256(from.cast()));
            let second = _mm256_castsi256_ps(_mm256_loadu_si256(from.add(4).cast()));
            let low = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(first, second));
            let high = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(first, second));
            let fits = _mm256_cmpeq_epi32(high, _mm256_srai_epi32::<31>(low));
            // The shuffles work within 128 bits; this puts the 64-bit pairs into the order of the ids.
            let low = _mm256_permute4x64_epi64::<0b11_01_10_00>(low);
            (Avx2(low), Avx2(_mm256_permute4x64_epi64::<0b11_01_10_00>(fits)))
        }
    }
    #[inline(always)]
    unsafe fn equal(self, other: Avx2) -> Avx2 {
        Avx2(unsafe { _mm256_cmpeq_epi32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn greater(self, other: Avx2) -> Avx2 {
        Avx2(unsafe { _mm256_cmpgt_epi32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Avx2) -> Avx2 {
        Avx2(unsafe { _mm256_add_epi32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn and(self, other: Avx2) -> Avx2 {
        Avx2(unsafe { _mm256_and_si256(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn or(self, other: Avx2) -> Avx2 {
        Avx2(unsafe { _mm256_or_si256(self.0, other.0) })
    }
    /// The bits of either half in every lane.
    type Keep = [__m256i; 2];
    #[inline(always)]
    unsafe fn keep(bits: u64) -> [__m256i; 2] {
        unsafe { [_mm256_set1_epi32(bits as i32), _mm256_set1_epi32((bits >> 32) as i32)] }
    }
    #[inline(always)]
    unsafe fn part(keep: [__m256i; 2], vector: usize) -> Avx2 {
        unsafe {
            // Moves a lane's own bit to the highest place.
            let first = 31 - 8 * (vector % 4) as i32;
            let by = _mm256_sub_epi32(_mm256_set1_epi32(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
            Avx2(_mm256_sllv_epi32(keep[vector / 4], by))
        }
    }
    #[inline(always)]
    unsafe fn lane_bits(self) -> u32 {
        unsafe { _mm256_movemask_ps(_mm256_castsi256_ps(self.0)).cast_unsigned() }
    }
    #[inline(always)]
    unsafe fn bits(masks: &impl Masks<Avx2>) -> u64 {
        let mut bits = 0;
        for half in 0..2 {
            unsafe {
                let at = 4 * half;
                let low = _mm256_packs_epi32(masks.mask(at).0, masks.mask(at + 1).0);
                let high = _mm256_packs_epi32(masks.mask(at + 2).0, masks.mask(at + 3).0);
                // The packs work within 128 bits; this puts the groups of four into the order of the ids.
                let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
                let found = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order);
                bits |= u64::from(_mm256_movemask_epi8(found).cast_unsigned()) << (32 * half);
            }
        }
        bits
    }
    #[inline(always)]
    unsafe fn parities(bits: u64) -> u64 {
        // A product without carries, with ones everywhere, adds up the bits below each.
        unsafe {
            let bits = _mm_cvtsi64_si128(bits.cast_signed());
            _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(bits, _mm_set1_epi8(-1))).cast_unsigned()
        }
    }
    #[inline(always)]
    unsafe fn hash(self, factors: Avx2) -> Avx2 {
        Avx2(unsafe { _mm256_srli_epi32::<{ HASH_SHIFT as i32 }>(_mm256_madd_epi16(self.0, factors.0)) })
    }
    #[inline(always)]
    unsafe fn in_table(self, table: &[i32; 8], hash: Avx2) -> Avx2 {
        unsafe {
            let table = _mm256_loadu_si256(table.as_ptr().cast());
            // The permutation looks at the lowest three bits of each lane only.
            let slot = hash.0;
            Avx2(_mm256_cmpeq_epi32(_mm256_permutevar8x32_epi32(table, slot), self.0))
        }
    }
    #[inline(always)]
    unsafe fn store(to: *mut i32, ids: Avx2, keep: Avx2, ignore: Avx2) {
        unsafe {
            let blended = _mm256_blendv_ps(
                _mm256_castsi256_ps(ignore.0),
                _mm256_castsi256_ps(ids.0),
                _mm256_castsi256_ps(keep.0),
            );
            let labels = _mm256_castps_si256(blended);
            _mm256_storeu_si256(to.cast(), labels)
        }
    }
    #[inline(always)]
    unsafe fn store_all(self, to: *mut i32) {
        unsafe { _mm256_storeu_si256(to.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn store_through(self, to: *mut i32) {
        unsafe { _mm256_stream_si256(to.cast(), self.0) }
    }
    #[inline(always)]
    unsafe fn store_wide(to: *mut i64, from: *const i64, keep: Avx2, ignore: i64) {
        unsafe {
            let ignore = _mm256_set1_epi64x(ignore);
            let halves = [_mm256_castsi256_si128(keep.0), _mm256_extracti128_si256::<1>(keep.0)];
            for (half, keep) in halves.into_iter().enumerate() {
                let ids = _mm256_loadu_si256(from.add(4 * half).cast());
                let blended = _mm256_blendv_pd(
                    _mm256_castsi256_pd(ignore),
                    _mm256_castsi256_pd(ids),
                    _mm256_castsi256_pd(_mm256_cvtepi32_epi64(keep)),
                );
                let labels = _mm256_castpd_si256(blended);
                let to = to.add(4 * half).cast();
                _mm256_storeu_si256(to, labels);
            }
        }
    }
    #[inline(always)]
    unsafe fn fence() {
        unsafe { _mm_sfence() }
    }
    #[inline(always)]
    unsafe fn fetch(to: *const u8) {
        unsafe { _mm_prefetch::<_MM_HINT_ET0>(to.cast()) }
    }
}
