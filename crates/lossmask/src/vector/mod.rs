//! Vector operations over rows of ids. They know sets of ids and arrays, and nothing of markers and turns.
//!
//! The loops are written once, in `kernel`, over the few operations that an instruction set gives in its own file; `scalar` gives them in
//! plain Rust. Callers that want a whole pass compiled for an engine are generic over [`Simd`] and call the loops; others call
//! [`classify`], which picks the engine's loop.

mod classes;
pub(crate) mod kernel;
mod lanes;
mod members;
mod scalar;
mod set;
mod simd;

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

pub(crate) use classes::Classes;
pub(crate) use lanes::Lanes;
#[cfg(target_arch = "aarch64")]
pub(crate) use neon::Neon;
pub(crate) use scalar::Plain;
pub(crate) use set::IdSet;
pub(crate) use simd::Simd;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Sse2};

/// The instruction set that a masker's inner loops run on.
///
/// ```
/// use lossmask::{Engine, Masker, MaskerOptions};
///
/// assert!(Engine::available().contains(&Engine::Scalar));
/// let masker = Masker::new(&MaskerOptions::default())?;
/// assert_eq!(masker.engine(), Engine::fastest());
/// # Ok::<(), lossmask::BuildError>(())
/// ```
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
        return match x86::has_avx2() {
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

/// An engine that this machine can run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Available(Engine);

impl Available {
    pub fn fastest() -> Available {
        Available(Engine::fastest())
    }

    /// # Panics
    /// When the engine is not among [`Engine::available`].
    pub fn check(engine: Engine) -> Available {
        assert!(Engine::available().contains(&engine), "{} is not available here", engine.name());
        Available(engine)
    }

    /// The engine of some vectors.
    ///
    /// # Safety
    /// The machine has the instructions of `S`.
    #[inline(always)]
    pub unsafe fn of<S: Simd>() -> Available {
        Available(S::ENGINE)
    }

    pub fn engine(self) -> Engine {
        self.0
    }
}

/// Bit `i` of `out` becomes whether `ids[from + i]` is in the set, for `i < count`; the bits after those become 0.
///
/// # Panics
/// When the ids do not lie in the row, or `out` is too short for them.
pub(crate) fn classify<L: Lanes>(
    engine: Available,
    ids: &[L],
    from: usize,
    count: usize,
    set: &IdSet,
    out: &mut [u64],
) {
    assert!(count.div_ceil(64) <= out.len() && from + count <= ids.len());
    let (words, rest) = (count / 64, count % 64);
    // SAFETY: the assertion says that the words lie in the row and in `out`.
    unsafe { classify_words(engine, ids.as_ptr().add(from), words, set, out.as_mut_ptr()) };
    out[words..].fill(0);
    if rest == 0 {
        return;
    }
    let end = from + count;
    let mut word = 0;
    if end >= 64 {
        // SAFETY: the 64 tokens that end where the row's part ends lie in the row.
        unsafe { classify_words(engine, ids.as_ptr().add(end - 64), 1, set, &mut word) };
        word >>= 64 - rest;
    } else {
        let mut padded = [L::from_i32(0); 64];
        padded[..rest].copy_from_slice(&ids[end - rest..end]);
        // SAFETY: the array holds 64 tokens.
        unsafe { classify_words(engine, padded.as_ptr(), 1, set, &mut word) };
        word &= !(!0 << rest);
    }
    out[words] = word;
}

/// Bit `i` of `out[w]` becomes whether `ids[64 * w + i]` is in the set.
///
/// # Safety
/// `ids` is valid to read for `64 * words` ids, `out` to write for `words` words.
unsafe fn classify_words<L: Lanes>(engine: Available, ids: *const L, words: usize, set: &IdSet, out: *mut u64) {
    // SAFETY: the caller's promises; the engine is available.
    unsafe {
        match engine.0 {
            #[cfg(target_arch = "x86_64")]
            Engine::Sse2 => kernel::classify::<Sse2, L>(ids, words, set, out),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => x86::classify_avx2(ids, words, set, out),
            #[cfg(target_arch = "aarch64")]
            Engine::Neon => kernel::classify::<Neon, L>(ids, words, set, out),
            _ => kernel::classify::<Plain, L>(ids, words, set, out),
        }
    }
}
