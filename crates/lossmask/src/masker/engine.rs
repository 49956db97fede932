//! The passes over a row, each compiled as a whole for every engine, and the choice among them.

use crate::compile::Plan;
use crate::label::{self, Job, Row};
use crate::scan::{self, Found};
use crate::vector::{Available, Engine, Lanes};

macro_rules! passes {
    ($engine:ident, $simd:ty $(, $features:literal)?) => {
        mod $engine {
            use super::*;

            /// # Safety
            /// The machine has the engine's instructions.
            $(#[target_feature(enable = $features)])?
            pub unsafe fn turns<L: Lanes>(plan: &Plan, ids: &[L], turns: &mut Vec<Found>) {
                // SAFETY: the caller's promise.
                unsafe { scan::boundary_turns::<$simd, L>(plan, ids, turns) }
            }

            /// # Safety
            /// As for [`label::labels`].
            $(#[target_feature(enable = $features)])?
            pub unsafe fn labels<L: Lanes>(job: Job<'_>, row: Row<L>, labels: *mut L) {
                // SAFETY: the caller's promise.
                unsafe { label::labels::<$simd, L>(job, row, labels) }
            }

            /// # Safety
            /// As for [`label::bits`].
            $(#[target_feature(enable = $features)])?
            pub unsafe fn bits<L: Lanes>(job: Job<'_>, row: Row<L>, bits: *mut u8) {
                // SAFETY: the caller's promise.
                unsafe { label::bits::<$simd, L>(job, row, bits) }
            }
        }
    };
}

passes!(scalar, crate::vector::Plain);
#[cfg(target_arch = "x86_64")]
passes!(sse2, crate::vector::Sse2);
#[cfg(target_arch = "x86_64")]
passes!(avx2, crate::vector::Avx2, "avx2,bmi1,bmi2,popcnt,pclmulqdq");
#[cfg(target_arch = "aarch64")]
passes!(neon, crate::vector::Neon);

macro_rules! on {
    ($engine:expr, $pass:ident($($argument:expr),*)) => {
        match $engine.engine() {
            #[cfg(target_arch = "x86_64")]
            Engine::Sse2 => sse2::$pass($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => avx2::$pass($($argument),*),
            #[cfg(target_arch = "aarch64")]
            Engine::Neon => neon::$pass($($argument),*),
            _ => scalar::$pass($($argument),*),
        }
    };
}

/// Adds the turns that the scan finds in a row.
pub(super) fn turns<L: Lanes>(engine: Available, plan: &Plan, ids: &[L], turns: &mut Vec<Found>) {
    // SAFETY: the engine is available.
    unsafe { on!(engine, turns(plan, ids, turns)) }
}

/// Writes the labels of a row.
///
/// # Safety
/// The row is valid to read and `labels` to write for its length; they are the same or do not overlap, and nothing else touches them during
/// the call.
pub(super) unsafe fn labels<L: Lanes>(engine: Available, job: Job<'_>, row: Row<L>, labels: *mut L) {
    // SAFETY: the caller's promise; the engine is available.
    unsafe { on!(engine, labels(job, row, labels)) }
}

/// Writes the trained tokens of a row as bits, the lowest bit of a byte first.
///
/// # Safety
/// The row is valid to read and `bits` to write for a bit of each of its tokens; they do not overlap, and nothing else touches them during
/// the call.
pub(super) unsafe fn bits<L: Lanes>(engine: Available, job: Job<'_>, row: Row<L>, bits: *mut u8) {
    // SAFETY: the caller's promise; the engine is available.
    unsafe { on!(engine, bits(job, row, bits)) }
}
