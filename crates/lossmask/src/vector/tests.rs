//! Every engine against plain Rust.
use std::mem::MaybeUninit;

use super::kernel::{Ahead, LIST, Streaming, Writing};
use super::*;
use proptest::prelude::*;

/// Runs a check for every engine's vectors. The check is not compiled for the larger instruction set, its operations are.
macro_rules! every_engine {
    ($check:ident($($argument:expr),*)) => {
        for &engine in Engine::available() {
            // SAFETY: the engine is available.
            unsafe {
                match engine {
                    #[cfg(target_arch = "x86_64")]
                    Engine::Sse2 => $check::<Sse2, _>($($argument),*),
                    #[cfg(target_arch = "x86_64")]
                    Engine::Avx2 => $check::<Avx2, _>($($argument),*),
                    #[cfg(target_arch = "aarch64")]
                    Engine::Neon => $check::<Neon, _>($($argument),*),
                    _ => $check::<Plain, _>($($argument),*),
                }
            }
        }
    };
}

fn bit(words: &[u64], at: usize) -> bool {
    words[at / 64] >> (at % 64) & 1 == 1
}

fn membership<L: Lanes>(ids: &[L], set: &IdSet) -> Vec<bool> {
    ids.iter().map(|&id| id.to_i32().is_some_and(|id| set.ids().contains(&id))).collect()
}

unsafe fn check_classify<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L], set: &IdSet) {
    let words = ids.len() / 64;
    let mut bits = vec![0; words];
    // SAFETY: the caller's engine is available, and the arrays hold what `words` says.
    unsafe { kernel::classify::<S, L>(ids.as_ptr(), words, set, bits.as_mut_ptr()) };
    for (at, expected) in membership(ids, set).into_iter().enumerate() {
        assert_eq!(bit(&bits, at), expected, "{:?} in {:?}", ids[at], set.ids());
    }
}

unsafe fn check_write<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L], set: &IdSet) {
    let words = ids.len() / 64;
    let ignore = L::from_i32(-100);
    for keep in [vec![0; words], vec![!0; words], vec![0x0f0f_1234_8000_0001; words]] {
        let expected: Vec<L> = (0..ids.len()).map(|at| if bit(&keep, at) { ids[at] } else { ignore }).collect();
        // As many words ahead as are written, fewer, and more.
        for ahead_words in [words, words / 2, 0] {
            let mut labels = vec![L::from_i32(77); ids.len()];
            let mut bits = vec![0; words];
            let ahead = Ahead { ids: ids.as_ptr(), words: ahead_words, set, out: bits.as_mut_ptr() };
            for written in [words, words / 3] {
                let (ids, labels, keep) = (ids.as_ptr(), labels.as_mut_ptr(), keep.as_ptr());
                // SAFETY: as above; `labels` does not overlap `ids`.
                unsafe { kernel::write::<S, L>(&Writing { ids, labels, words: written, keep, ignore, ahead }) };
            }
            assert_eq!(labels, expected);
            let seen = membership(&ids[..64 * ahead_words], set);
            assert!(seen.iter().enumerate().all(|(at, &expected)| bit(&bits, at) == expected), "ahead");
        }
        let mut row = ids.to_vec();
        let (labels, keep) = (row.as_mut_ptr(), keep.as_ptr());
        let ahead = Ahead::nothing(set);
        // SAFETY: as above; both pointers are the same, derived from the one mutable borrow.
        unsafe { kernel::write::<S, L>(&Writing { ids: labels, labels, words, keep, ignore, ahead }) };
        assert_eq!(row, expected, "in place");
    }
}

unsafe fn check_stream<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L], set: &IdSet) {
    let ignore = L::from_i32(-100);
    let expected = ids.iter().position(|&id| set.may_hold(id)).unwrap_or(ids.len());
    for keep in [false, true] {
        let mut labels = ids.to_vec();
        let row = labels.as_mut_ptr();
        let streaming = Streaming { ids: row, labels: row, length: ids.len(), set, keep, ignore };
        // SAFETY: the engine is available, the pointers are valid for the row and the same.
        assert_eq!(unsafe { kernel::stream::<S, L>(&streaming) }, expected);
        for at in 0..ids.len() {
            let label = if at < expected && !keep { ignore } else { ids[at] };
            assert_eq!(labels[at], label, "{at} of {expected}");
        }
    }
}

unsafe fn check_copy_through<S: Simd, L: Lanes + std::fmt::Debug>(ids: &[L]) {
    #[repr(align(64))]
    struct Line<L>([L; 16]);
    let line = |at: usize| Line(std::array::from_fn(|lane| ids[(at + lane) % ids.len()]));
    let from: Vec<Line<L>> = (0..5).map(line).collect();
    let mut to: Vec<Line<L>> = (0..5).map(|_| line(7)).collect();
    let bytes = size_of_val(from.as_slice());
    // SAFETY: the engine is available; both arrays hold so many bytes in whole lines.
    unsafe { kernel::copy_through::<S>(to.as_mut_ptr().cast(), from.as_ptr().cast(), bytes) };
    assert!(from.iter().zip(&to).all(|(from, to)| from.0 == to.0));
}

/// `L` is only there for [`every_engine`].
unsafe fn check_parities<S: Simd, L>(bits: u64, _: L) {
    // SAFETY: the engine is available.
    let parities = unsafe { S::parities(bits) };
    for at in 0..64 {
        assert_eq!(parities >> at & 1 == 1, (bits << (63 - at)).count_ones() % 2 == 1, "bit {at} of {bits:x}");
    }
}

proptest! {
    #[test]
    fn every_engine_adds_up_parities_alike(bits in any::<u64>()) {
        every_engine!(check_parities(bits, ()));
    }

    #[test]
    fn every_engine_streams_alike(
        // One id, some that make a short span, and some that do not.
        set in prop_oneof![
            prop::collection::vec(0..40i32, 0..4),
            prop::collection::vec(prop_oneof![Just(i32::MIN), Just(i32::MAX), 0..3_000i32], 1..4),
        ],
        length in 0..200usize,
        special in prop::option::of(0..200usize),
        near in -1..2i32,
    ) {
        let set = IdSet::new(set);
        let first = set.ids().first().map_or(7, |id| i64::from(id.saturating_add(near)));
        let wide: Vec<i64> = (0..length)
            .map(|at| if special == Some(at) { first } else { (1 << 32) + at as i64 * 1000 })
            .collect();
        let narrow: Vec<i32> =
            wide.iter().map(|&id| id.to_i32().unwrap_or(1_000_000 + (id >> 3) as i32 % 1000)).collect();
        for &id in &narrow {
            prop_assert!(set.may_hold(id) || !set.ids().contains(&id));
        }
        if set.fits_one_test() {
            every_engine!(check_stream(&narrow, &set));
            every_engine!(check_stream(&wide, &set));
        }
    }

    #[test]
    fn every_engine_classifies_and_writes_alike(
        set in prop_oneof![
            prop::collection::vec(prop_oneof![0..40i32, 151_640..151_660i32, any::<i32>()], 0..12),
            prop::collection::vec(0..400i32, 0..300),
        ],
        strangers in prop::collection::vec(prop_oneof![0..400i64, 151_640..151_660i64, any::<i64>()], 1..20),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 192),
    ) {
        let pool: Vec<i64> = strangers.into_iter().chain(set.iter().map(|&id| i64::from(id))).collect();
        let wide: Vec<i64> = picks.iter().map(|pick| *pick.get(&pool)).collect();
        let narrow: Vec<i32> = wide.iter().map(|&id| id as i32).collect();
        let few = IdSet::new(set.first().copied());
        let set = IdSet::new(set);
        every_engine!(check_classify(&narrow, &set));
        every_engine!(check_classify(&wide, &set));
        every_engine!(check_write(&narrow, &few));
        every_engine!(check_write(&wide, &few));
        every_engine!(check_copy_through(&narrow));
        every_engine!(check_copy_through(&wide));
    }
}

#[test]
fn lists_the_places_of_bits() {
    for bits in [vec![], vec![0_u64, 0], vec![1 << 63, 0, 0x8421], vec![!0; 16], [vec![!0; 16], vec![1]].concat()] {
        let expected: Vec<u16> = (0..64 * bits.len()).filter(|&at| bit(&bits, at)).map(|at| at as u16).collect();
        let mut out = [const { MaybeUninit::uninit() }; LIST + 64];
        let listed = kernel::list(&bits, &mut out);
        assert_eq!(listed, (expected.len() <= LIST).then_some(expected.as_slice()));
    }
}
