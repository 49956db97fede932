//! The inner loops, over the operations of [`Simd`].

use std::mem::MaybeUninit;

use crate::vector::Lanes;
use crate::vector::members::{Chain, Close, Nothing, One, Table, Tables, with_members, with_one_test};
use crate::vector::set::IdSet;
use crate::vector::simd::{Masks, Members, Simd};

/// Bytes between what is written and what is asked for to be written.
const WRITE_AHEAD: usize = 1024;
/// Bytes between what is read and what is asked for to be read.
const READ_AHEAD: usize = 2048;

/// Places that [`list`] lists at most.
pub(crate) const LIST: usize = 1024;

/// What [`write`] does: `labels[i]` becomes `ids[i]` where bit `i` of `keep` is set, else `ignore`.
///
/// Reads `64 * words` ids and `words` words of `keep`, writes `64 * words` labels; `labels` either equals `ids` or does not
/// overlap them. `ahead` does not overlap `labels`.
pub(crate) struct Writing<'a, L> {
    pub ids: *const L,
    pub labels: *mut L,
    pub words: usize,
    pub keep: *const u64,
    pub ignore: L,
    pub ahead: Ahead<'a, L>,
}

/// What [`stream`] does: up to the first id that the set [may hold](IdSet::may_hold), `labels[i]` becomes `ids[i]` if `keep`
/// is set, else `ignore`.
///
/// Reads `length` ids, writes up to `length` labels: after that first id any label may become its id. `labels` either equals
/// `ids` or does not overlap them. The set [fits one test](IdSet::fits_one_test).
pub(crate) struct Streaming<'a, L> {
    pub ids: *const L,
    pub labels: *mut L,
    pub length: usize,
    pub set: &'a IdSet,
    pub keep: bool,
    pub ignore: L,
}

/// Ids to be classified as [`classify`] does. The set [fits one test](IdSet::fits_one_test) unless there are no words.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'a, L> {
    pub ids: *const L,
    pub words: usize,
    pub set: &'a IdSet,
    pub out: *mut u64,
}

impl<'a, L> Ahead<'a, L> {
    pub fn nothing(set: &'a IdSet) -> Ahead<'a, L> {
        Ahead { ids: std::ptr::null(), words: 0, set, out: std::ptr::null_mut() }
    }

    /// Without the first words.
    fn after(self, words: usize) -> Ahead<'a, L> {
        let (ids, out) = (self.ids.wrapping_add(64 * words), self.out.wrapping_add(words));
        Ahead { ids, words: self.words - words, out, ..self }
    }
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

/// Bit `i` of `out[w]` becomes whether `ids[64 * w + i]` is in the set.
///
/// # Safety
/// `ids` is valid to read for `64 * words` ids, `out` to write for `words` words. The machine has the instructions of `S`.
#[inline(always)]
pub(crate) unsafe fn classify<S: Simd, L: Lanes>(ids: *const L, words: usize, set: &IdSet, out: *mut u64) {
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
        look_ahead::<S, L>(&ahead.after(both));
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

/// [`stream`] with the set in the form that is tested.
///
/// # Safety
/// As there.
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
                let clear = store_before_first::<S, L>(ids, labels, found, keep, ignore);
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

/// Labels the lanes before the first that is found in four vectors, gives the others any label or their ids, and says how many that is.
///
/// # Safety
/// Both pointers are valid for four vectors; the machine has the instructions of `S`.
#[inline(always)]
unsafe fn store_before_first<S: Simd, L: Lanes>(
    ids: *const L,
    labels: *mut L,
    found: [S; 4],
    keep: bool,
    ignore: L,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let mut bits = 0;
        for (vector, found) in found.into_iter().enumerate() {
            bits |= found.lane_bits() << (vector * S::LANES);
        }
        let clear = bits.trailing_zeros();
        for vector in 0..4 {
            let first = vector * S::LANES;
            let clear = clear.saturating_sub(first as u32);
            store_before::<S, L>(ids.add(first), labels.add(first), clear, keep, ignore);
        }
        clear
    }
}

/// Labels the lanes before `clear`, and gives the others their ids.
///
/// # Safety
/// Both pointers are valid for a vector; the machine has the instructions of `S`.
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

/// The places of the set bits, in order; `None` if they are more than [`LIST`].
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
                // SAFETY: at most `LIST` places come before this word's, and it writes 64 at most.
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

/// Labels 64 ids, those with a set bit with themselves.
///
/// # Safety
/// Both pointers are valid for 64 ids; the machine has the instructions of `S`.
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
///
/// # Safety
/// The pointer is valid for 64 ids.
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
