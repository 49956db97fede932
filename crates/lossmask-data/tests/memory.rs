//! Memory does not grow with the input. Not part of the normal run, since it writes gigabytes:
//! `LOSSMASK_ROWS=1000000 cargo test --release -p lossmask-data --test memory -- --ignored --nocapture`

mod common;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use common::{row, run, spec};
use serde_json::json;

/// Peak resident memory of this process in MB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn prepare(dir: &Path, rows: usize, extra: &serde_json::Value) -> (u64, f64) {
    let file = dir.join("rows.jsonl");
    let mut out = BufWriter::new(File::create(&file).unwrap());
    for id in 0..rows {
        writeln!(out, "{}", row(id % 1000, id * 7 % 130, 1 + id * 5 % 290)).unwrap();
    }
    out.into_inner().unwrap();
    let report = run(&spec(dir, &[file], extra.clone())).unwrap();
    assert_eq!(report.rows_written, rows as u64);
    (report.tokens, report.timing.wall)
}

#[test]
#[ignore = "writes gigabytes"]
fn a_hundred_times_the_rows_take_no_more_memory() {
    let rows: usize = std::env::var("LOSSMASK_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let packing = json!({ "sequenceLen": 2048, "samplePacking": {}, "valSetSize": { "fraction": 0.01 } });
    for extra in [json!({}), packing] {
        let mut peaks = Vec::new();
        for rows in [rows / 100, rows] {
            let dir = tempfile::tempdir().unwrap();
            let (tokens, seconds) = prepare(dir.path(), rows, &extra);
            println!("{rows} rows, {tokens} tokens, {seconds:.1} s: peak {:?} MB ({extra})", peak());
            peaks.extend(peak());
        }
        if let [small, large] = peaks[..] {
            assert!(large < small + 100, "{small} MB for a hundredth of the rows, {large} MB for all");
        }
    }
}
