//! Python's `datasets` opens what is written. Skipped, visibly, where no Python has it: `LOSSMASK_PYTHON`, else `python3`.

mod common;

use std::path::Path;
use std::process::Command;

use common::{jsonl, rows, run, spec, write};
use serde_json::{Value, json};

/// What Python says of a folder: per split the columns' types, the rows and the number of rows.
const SCRIPT: &str = r#"
import json, sys
import datasets
kind, folder = sys.argv[1:]
if kind == "arrow":
    loaded = datasets.load_from_disk(folder)
    if isinstance(loaded, datasets.Dataset):
        loaded = {"train": loaded}
elif kind == "named":
    loaded = datasets.load_dataset("parquet", data_files={"train": folder + "/data/train-*.parquet"}, cache_dir=folder + "-cache")
else:
    loaded = datasets.load_dataset(folder, cache_dir=folder + "-cache")
out = {}
for split, data in loaded.items():
    types = {name: str(getattr(feature.feature, "dtype", "nested")) for name, feature in data.features.items()}
    out[split] = {"types": types, "rows": data.to_list(), "count": len(data), "torchable": data.with_format("numpy")[0]["labels"].dtype.name}
print(json.dumps(out))
"#;

fn python() -> Option<String> {
    let python = std::env::var("LOSSMASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has =
        Command::new(&python).args(["-c", "import datasets"]).output().is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("left out: no Python with `datasets` (set LOSSMASK_PYTHON)");
    }
    has.then_some(python)
}

fn load(python: &str, kind: &str, folder: &Path) -> Value {
    let output =
        Command::new(python).args(["-c", SCRIPT, kind]).arg(folder).env("HF_HUB_OFFLINE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn prepared_rows(folder: &Path, split: &str) -> Vec<lossmask_data::ShownRow> {
    let prepared = lossmask_data::Prepared::open(folder, None).unwrap();
    prepared.rows(split, &(0..prepared.report().splits[split]).collect::<Vec<_>>()).unwrap()
}

#[test]
fn datasets_opens_every_format_and_finds_the_same_rows() {
    let Some(python) = python() else { return };
    let source = rows(3000);
    for (kind, format, split) in [
        ("arrow", "arrow", false),
        ("arrow", "arrow", true),
        ("folder", "parquet", true),
        ("named", "parquet", false),
        ("folder", "jsonl", true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        // A bad row, so that rejected.jsonl stands in the folder too.
        let file = write(dir.path(), "rows.jsonl", format!("{}{{}}\n", jsonl(&source)));
        let out = dir.path().join("out");
        let mut extra = json!({
            "onError": "skip",
            "output": { "dir": out, "format": format, "shardBytes": 100_000, "weights": true },
        });
        if split {
            extra["valSetSize"] = json!({ "fraction": 0.1 });
        }
        let report = run(&spec(dir.path(), &[file], extra)).unwrap();
        assert!(report.output.as_ref().unwrap().files.len() > 2, "one shard is no test of sharding");
        let found = load(&python, kind, &out);
        assert_eq!(
            found.as_object().unwrap().len(),
            1 + usize::from(split),
            "{format}: {:?}",
            found.as_object().unwrap().keys()
        );
        for (name, loaded) in found.as_object().unwrap() {
            assert_eq!(loaded["count"], report.splits[name], "{format} {name}");
            if format != "jsonl" {
                let types =
                    json!({ "input_ids": "int32", "labels": "int64", "attention_mask": "int8", "weights": "float32" });
                assert_eq!(loaded["types"], types, "{format}");
            }
            for (row, loaded) in prepared_rows(&out, name).iter().zip(loaded["rows"].as_array().unwrap()) {
                assert_eq!(loaded["input_ids"], json!(row.input_ids));
                assert_eq!(loaded["labels"], json!(row.labels));
                assert_eq!(loaded["attention_mask"], json!(vec![1; row.input_ids.len()]));
            }
        }
    }
}

#[test]
fn datasets_opens_packed_rows() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "rows.jsonl", jsonl(&rows(300)));
    let out = dir.path().join("out");
    run(&spec(dir.path(), &[file], json!({ "sequenceLen": 64, "samplePacking": {} }))).unwrap();
    let found = load(&python, "arrow", &out);
    let loaded = &found["train"];
    assert_eq!(loaded["types"]["position_ids"], "int64");
    for row in loaded["rows"].as_array().unwrap() {
        let lengths: Vec<i64> =
            row["seq_lengths"].as_array().unwrap().iter().map(|length| length.as_i64().unwrap()).collect();
        let positions: Vec<i64> = lengths.iter().flat_map(|&length| 0..length).collect();
        assert_eq!(row["position_ids"], json!(positions));
        assert_eq!(row["input_ids"].as_array().unwrap().len(), positions.len());
    }
}

#[test]
fn datasets_opens_media_columns() {
    let Some(python) = python() else { return };
    let mut source = rows(30);
    source[3]["images"] = json!([[640, 480], [1000, 200]]);
    for (kind, format) in [("arrow", "arrow"), ("folder", "parquet"), ("folder", "jsonl")] {
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), "rows.jsonl", jsonl(&source));
        let out = dir.path().join("out");
        let encoder = json!({ "masker": {}, "media": { "family": "qwen2_vl" } });
        let extra = json!({
            "datasets": [{ "name": "data", "files": [file], "encoder": encoder }],
            "output": { "dir": out, "format": format },
        });
        run(&spec(dir.path(), &[], extra)).unwrap();
        let found = load(&python, kind, &out);
        let rows = found["train"]["rows"].as_array().unwrap();
        assert_eq!(rows[2]["media"], json!([]), "{format}");
        let media = rows[3]["media"].as_array().unwrap();
        assert_eq!((&media[1]["kind"], &media[1]["reference"]), (&json!("image"), &json!("1.png")), "{format}");
        assert_eq!(media[0]["grid"], json!([{ "name": "image_grid_thw", "values": [1, 34, 46] }]), "{format}");
    }
}
