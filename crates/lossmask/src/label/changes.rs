//! Where "trained" changes in a row, and which tokens of a chunk that makes trained.

use crate::compile::candidates::WORDS;
use crate::compile::{Opened, Plan};
use crate::options::EndKind;
use crate::scan::{End, Sink};
use crate::vector::Simd;

/// Where "trained" changes.
pub(super) trait Changes {
    fn flip(&mut self, at: usize);
    fn ignore(&mut self, at: usize);
}

/// The changes at one marker.
pub(super) struct Here {
    pub places: [usize; 4],
    pub count: usize,
}

impl Changes for Here {
    #[inline(always)]
    fn flip(&mut self, at: usize) {
        self.places[self.count] = at;
        self.count += 1;
    }

    fn ignore(&mut self, _: usize) {}
}

/// Where "trained" changes in a chunk, and then which of its tokens are.
pub(super) struct Bits {
    bits: [u64; WORDS],
    ignored: [u64; WORDS],
    any_ignored: bool,
    from: usize,
    to: usize,
    /// A change after the chunk: one at most, as changes come in order and the scan stops at the first one after the chunk.
    pub pending: Option<usize>,
    /// Whether the token before the chunk is trained.
    pub on: bool,
}

impl Default for Bits {
    fn default() -> Bits {
        Bits { bits: [0; WORDS], ignored: [0; WORDS], any_ignored: false, from: 0, to: 0, pending: None, on: false }
    }
}

impl Bits {
    #[inline(always)]
    pub fn begin(&mut self, from: usize, to: usize) {
        self.bits.fill(0);
        if std::mem::take(&mut self.any_ignored) {
            self.ignored.fill(0);
        }
        (self.from, self.to) = (from, to);
        if let Some(at) = self.pending.take() {
            self.flip(at);
        }
    }
}

impl Changes for Bits {
    #[inline(always)]
    fn flip(&mut self, at: usize) {
        if at < self.to {
            let at = at - self.from;
            // The remainder changes nothing, and spares a check.
            self.bits[at / 64 % WORDS] ^= 1 << (at % 64);
        } else {
            self.flip_later(at);
        }
    }

    #[inline(always)]
    fn ignore(&mut self, at: usize) {
        let at = at - self.from;
        self.ignored[at / 64] |= 1 << (at % 64);
        self.any_ignored = true;
    }
}

impl Bits {
    #[cold]
    fn flip_later(&mut self, at: usize) {
        debug_assert!(self.pending.is_none());
        self.pending = Some(at);
    }

    /// The chunk's trained tokens.
    ///
    /// # Safety
    /// The machine has the instructions of `S`.
    #[inline(always)]
    pub unsafe fn finish<S: Simd>(&mut self) -> &mut [u64; WORDS] {
        let mut before = u64::from(self.on).wrapping_neg();
        for word in &mut self.bits[..(self.to - self.from).div_ceil(64)] {
            // SAFETY: the caller's promise.
            *word = unsafe { S::parities(*word) } ^ before;
            before = (word.cast_signed() >> 63).cast_unsigned();
        }
        self.on = before != 0;
        if self.any_ignored {
            for (word, ignored) in self.bits.iter_mut().zip(self.ignored) {
                *word &= !ignored;
            }
        }
        let rest = (self.to - self.from) % 64;
        if rest != 0 {
            self.bits[(self.to - self.from) / 64] &= !(!0 << rest);
        }
        &mut self.bits
    }
}

/// Decides on turns as they are found.
pub(super) struct Keep<'p, C> {
    pub plan: &'p Plan,
    pub changes: C,
    /// With `train_on_eos: last` the end marker that is the last so far: where, its end set, and which of it.
    pub last_end: Option<(usize, u32, u32)>,
}

impl<C: Changes> Sink for Keep<'_, C> {
    const WANTS_IGNORED: bool = true;

    #[inline(always)]
    fn ignored(&mut self, at: usize) {
        self.changes.ignore(at);
    }

    #[inline(always)]
    fn open(&mut self, turn: &Opened, start: usize, content_start: usize) {
        if turn.trained {
            self.changes.flip(if turn.include_start { start } else { content_start });
        }
    }

    #[inline(always)]
    fn close(&mut self, turn: &Opened, content_end: usize, marker_end: usize, end: Option<End>) {
        let own = end.filter(|end| end.kind == EndKind::Consumed);
        let trains_end = own.is_some() && turn.trains_end;
        if turn.trained != trains_end {
            self.changes.flip(content_end);
        }
        if trains_end {
            self.changes.flip(marker_end);
        }
        if turn.trains_last_end {
            self.remember_end(turn.boundary, content_end, own);
        }
    }
}

impl<C> Keep<'_, C> {
    #[cold]
    fn remember_end(&mut self, boundary: u32, at: usize, end: Option<End>) {
        if let (Some(end), Some(set)) = (end, self.plan.ends.of_boundary[boundary as usize]) {
            self.last_end = Some((at, set, end.marker));
        }
    }
}
