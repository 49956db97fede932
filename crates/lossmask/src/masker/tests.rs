//! Labels of large rows, which are written past the caches, without large rows.

use std::sync::Arc;

use super::{Compiled, Masker};
use crate::compile::candidates::CHUNK;
use crate::ids::Label;
use crate::{Boundary, EndKind, MaskerOptions, TrainOnEos};

/// Long and short spans by turns, so that both ways through a row and the change between them are met. `lead` tokens of
/// content come before all else, so that markers come to lie everywhere around the ends of pages.
fn row(lead: usize, length: usize) -> Vec<i32> {
    let mut ids = vec![100; lead];
    for turn in 0.. {
        if ids.len() >= length {
            break;
        }
        let span = if turn % 40 < 20 { 250 + turn % 37 } else { 5 + turn % 7 };
        ids.extend([1, [2, 3][turn % 2], 4, 5, 6]);
        ids.extend((0..span).map(|at| if at % 240 == 7 { 30 } else { 100 + at as i32 }));
        ids.push(9);
    }
    ids.truncate(length);
    ids
}

fn masker(train_on_eos: TrainOnEos) -> Masker {
    let boundary = |role: &str, id| Boundary {
        role: role.into(),
        starts: vec![vec![1, id]],
        tails: vec![vec![4, 5, 6]],
        ends: vec![crate::End { ids: vec![9], kind: EndKind::Consumed }],
        include_start: false,
    };
    Masker::new(&MaskerOptions {
        boundaries: vec![boundary("user", 3), boundary("assistant", 2)],
        ignore_token_ids: vec![30],
        train_on_eos,
        ..MaskerOptions::default()
    })
    .unwrap()
}

fn compiled(masker: &mut Masker) -> &mut Compiled {
    Arc::get_mut(&mut masker.compiled).unwrap()
}

/// Writes the labels of a row by way of a page, in an array of their own and in place, and compares.
fn check_pages<L: Label + std::fmt::Debug>(masker: &mut Masker, ids: &[L], offset: usize) {
    compiled(masker).through_bytes = usize::MAX;
    let mut expected = vec![ids[0]; ids.len()];
    masker.write(ids, &mut expected);
    compiled(masker).through_bytes = 0;
    // A label on either side that stays what it is.
    let mut labels = vec![L::from_i32(77); offset + ids.len() + 1];
    masker.write(ids, &mut labels[offset..offset + ids.len()]);
    assert!(labels[offset..].starts_with(&expected), "{} at {offset}", ids.len());
    labels[offset..offset + ids.len()].copy_from_slice(ids);
    masker.write_in_place(&mut labels[offset..offset + ids.len()]);
    assert!(labels[offset..].starts_with(&expected), "{} at {offset}, in place", ids.len());
    labels.drain(offset..offset + ids.len());
    assert!(labels.iter().all(|&label| label == L::from_i32(77)), "{} at {offset}: beside the row", ids.len());
}

#[test]
fn labels_that_leave_by_a_page_are_the_same() {
    for train_on_eos in [TrainOnEos::Turn, TrainOnEos::Last] {
        let mut masker = masker(train_on_eos);
        for length in [1, 63, 64, 100, 2048, 2100, 4096, 9011] {
            for lead in 0..if length > CHUNK { 260 } else { 1 } {
                let ids = row(lead, length);
                let wide: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
                check_pages(&mut masker, &ids, lead % 17);
                check_pages(&mut masker, &wide, lead % 17);
            }
        }
    }
}
