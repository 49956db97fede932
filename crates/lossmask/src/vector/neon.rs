//! The vector operations of AArch64, 128 bits, which every such machine has.

use std::arch::aarch64::*;

use crate::vector::simd::Masks;
use crate::vector::{Engine, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Neon(int32x4_t);

#[inline(always)]
fn from_mask(mask: uint32x4_t) -> Neon {
    // SAFETY: NEON is part of AArch64.
    Neon(unsafe { vreinterpretq_s32_u32(mask) })
}

// SAFETY (all blocks below): NEON is part of AArch64; pointers are valid for the lanes by the trait's contract, and the loads
// and stores need no more alignment than that of a lane.
#[allow(clippy::undocumented_unsafe_blocks, unused_unsafe)]
impl Simd for Neon {
    const ENGINE: Engine = Engine::Neon;
    const LANES: usize = 4;
    const TABLES: bool = false;

    #[inline(always)]
    unsafe fn splat(value: i32) -> Neon {
        Neon(unsafe { vdupq_n_s32(value) })
    }
    #[inline(always)]
    unsafe fn splat_pair(even: i32, odd: i32) -> Neon {
        let pair = i64::from(odd) << 32 | i64::from(even.cast_unsigned());
        Neon(unsafe { vreinterpretq_s32_s64(vdupq_n_s64(pair)) })
    }
    #[inline(always)]
    unsafe fn zero() -> Neon {
        Neon(unsafe { vdupq_n_s32(0) })
    }
    #[inline(always)]
    unsafe fn load(from: *const i32) -> Neon {
        Neon(unsafe { vld1q_s32(from) })
    }
    #[inline(always)]
    unsafe fn load_wide(from: *const i64) -> (Neon, Neon) {
        unsafe {
            let first = vreinterpretq_s32_s64(vld1q_s64(from));
            let second = vreinterpretq_s32_s64(vld1q_s64(from.add(2)));
            let low = vuzp1q_s32(first, second);
            let high = vuzp2q_s32(first, second);
            (Neon(low), from_mask(vceqq_s32(high, vshrq_n_s32::<31>(low))))
        }
    }
    #[inline(always)]
    unsafe fn equal(self, other: Neon) -> Neon {
        from_mask(unsafe { vceqq_s32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn greater(self, other: Neon) -> Neon {
        from_mask(unsafe { vcgtq_s32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Neon) -> Neon {
        Neon(unsafe { vaddq_s32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn and(self, other: Neon) -> Neon {
        Neon(unsafe { vandq_s32(self.0, other.0) })
    }
    #[inline(always)]
    unsafe fn or(self, other: Neon) -> Neon {
        Neon(unsafe { vorrq_s32(self.0, other.0) })
    }
    type Keep = u64;
    #[inline(always)]
    unsafe fn keep(bits: u64) -> u64 {
        bits
    }
    #[inline(always)]
    unsafe fn part(keep: u64, vector: usize) -> Neon {
        const LANE: [u32; 4] = [1, 2, 4, 8];
        let bits = (keep >> (4 * vector)) as u32;
        from_mask(unsafe { vtstq_u32(vdupq_n_u32(bits), vld1q_u32(LANE.as_ptr())) })
    }
    #[inline(always)]
    unsafe fn lane_bits(self) -> u32 {
        const LANE: [u32; 4] = [1, 2, 4, 8];
        unsafe { vaddvq_u32(vandq_u32(vreinterpretq_u32_s32(self.0), vld1q_u32(LANE.as_ptr()))) }
    }
    #[inline(always)]
    unsafe fn bits(masks: &impl Masks<Neon>) -> u64 {
        const BIT: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        unsafe {
            let bit = vld1q_u8(BIT.as_ptr());
            let mut parts = [bit; 4];
            for (part, bytes) in parts.iter_mut().enumerate() {
                let mut narrow = [vdup_n_u16(0); 4];
                for (at, lanes) in narrow.iter_mut().enumerate() {
                    *lanes = vmovn_u32(vreinterpretq_u32_s32(masks.mask(4 * part + at).0));
                }
                let low = vmovn_u16(vcombine_u16(narrow[0], narrow[1]));
                let high = vmovn_u16(vcombine_u16(narrow[2], narrow[3]));
                *bytes = vandq_u8(vcombine_u8(low, high), bit);
            }
            // Adding neighbours three times puts each eight bits into one byte, in order.
            let sum = vpaddq_u8(vpaddq_u8(parts[0], parts[1]), vpaddq_u8(parts[2], parts[3]));
            vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)))
        }
    }
    #[inline(always)]
    unsafe fn hash(self, _: Neon) -> Neon {
        unreachable!("no tables without a variable permutation")
    }
    #[inline(always)]
    unsafe fn in_table(self, _: &[i32; 8], _: Neon) -> Neon {
        unreachable!("no tables without a variable permutation")
    }
    #[inline(always)]
    unsafe fn store(to: *mut i32, ids: Neon, keep: Neon, ignore: Neon) {
        unsafe { vst1q_s32(to, vbslq_s32(vreinterpretq_u32_s32(keep.0), ids.0, ignore.0)) }
    }
    #[inline(always)]
    unsafe fn store_all(self, to: *mut i32) {
        unsafe { vst1q_s32(to, self.0) }
    }
    #[inline(always)]
    unsafe fn store_through(self, to: *mut i32) {
        unsafe { self.store_all(to) }
    }
    #[inline(always)]
    unsafe fn store_wide(to: *mut i64, from: *const i64, keep: Neon, ignore: i64) {
        unsafe {
            let ignore = vdupq_n_s64(ignore);
            let halves = [vmovl_s32(vget_low_s32(keep.0)), vmovl_s32(vget_high_s32(keep.0))];
            for (half, keep) in halves.into_iter().enumerate() {
                let ids = vld1q_s64(from.add(2 * half));
                vst1q_s64(to.add(2 * half), vbslq_s64(vreinterpretq_u64_s64(keep), ids, ignore));
            }
        }
    }
    #[inline(always)]
    unsafe fn fence() {}
    #[inline(always)]
    unsafe fn fetch(_: *const u8) {}
}
