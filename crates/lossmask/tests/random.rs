//! Random options and rows: every output agrees with the naive reference and with the others.
//!
//! `LOSSMASK_CASES=5000000 cargo test --release -p lossmask --test random` runs longer.

mod common;

use common::naive;
use lossmask::{
    Boundary, End, EndKind, Engine, Exclude, Masker, MaskerOptions, RowContext, Rows, Termination, TrainOnEos, Turns,
    Unterminated,
};
use proptest::prelude::*;

fn cases() -> u32 {
    std::env::var("LOSSMASK_CASES").map_or(3000, |cases| cases.parse().expect("LOSSMASK_CASES is a number"))
}

fn marker() -> impl Strategy<Value = Vec<i32>> {
    prop::collection::vec(0..5i32, 1..4)
}

fn boundary() -> impl Strategy<Value = Boundary> {
    let kind = prop::sample::select(vec![EndKind::Consumed, EndKind::Anchor, EndKind::Before]);
    (
        prop::sample::select(vec!["assistant", "user", "tool"]),
        prop::collection::vec(marker(), 0..3),
        prop::collection::vec(marker(), 0..3),
        prop::collection::vec((marker(), kind), 0..3),
        any::<bool>(),
    )
        .prop_map(|(role, starts, tails, ends, include_start)| {
            let mut boundary = Boundary { role: role.into(), starts, tails, ends: vec![], include_start };
            for (ids, kind) in ends {
                if boundary.ends.iter().all(|end| end.ids != ids) {
                    boundary.ends.push(End { ids, kind });
                }
            }
            boundary
        })
}

fn exclude() -> impl Strategy<Value = Exclude> {
    (marker(), prop::collection::vec(0..5i32, 0..3)).prop_map(|(start, end)| Exclude { start, end })
}

/// Half of the options are the common ones, so that the common paths are met often.
fn options() -> impl Strategy<Value = MaskerOptions> {
    let roles = vec![vec!["assistant"], vec![], vec!["assistant", "tool"], vec!["user", "assistant"]];
    let common = (
        prop::collection::vec(boundary(), 0..4),
        prop::sample::select(roles),
        prop::sample::select(vec![TrainOnEos::Turn, TrainOnEos::All, TrainOnEos::Last, TrainOnEos::None]),
        prop::collection::vec(-1..6i32, 0..3),
    );
    let rare = (
        prop::bool::weighted(0.05),
        any::<bool>(),
        prop::collection::vec(exclude(), 0..3),
        prop::sample::select(vec![Termination::EndMarker, Termination::NextStart]),
        prop::sample::select(vec![Unterminated::RunToEnd, Unterminated::Mask]),
        prop::sample::select(vec![Turns::All, Turns::Last]),
        prop::sample::select(vec![-100, 0, 7]),
    );
    (common, prop::option::of(rare)).prop_map(|((boundaries, roles, train_on_eos, ignore_token_ids), rare)| {
        let mut options = MaskerOptions {
            boundaries,
            roles_to_train: roles.into_iter().map(str::to_owned).collect(),
            train_on_eos,
            ignore_token_ids,
            ..MaskerOptions::default()
        };
        if let Some((train_on_inputs, shared, exclude, termination, unterminated, turns, ignore_index)) = rare {
            options.train_on_inputs = train_on_inputs;
            options.train_on_shared_end = shared;
            options.exclude = exclude;
            options.termination = termination;
            options.unterminated = unterminated;
            options.turns = turns;
            options.ignore_index = ignore_index;
        }
        options
    })
}

/// Short rows of marker tokens, and long ones in which content keeps the markers apart.
fn row() -> impl Strategy<Value = Vec<i32>> {
    let dense = prop::collection::vec(0..6i32, 0..40);
    let sparse = prop::collection::vec(prop_oneof![1 => 0..5i32, 6 => Just(9), 1 => Just(-1)], 0..200);
    // Longer than the chunks that the scanner works in, some of them full of marker tokens.
    let run = prop_oneof![
        (0..400usize).prop_map(|length| vec![9; length]),
        prop::collection::vec(0..6i32, 0..12),
        (prop::collection::vec(0..5i32, 1..4), 0..300usize).prop_map(|(unit, times)| unit.repeat(times)),
    ];
    let long = prop::collection::vec(run, 0..40).prop_map(|runs| runs.concat());
    // Long enough and quiet enough to be streamed, at times up to a noisy end.
    let quiet =
        (0..300usize, prop::collection::vec(0..6i32, 1..6)).prop_map(|(apart, ids)| [vec![9; apart], ids].concat());
    let far = (prop::collection::vec(quiet, 30..60), prop::collection::vec(0..6i32, 0..300))
        .prop_map(|(runs, noise)| [runs.concat(), noise].concat());
    prop_oneof![12 => dense, 12 => sparse, 2 => long, 1 => far]
}

fn check(options: &MaskerOptions, ids: &[i32]) {
    let keep = naive::keep(options, ids);
    let labels = naive::labels(options, ids);
    for &engine in Engine::available() {
        check_outputs(&Masker::with_engine(options, engine).unwrap(), options, ids, &keep, &labels);
    }
}

fn check_outputs(masker: &Masker, options: &MaskerOptions, ids: &[i32], keep: &[bool], labels: &[i32]) {
    assert_eq!(masker.labels(ids), labels, "labels");
    assert_eq!(masker.turns(ids), naive::turns(options, ids), "turns");

    let mut into = vec![7; ids.len()];
    masker.labels_into(ids, &mut into).unwrap();
    assert_eq!(into, labels, "labels_into");
    let mut in_place = ids.to_vec();
    masker.labels_in_place(&mut in_place);
    assert_eq!(in_place, labels, "in place");

    let wide: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
    let wide_labels: Vec<i64> = labels.iter().map(|&id| i64::from(id)).collect();
    assert_eq!(masker.labels(&wide), wide_labels, "i64");
    let mut in_place = wide.clone();
    masker.labels_in_place(&mut in_place);
    assert_eq!(in_place, wide_labels, "i64 in place");
    let unsigned: Vec<u32> = ids.iter().map(|id| id.cast_unsigned()).collect();
    assert_eq!(masker.labels(&unsigned), labels, "u32");

    let mut bits = vec![0xff; ids.len().div_ceil(8)];
    masker.mask_into(ids, &mut bits).unwrap();
    let read: Vec<bool> = (0..bits.len() * 8).map(|at| bits[at / 8] >> (at % 8) & 1 == 1).collect();
    assert_eq!(&read[..ids.len()], keep, "bits");
    assert!(read[ids.len()..].iter().all(|bit| !bit), "bits after the row");

    let record = masker.record(ids, &RowContext::default());
    let mut from_record = vec![7; ids.len()];
    record.write_labels(ids, options.ignore_index, &mut from_record);
    assert_eq!(from_record, labels, "record");
    assert_eq!(record.trained_count(), keep.iter().filter(|keep| **keep).count());
    assert_eq!(record.turns, masker.turns(ids));
}

fn check_batch(options: &MaskerOptions, rows: &[Vec<i32>], padding: &[(usize, usize)]) {
    let masker = Masker::new(options).unwrap();
    let length = rows.iter().zip(padding).map(|(row, pad)| row.len() + pad.0 + pad.1).max().unwrap_or(0);
    let (mut ids, mut mask, mut expected) = (vec![], vec![], vec![]);
    for (row, &(left, _)) in rows.iter().zip(padding) {
        // Padding that spells markers, so that reading it would show.
        let filler = |count: usize| (0..count).map(|at| at as i32 % 5);
        let right = length - left - row.len();
        ids.extend(filler(left).chain(row.iter().copied()).chain(filler(right)));
        mask.extend([vec![0_i32; left], vec![1; row.len()], vec![0; right]].concat());
        let ignore = |count| vec![options.ignore_index; count];
        expected.extend([ignore(left), naive::labels(options, row), ignore(right)].concat());
    }
    let labels = masker.labels_batch(&ids, Rows::Length(length), Some(&mask)).unwrap();
    assert_eq!(labels, expected, "batch with attention mask");
    let mut in_place = ids.clone();
    masker.labels_batch_in_place(&mut in_place, Rows::Length(length), Some(&mask)).unwrap();
    assert_eq!(in_place, expected, "batch in place");

    let ragged = rows.concat();
    let mut offsets = vec![0];
    offsets.extend(rows.iter().scan(0, |end, row| {
        *end += row.len();
        Some(*end)
    }));
    let expected: Vec<i32> = rows.iter().flat_map(|row| naive::labels(options, row)).collect();
    assert_eq!(masker.labels_batch(&ragged, Rows::Offsets(&offsets), None::<&[u8]>).unwrap(), expected, "ragged");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_output_agrees_with_the_naive_reference(options in options(), ids in row()) {
        check(&options, &ids);
    }

    #[test]
    fn batches_agree_with_the_naive_reference(
        options in options(),
        rows in prop::collection::vec((row(), (0..4usize, 0..4usize)), 0..5),
    ) {
        let (rows, padding): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        check_batch(&options, &rows, &padding);
    }
}
