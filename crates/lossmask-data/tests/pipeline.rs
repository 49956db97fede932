//! Runs from data files to prepared folders.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::{END, HEADER, jsonl, listing, row, rows, run, run_controlled, spec, write};
use lossmask_data::{Control, PipelineSpec, Prepared, Report, RowFilter, ShownRow};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Runs over `rows` with the keys of `extra` laid over the spec.
fn prepare(dir: &Path, rows: &[Value], extra: Value) -> Report {
    let file = write(dir, "rows.jsonl", jsonl(rows));
    run(&spec(dir, &[file], extra)).unwrap()
}

fn all_rows(dir: &Path, split: &str) -> Vec<ShownRow> {
    let prepared = Prepared::open(&dir.join("out"), None).unwrap();
    let count = prepared.report().splits[split];
    prepared.rows(split, &(0..count).collect::<Vec<_>>()).unwrap()
}

/// Every file of the folder but the report, which holds times.
fn bytes(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = listing(dir).into_iter().filter(|name| !name.ends_with("report.json"));
    names.map(|name| (name.clone(), fs::read(dir.join(&name)).unwrap())).collect()
}

#[test]
fn what_is_written_does_not_depend_on_the_workers() {
    let dir = tempfile::tempdir().unwrap();
    let rows = rows(700);
    let extras = [
        json!({}),
        json!({ "valSetSize": { "fraction": 0.1 }, "output": { "dir": dir.path().join("out"), "format": "parquet", "shardBytes": 20_000 } }),
        json!({ "samplePacking": { "groupSize": 64 }, "sequenceLen": 64, "valSetSize": { "count": 20 } }),
        json!({ "sample": 99, "output": { "dir": dir.path().join("out"), "format": "jsonl" } }),
    ];
    for extra in extras {
        let mut expected = None;
        for workers in [1, 2, 7] {
            let mut extra = extra.clone();
            extra["workers"] = workers.into();
            let mut report = prepare(dir.path(), &rows, extra.clone());
            report.timing = Default::default();
            let found = (bytes(&dir.path().join("out")), serde_json::to_value(&report).unwrap());
            assert_eq!(&found, expected.get_or_insert_with(|| found.clone()), "{workers} workers, {extra}");
        }
    }
}

#[test]
fn labels_are_the_ids_of_trained_tokens_and_figures_count_them() {
    for format in ["arrow", "parquet", "jsonl"] {
        let dir = tempfile::tempdir().unwrap();
        let source = [row(0, 2, 3), row(50, 0, 1)];
        let output = json!({ "output": { "dir": dir.path().join("out"), "format": format } });
        let report = prepare(dir.path(), &source, output);
        let found = all_rows(dir.path(), "train");
        assert_eq!(found[0].input_ids, [HEADER, 100, 101, END, HEADER, 100, 101, 102, END]);
        assert_eq!(found[0].labels, [-100, -100, -100, -100, -100, 100, 101, 102, END]);
        assert_eq!(found[1].labels, [-100, -100, -100, 150, END]);
        assert_eq!(found[1].sources[0].line, Some(2));
        assert_eq!((report.tokens, report.trained_tokens), (14, 6));
        assert_eq!((report.ends.trained, report.ends.turns), (2, 2));
        let assistant = &report.roles["assistant"];
        assert_eq!((assistant.turns, assistant.trained_turns, assistant.tokens, assistant.trained), (2, 2, 8, 6));
        assert_eq!((report.roles["user"].tokens, report.roles["user"].trained), (6, 0));
        assert_eq!((report.kinds["end"].tokens, report.kinds["end"].trained), (4, 2));
        assert_eq!(report.reasons["role-not-trained"], 2);
        assert_eq!((report.lengths.min, report.lengths.max), (5, 9));
        assert_eq!(report.lengths.histogram, [0, 0, 1, 1]);
    }
}

#[test]
fn long_rows_are_dropped_cut_or_refused() {
    let source = [row(0, 2, 3), row(1, 2, 20), row(2, 30, 5)];
    let with = |strategy: &str| {
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), "rows.jsonl", jsonl(&source));
        let spec = spec(dir.path(), &[file], json!({ "sequenceLen": 12, "excessLengthStrategy": strategy }));
        (run(&spec), dir)
    };
    let (report, _dir) = with("drop");
    let report = report.unwrap();
    assert_eq!((report.rows_written, report.dropped["too-long"]), (1, 2));

    let (report, dir) = with("truncate");
    let report = report.unwrap();
    // The second row keeps 7 of its answer's 21 trained tokens; of the third nothing trained is left.
    assert_eq!((report.rows_written, report.dropped["no-trained-token"]), (2, 1));
    assert_eq!(
        (report.truncation.rows, report.truncation.tokens, report.truncation.trained_tokens),
        (2, 14 + 27, 14 + 6)
    );
    assert_eq!(report.truncation.turns, 1 + 2);
    let cut = &all_rows(dir.path(), "train")[1];
    assert_eq!((cut.input_ids.len(), cut.labels.len(), cut.spans.last().unwrap().end), (12, 12, 12));
    assert!(!cut.turns[1].terminated);
    assert!(cut.diagnostics.iter().any(|diagnosis| diagnosis.code == "row-truncated"));
    let untrained = report.diagnostics.iter().find(|diagnosis| diagnosis.code == "no-trained-token").unwrap();
    assert_eq!((untrained.first.line, untrained.rows), (Some(3), 1));
    assert!(untrained.message.contains("cut off"), "{}", untrained.message);

    let (error, dir) = with("raise");
    let error = error.unwrap_err();
    assert_eq!((error.code, error.line), ("row-too-long", Some(2)));
    assert_eq!(listing(dir.path()), ["rows.jsonl"]);
}

#[test]
fn a_cut_turn_is_masked_where_unterminated_turns_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(
        dir.path(),
        "rows.jsonl",
        jsonl(&[json!({ "turns": [["assistant", 2], ["user", 2], ["assistant", 9]] })]),
    );
    let mut spec = spec(dir.path(), &[file], json!({ "sequenceLen": 12, "excessLengthStrategy": "truncate" }));
    spec.datasets[0].encoder.masker.unterminated = lossmask::Unterminated::Mask;
    run(&spec).unwrap();
    let labels = &all_rows(dir.path(), "train")[0].labels;
    assert_eq!(labels[..4], [-100, 100, 101, END]);
    assert!(labels[4..].iter().all(|&label| label == -100));
}

#[test]
fn media_is_never_cut_in_half() {
    // header, 2 ids, end; header, 6 media ids, end; header, 3 ids, end
    let source = json!({ "turns": [["assistant", 2], ["media", 6], ["assistant", 3]] });
    for (length, expected) in [(4, 4), (5, 5), (6, 5), (10, 5), (11, 11), (12, 12)] {
        let dir = tempfile::tempdir().unwrap();
        let extra = json!({ "sequenceLen": length, "excessLengthStrategy": "truncate" });
        prepare(dir.path(), std::slice::from_ref(&source), extra);
        assert_eq!(all_rows(dir.path(), "train")[0].input_ids.len(), expected, "sequence_len {length}");
    }
}

#[test]
fn packed_rows_stay_apart() {
    for sequentially in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let mut source = rows(200);
        // A row whose first token is trained: the row before it must not learn to predict it.
        source[17]["train_header"] = true.into();
        let extra = json!({ "sequenceLen": 64, "samplePacking": { "groupSize": 50, "binSize": 5, "sequentially": sequentially } });
        let report = prepare(dir.path(), &source, extra);
        let packing = report.packing.unwrap();
        let sequences = all_rows(dir.path(), "train");
        assert_eq!((packing.rows, packing.sequences), (200, sequences.len() as u64));
        assert_eq!(packing.first_tokens_masked, 1);
        let tokens: usize = sequences.iter().map(|sequence| sequence.input_ids.len()).sum();
        assert_eq!(tokens as u64, report.tokens);
        assert!((packing.efficiency - tokens as f64 / (sequences.len() * 64) as f64).abs() < 1e-9);
        let trained: usize =
            sequences.iter().flat_map(|sequence| &sequence.labels).filter(|&&label| label != -100).count();
        assert_eq!(trained as u64, report.trained_tokens);
        for sequence in &sequences {
            assert!(sequence.input_ids.len() <= 64 && sequence.sources.len() <= 5);
            let starts: Vec<u32> =
                sequence.turns.iter().filter(|turn| turn.role == "user").map(|turn| turn.start).collect();
            assert_eq!(starts.len(), sequence.sources.len());
            assert!(starts.iter().all(|&start| sequence.labels[start as usize] == -100));
            for (turn, source) in sequence.turns.iter().filter(|turn| turn.role == "assistant").zip(&sequence.sources) {
                assert_eq!(sequence.input_ids[turn.content_start as usize], 100 + source.row as i32);
            }
        }
        let mut packed: Vec<u64> =
            sequences.iter().flat_map(|sequence| sequence.sources.iter().map(|place| place.row)).collect();
        if !sequentially {
            packed.sort_unstable();
        }
        assert_eq!(packed, (0..200).collect::<Vec<_>>());
    }
}

#[test]
fn rows_without_a_trained_token_are_dropped_kept_or_too_many() {
    let source = [row(0, 2, 3), json!({ "turns": [["user", 4]] }), json!({ "turns": [["user", 5]] })];
    let dir = tempfile::tempdir().unwrap();
    let report = prepare(dir.path(), &source, json!({}));
    assert_eq!((report.rows_written, report.rows_without_trained_tokens), (1, 2));
    let report = prepare(dir.path(), &source, json!({ "untrainedRows": "keep" }));
    assert_eq!((report.rows_written, report.rows_without_trained_tokens), (3, 2));
    let prepared = Prepared::open(&dir.path().join("out"), None).unwrap();
    let filter = RowFilter { code: Some("no-trained-token".to_owned()), ..RowFilter::default() };
    assert_eq!(prepared.find("train", &filter).unwrap(), [1, 2]);
    assert_eq!(
        prepared.find("train", &RowFilter { failing: true, limit: Some(1), ..RowFilter::default() }).unwrap(),
        [1]
    );

    let file = dir.path().join("rows.jsonl");
    let error = run(&spec(dir.path(), &[file], json!({ "maxUntrainedShare": 0.5 }))).unwrap_err();
    assert_eq!((error.code, error.line), ("too-many-untrained-rows", Some(2)));
    assert_eq!(
        Prepared::open(&dir.path().join("out"), None).unwrap().report().rows_written,
        3,
        "the older output is gone"
    );
}

#[test]
fn test_datasets_are_the_split_test() {
    let dir = tempfile::tempdir().unwrap();
    let train = write(dir.path(), "train.jsonl", jsonl(&rows(30)));
    let test = write(dir.path(), "test.jsonl", jsonl(&rows(10)));
    let dataset = json!({ "name": "test", "files": [test], "encoder": { "masker": {} } });
    let report = run(&spec(dir.path(), &[train], json!({ "testDatasets": [dataset] }))).unwrap();
    assert_eq!((report.splits["train"], report.splits["test"]), (30, 10));
    assert!(all_rows(dir.path(), "test").iter().all(|row| row.sources[0].file.ends_with("test.jsonl")));
}

#[test]
fn limit_and_sample_read_part_of_each_dataset() {
    let dir = tempfile::tempdir().unwrap();
    let source = rows(500);
    let report = prepare(dir.path(), &source, json!({ "limit": 70 }));
    assert_eq!((report.rows_read, report.files[0].rows), (70, 70));
    assert_eq!(all_rows(dir.path(), "train")[69].sources[0].line, Some(70));
    let report = prepare(dir.path(), &source, json!({ "sample": 40, "seed": 7 }));
    assert_eq!(report.rows_read, 40);
    let lines: Vec<u64> = all_rows(dir.path(), "train").iter().map(|row| row.sources[0].line.unwrap()).collect();
    assert!(lines.windows(2).all(|pair| pair[0] < pair[1]) && lines[39] > 250, "{lines:?}");
}

#[test]
fn duplicates_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let source = [row(0, 2, 3), row(1, 2, 3), row(0, 2, 3), row(0, 2, 4), row(0, 2, 3)];
    assert_eq!(prepare(dir.path(), &source, json!({ "findDuplicates": true })).duplicate_rows, Some(2));
    assert_eq!(prepare(dir.path(), &source, json!({})).duplicate_rows, None);
}

#[test]
fn debug_rows_are_shown_in_full() {
    let dir = tempfile::tempdir().unwrap();
    let report = prepare(dir.path(), &rows(100), json!({ "debugRows": 2 }));
    let written = all_rows(dir.path(), "train");
    assert_eq!(report.debug.len(), 2);
    for (shown, written) in report.debug.iter().zip(&written) {
        assert_eq!(shown.tokens[0], format!("<{HEADER}>"));
        // Token texts need the tokenizer, which these tests do without.
        assert_eq!(&ShownRow { tokens: Vec::new(), ..shown.clone() }, written);
    }
}

#[test]
fn without_output_only_the_report_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let report = prepare(dir.path(), &rows(100), json!({ "output": null }));
    assert_eq!((report.rows_read, report.output), (100, None));
    assert_eq!(listing(dir.path()), ["rows.jsonl"]);
}

#[test]
fn an_older_output_is_replaced_at_the_end_only() {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path(), &rows(50), json!({}));
    let before = bytes(&dir.path().join("out"));
    let file = write(dir.path(), "bad.jsonl", format!("{}{{", jsonl(&rows(2000))));
    run(&spec(dir.path(), &[file], json!({}))).unwrap_err();
    assert_eq!(bytes(&dir.path().join("out")), before);
    prepare(dir.path(), &rows(60), json!({ "valSetSize": { "count": 5 } }));
    assert_eq!(all_rows(dir.path(), "train").len() + all_rows(dir.path(), "test").len(), 60);
    assert!(!dir.path().join("out/state.json").exists(), "files of the older output are left");
    let beside: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside.len(), 3, "{beside:?}");
}

#[test]
fn a_folder_with_other_files_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "rows.jsonl", jsonl(&rows(5)));
    fs::create_dir(dir.path().join("out")).unwrap();
    write(&dir.path().join("out"), "thesis.tex", "years of work");
    let error = run(&spec(dir.path(), std::slice::from_ref(&file), json!({}))).unwrap_err();
    assert_eq!(error.code, "output-not-replaceable");
    assert_eq!(listing(&dir.path().join("out")), ["thesis.tex"]);
    let error = run(&spec(dir.path(), std::slice::from_ref(&file), json!({ "output": { "dir": file } }))).unwrap_err();
    assert_eq!(error.code, "output-not-replaceable");
}

#[test]
fn a_run_can_be_cancelled_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "rows.jsonl", jsonl(&rows(20_000)));
    let cancel = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&cancel);
    let progress = Box::new(move |progress: &lossmask_data::Progress| {
        assert!(progress.bytes_read <= progress.bytes_total);
        switch.store(true, Ordering::Relaxed);
    });
    // The callback comes at the latest when all rows are read, before the folder appears.
    let control = Control { cancel, progress: Some(progress) };
    let error = run_controlled(&spec(dir.path(), &[file], json!({})), control).unwrap_err();
    assert_eq!(error.code, "cancelled");
    assert_eq!(listing(dir.path()), ["rows.jsonl"]);
}

#[test]
fn what_a_spec_cannot_mean_is_refused() {
    let cases = [
        json!({ "valSetSize": { "fraction": 1.0 } }),
        json!({ "valSetSize": { "count": 0 } }),
        json!({ "samplePacking": {} }),
        json!({ "sequenceLen": 0 }),
        json!({ "valSetSize": { "count": 1 }, "testDatasets": [{ "name": "t", "files": [], "encoder": { "masker": {} } }] }),
    ];
    for extra in cases {
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), "rows.jsonl", jsonl(&rows(5)));
        assert_eq!(run(&spec(dir.path(), &[file], extra.clone())).unwrap_err().code, "invalid-spec", "{extra}");
    }
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "rows.jsonl", jsonl(&rows(5)));
    let too_large = spec(dir.path(), &[file], json!({ "valSetSize": { "count": 5 } }));
    assert_eq!(run(&too_large).unwrap_err().code, "val-set-too-large");
    assert!(
        serde_json::from_value::<PipelineSpec>(
            json!({ "tokenizer": { "path": "x" }, "datasets": [], "sequencelen": 3 })
        )
        .is_err()
    );
}

#[test]
fn no_row_left_is_an_error_that_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "rows.jsonl", jsonl(&[json!({ "turns": [["user", 4]] }), json!({ "turns": [] })]));
    let error = run(&spec(dir.path(), &[file], json!({}))).unwrap_err();
    assert_eq!(error.code, "no-rows");
    assert!(error.message.contains("1 no-trained-token") && error.message.contains("1 too-short"), "{}", error.message);
    assert_eq!(listing(dir.path()), ["rows.jsonl"]);
}

#[test]
fn a_folder_that_was_changed_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Prepared::open(dir.path(), None).err().unwrap().code, "not-prepared");
    prepare(dir.path(), &rows(50), json!({}));
    let out = dir.path().join("out");
    let open = || Prepared::open(&out, None).unwrap();
    assert_eq!(open().rows("train", &[50]).unwrap_err().code, "row-out-of-range");
    assert_eq!(open().rows("test", &[0]).unwrap_err().code, "unknown-split");
    assert!(open().tokenizer_problem().is_some());
    let picked = open().rows("train", &[7, 3, 7]).unwrap();
    assert_eq!(picked.iter().map(|row| row.index).collect::<Vec<_>>(), [7, 3, 7]);
    fs::write(out.join("data-00000-of-00001.arrow"), b"no").unwrap();
    assert_eq!(open().rows("train", &[0]).unwrap_err().code, "corrupt-file");
    fs::write(out.join("lossmask/report.json"), b"{").unwrap();
    assert_eq!(Prepared::open(&out, None).err().unwrap().code, "corrupt-file");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is read, written or dropped: every row is accounted for, and figures agree with the rows written.
    #[test]
    fn every_row_is_accounted_for(
        shapes in prop::collection::vec(prop::collection::vec((0usize..3, 0usize..20), 0..6), 1..120),
        length in 4usize..40,
        strategy in 0usize..2,
        workers in 1usize..5,
    ) {
        let roles = ["user", "assistant", "media"];
        let source: Vec<Value> = shapes
            .iter()
            .map(|turns| json!({ "turns": turns.iter().map(|&(role, length)| json!([roles[role], length])).collect::<Vec<_>>() }))
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), "rows.jsonl", jsonl(&source));
        let strategy = ["drop", "truncate"][strategy];
        let extra = json!({ "sequenceLen": length, "excessLengthStrategy": strategy, "workers": workers });
        let report = match run(&spec(dir.path(), &[file], extra)) {
            Ok(report) => report,
            Err(error) => {
                prop_assert_eq!(error.code, "no-rows");
                return Ok(());
            }
        };
        prop_assert_eq!(report.rows_read as usize, source.len());
        prop_assert_eq!(report.rows_read, report.rows_written + report.dropped.values().sum::<u64>());
        let rows = all_rows(dir.path(), "train");
        prop_assert_eq!(rows.len() as u64, report.rows_written);
        let (mut tokens, mut trained) = (0, 0);
        for row in &rows {
            prop_assert!(row.input_ids.len() <= length);
            tokens += row.input_ids.len() as u64;
            trained += row.labels.iter().filter(|&&label| label != -100).count() as u64;
            for (span, next) in row.spans.iter().zip(row.spans.iter().skip(1)) {
                prop_assert_eq!(span.end, next.start);
            }
        }
        prop_assert_eq!((tokens, trained), (report.tokens, report.trained_tokens));
        prop_assert_eq!(report.kinds.values().map(|figures| figures.tokens).sum::<u64>(), tokens);
        prop_assert_eq!(report.reasons.values().sum::<u64>(), tokens);
        prop_assert_eq!(report.kinds.values().map(|figures| figures.trained).sum::<u64>(), trained);
    }
}

#[test]
fn weights_are_written_or_missed_aloud() {
    let dir = tempfile::tempdir().unwrap();
    let mut heavy = row(0, 2, 3);
    heavy["weight"] = json!(0.5);
    let report = prepare(dir.path(), &[row(1, 2, 3), heavy.clone()], json!({}));
    let missed = report.diagnostics.iter().find(|diagnosis| diagnosis.code == "weights-not-written").unwrap();
    assert_eq!((missed.rows, missed.first.line), (1, Some(2)));

    let output = json!({ "output": { "dir": dir.path().join("out"), "weights": true } });
    let report = prepare(dir.path(), &[heavy], output);
    assert!(report.diagnostics.is_empty());
    let weights = all_rows(dir.path(), "train")[0].weights.clone().unwrap();
    assert_eq!(weights, [0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5]);
}
