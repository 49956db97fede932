//! What axolotl answered, recorded: the scanner must give the same labels to the last token.

mod common;

use common::{ids, rows, vectors};
use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, Rows, TrainOnEos};
use serde_json::Value;

fn train_on_eos(value: &Value) -> TrainOnEos {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// axolotl's boundary: an empty start never matches, an empty end runs to the end of the row, and without `include_end` the
/// end marker is not consumed.
fn boundary(value: &Value) -> Boundary {
    let (start, end) = (ids(&value["start"]), ids(&value["end"]));
    let kind = if value["include_end"].as_bool().unwrap() { EndKind::Consumed } else { EndKind::Before };
    Boundary {
        role: value["role"].as_str().unwrap().to_owned(),
        starts: if start.is_empty() { vec![] } else { vec![start] },
        ends: if end.is_empty() { vec![] } else { vec![End { ids: end, kind }] },
        include_start: value["include_start"].as_bool().unwrap(),
        ..Boundary::default()
    }
}

fn boundaries(value: &Value) -> Vec<Boundary> {
    value.as_array().unwrap().iter().map(boundary).collect()
}

fn roles(value: &Value) -> Vec<String> {
    match value {
        Value::Null => vec!["assistant".to_owned()],
        roles => serde_json::from_value(roles.clone()).unwrap(),
    }
}

fn check(id: &str, options: &MaskerOptions, input: &[Vec<i32>], expected: &[Vec<i32>]) {
    let masker = Masker::new(options).unwrap();
    for (row, labels) in input.iter().zip(expected) {
        assert_eq!(&masker.labels(row), labels, "{id}: {row:?}");
        assert_eq!(common::naive::labels(options, row), *labels, "{id}, naive reference: {row:?}");
    }
    let flat: Vec<i64> = input.concat().into_iter().map(i64::from).collect();
    let labels: Vec<i64> = expected.concat().into_iter().map(i64::from).collect();
    let length = input.first().map_or(0, Vec::len);
    let batch = if input.iter().all(|row| row.len() == length) {
        masker.labels_batch(&flat, Rows::Length(length), None::<&[u8]>)
    } else {
        let mut offsets = vec![0];
        offsets.extend(input.iter().scan(0, |end, row| {
            *end += row.len();
            Some(*end)
        }));
        masker.labels_batch(&flat, Rows::Offsets(&offsets), None::<&[u8]>)
    };
    assert_eq!(batch.unwrap(), labels, "{id}, as a batch");
}

#[test]
fn scanner_random() {
    let cases = vectors("scanner_random.jsonl");
    for case in &cases {
        let options = MaskerOptions {
            boundaries: boundaries(&case["boundaries"]),
            roles_to_train: roles(&case["roles_to_train"]),
            train_on_eos: train_on_eos(&case["train_on_eos"]),
            ..MaskerOptions::default()
        };
        check(case["id"].as_str().unwrap(), &options, &rows(&case["input_ids"]), &rows(&case["labels"]));
    }
    assert_eq!(cases.len(), 3500);
}

#[test]
fn axolotl_scan_cases() {
    let mut seen = 0;
    for case in vectors("axolotl_cases.jsonl").iter().filter(|case| case["kind"] == "scan") {
        let options = MaskerOptions {
            boundaries: boundaries(&case["role_boundaries"]),
            roles_to_train: roles(&case["roles_to_train"]),
            train_on_eos: train_on_eos(&case["train_on_eos"]),
            ..MaskerOptions::default()
        };
        check(case["id"].as_str().unwrap(), &options, &rows(&case["input_ids"]), &rows(&case["labels"]));
        seen += 1;
    }
    assert_eq!(seen, 10);
}

/// Whole strategies of axolotl. Which ids are media is the strategy's business; here they are read off the answer: ids that
/// axolotl never trains although they are where others are trained.
#[test]
fn axolotl_label_cases() {
    let mut seen = 0;
    for case in vectors("axolotl_cases.jsonl").iter().filter(|case| case["kind"] == "labels") {
        let (input, expected) = (rows(&case["input_ids"]), rows(&case["labels"]));
        let knobs = &case["knobs"];
        let boundaries = boundaries(&case["role_boundaries"]);
        let mut options = MaskerOptions {
            // What lossmask refuses unless asked for by name: without boundaries axolotl trains on everything.
            train_on_inputs: knobs["train_on_inputs"].as_bool().unwrap() || boundaries.is_empty(),
            boundaries,
            roles_to_train: roles(&knobs["roles_to_train"]),
            train_on_eos: train_on_eos(&knobs["train_on_eos"]),
            ..MaskerOptions::default()
        };
        let pairs = || input.iter().zip(&expected).flat_map(|(row, labels)| row.iter().zip(labels));
        let masker = Masker::new(&options).unwrap();
        let without: Vec<Vec<i32>> = input.iter().map(|row| masker.labels(row)).collect();
        let dropped = without.iter().zip(&expected).flat_map(|(a, b)| a.iter().zip(b));
        options.ignore_token_ids = dropped.filter(|(a, b)| a != b).map(|(a, _)| *a).collect();
        assert!(
            pairs().all(|(id, label)| *label == -100 || !options.ignore_token_ids.contains(id)),
            "{}: an id is trained at one place and not at another",
            case["id"]
        );
        check(case["id"].as_str().unwrap(), &options, &input, &expected);
        seen += 1;
    }
    assert_eq!(seen, 433);
}
