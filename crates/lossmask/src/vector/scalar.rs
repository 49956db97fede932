//! The vector operations in plain Rust: what runs where there is nothing better, and what the tests hold the others to.

use crate::vector::simd::Masks;
use crate::vector::{Engine, Simd};

const LANES: usize = 4;

#[derive(Clone, Copy)]
pub(crate) struct Plain([i32; LANES]);

fn lanes(lane: impl FnMut(usize) -> i32) -> Plain {
    Plain(std::array::from_fn(lane))
}

fn all(condition: bool) -> i32 {
    -i32::from(condition)
}

impl Simd for Plain {
    const ENGINE: Engine = Engine::Scalar;
    const LANES: usize = LANES;
    const TABLES: bool = false;

    unsafe fn splat(value: i32) -> Plain {
        Plain([value; LANES])
    }
    unsafe fn splat_pair(even: i32, odd: i32) -> Plain {
        lanes(|at| if at % 2 == 0 { even } else { odd })
    }
    unsafe fn zero() -> Plain {
        Plain([0; LANES])
    }
    unsafe fn load(from: *const i32) -> Plain {
        // SAFETY: the caller's pointer is valid for the lanes.
        Plain(unsafe { from.cast::<[i32; LANES]>().read_unaligned() })
    }
    unsafe fn load_wide(from: *const i64) -> (Plain, Plain) {
        // SAFETY: the caller's pointer is valid for the lanes.
        let wide = unsafe { from.cast::<[i64; LANES]>().read_unaligned() };
        (lanes(|at| wide[at] as i32), lanes(|at| all(i64::from(wide[at] as i32) == wide[at])))
    }
    unsafe fn equal(self, other: Plain) -> Plain {
        lanes(|at| all(self.0[at] == other.0[at]))
    }
    unsafe fn greater(self, other: Plain) -> Plain {
        lanes(|at| all(self.0[at] > other.0[at]))
    }
    unsafe fn add(self, other: Plain) -> Plain {
        lanes(|at| self.0[at].wrapping_add(other.0[at]))
    }
    unsafe fn and(self, other: Plain) -> Plain {
        lanes(|at| self.0[at] & other.0[at])
    }
    unsafe fn or(self, other: Plain) -> Plain {
        lanes(|at| self.0[at] | other.0[at])
    }
    type Keep = u64;
    unsafe fn keep(bits: u64) -> u64 {
        bits
    }
    unsafe fn part(keep: u64, vector: usize) -> Plain {
        lanes(|at| all(keep >> (vector * LANES + at) & 1 == 1))
    }
    unsafe fn lane_bits(self) -> u32 {
        (0..LANES).fold(0, |bits, at| bits | (self.0[at].cast_unsigned() & 1) << at)
    }
    unsafe fn bits(masks: &impl Masks<Plain>) -> u64 {
        let bit = |at: usize, mask: i32| u64::from(mask.cast_unsigned() & 1) << at;
        (0..64 / LANES).fold(0, |bits, vector| {
            // SAFETY: `vector` is one of the 64 ids' vectors.
            let mask = unsafe { masks.mask(vector) }.0;
            (0..LANES).fold(bits, |bits, lane| bits | bit(vector * LANES + lane, mask[lane]))
        })
    }
    unsafe fn hash(self, _: Plain) -> Plain {
        unreachable!("no tables without a variable permutation")
    }
    unsafe fn in_table(self, _: &[i32; 8], _: Plain) -> Plain {
        unreachable!("no tables without a variable permutation")
    }
    unsafe fn store(to: *mut i32, ids: Plain, keep: Plain, ignore: Plain) {
        let labels = lanes(|at| if keep.0[at] != 0 { ids.0[at] } else { ignore.0[at] });
        // SAFETY: the caller's pointer is valid for the lanes.
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(labels.0) };
    }
    unsafe fn store_all(self, to: *mut i32) {
        // SAFETY: the caller's pointer is valid for the lanes.
        unsafe { to.cast::<[i32; LANES]>().write_unaligned(self.0) };
    }
    unsafe fn store_through(self, to: *mut i32) {
        // SAFETY: as above.
        unsafe { self.store_all(to) };
    }
    unsafe fn store_wide(to: *mut i64, from: *const i64, keep: Plain, ignore: i64) {
        // SAFETY: the caller's pointers are valid for the lanes; the load comes first.
        unsafe {
            let ids = from.cast::<[i64; LANES]>().read_unaligned();
            let labels = std::array::from_fn(|at| if keep.0[at] != 0 { ids[at] } else { ignore });
            to.cast::<[i64; LANES]>().write_unaligned(labels);
        }
    }
    unsafe fn fence() {}
    unsafe fn fetch(_: *const u8) {}
}
