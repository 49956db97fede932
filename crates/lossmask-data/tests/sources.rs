//! Data files: every format read alike, every fault with its code and place.

// Lists of ranges, some of which have one.
#![allow(clippy::single_range_in_vec_init)]

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder, StructBuilder};
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field};
use common::{jsonl, listing, row, rows, run, spec, write};
use lossmask_data::{DataError, Report};
use serde_json::{Value, json};

/// The data files' rows as a run reads them.
fn read(dir: &Path, file: &Path, extra: Value) -> Result<Report, DataError> {
    let spec = spec(dir, &[file.to_owned()], extra);
    run(&spec)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        writer.start_file(*name, stored).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Numbers of the rows that are read of a dataset of 30, 0 and 5 rows in three files.
fn parts(parts: Value, extra: Value) -> (Vec<u64>, Report) {
    let dir = tempfile::tempdir().unwrap();
    let all = rows(35);
    let files: Vec<PathBuf> = [("a.jsonl", &all[..30]), ("b.json", &[]), ("c.jsonl", &all[30..])]
        .map(|(name, rows)| write(dir.path(), name, if rows.is_empty() { "[]".to_owned() } else { jsonl(rows) }))
        .into();
    let mut value = json!({ "untrainedRows": "keep", "minSampleLen": 0, "output": { "dir": dir.path().join("out"), "format": "jsonl" } });
    for (key, item) in extra.as_object().unwrap() {
        value[key] = item.clone();
    }
    let mut spec = spec(dir.path(), &files, value);
    spec.datasets[0].parts = serde_json::from_value(parts).unwrap();
    let report = run(&spec).unwrap();
    let lengths: Vec<usize> = all.iter().map(|row| row["turns"].to_string().len()).collect();
    assert_eq!(lengths.len(), 35);
    let ids = prepared_rows(dir.path()).iter().map(|row| row["input_ids"].as_array().unwrap().len() as u64).collect();
    (ids, report)
}

#[test]
fn parts_choose_rows_across_files() {
    let (all, _) = parts(json!([]), json!({}));
    assert_eq!(all.len(), 35);
    let pick = |ranges: &[std::ops::Range<usize>]| -> Vec<u64> {
        ranges.iter().flat_map(|range| all[range.clone()].to_vec()).collect()
    };
    let cases = [
        (json!([{ "files": 3, "to": 5 }]), json!({}), pick(&[0..5])),
        (json!([{ "files": 3, "from": 28, "to": 32 }]), json!({}), pick(&[28..32])),
        (json!([{ "files": 3, "from": -7 }]), json!({}), pick(&[28..35])),
        (json!([{ "files": 3, "to": 20, "unit": "percent" }]), json!({}), pick(&[0..7])),
        (json!([{ "files": 3, "from": 90, "unit": "percent" }]), json!({}), pick(&[32..35])),
        (json!([{ "files": 1, "from": 28 }, { "files": 2, "to": 2 }]), json!({}), pick(&[28..32])),
        (json!([{ "files": 1, "from": 28 }, { "files": 2, "to": 2 }]), json!({ "limit": 3 }), pick(&[28..31])),
        (json!([{ "files": 1, "to": 2 }, { "files": 2 }]), json!({ "sample": 100 }), pick(&[0..2, 30..35])),
        (json!([{ "files": 3, "from": 4 }]), json!({ "sample": 100, "limit": 2 }), pick(&[4..6])),
    ];
    for (spec, extra, expected) in cases {
        let (found, report) = parts(spec.clone(), extra.clone());
        assert_eq!(found, expected, "{spec} {extra}");
        assert_eq!(report.rows_read, expected.len() as u64, "{spec} {extra}");
        assert_eq!(report.files.iter().map(|file| file.rows).sum::<u64>(), expected.len() as u64, "{spec} {extra}");
    }
}

fn prepared_rows(dir: &Path) -> Vec<Value> {
    let text = fs::read_to_string(dir.join("out/data/train-00000-of-00001.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn text_in_any_form_gives_the_same_rows() {
    let rows = rows(150);
    let lines = jsonl(&rows);
    let array = Value::Array(rows.clone());
    let crlf = lines.replace('\n', "\r\n");
    let blank_lines = format!("\n \n{}\n\n", lines.replace('\n', "\n\n"));
    let two_members = [gzip(&lines.as_bytes()[..1000]), gzip(&lines.as_bytes()[1000..])].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("plain.jsonl", lines.clone().into()),
        ("no_newline_at_end.jsonl", lines.trim_end().into()),
        ("byte_order_mark.jsonl", format!("\u{feff}{lines}").into()),
        ("crlf.jsonl", crlf.into()),
        ("blank_lines.jsonl", blank_lines.into()),
        ("lines.json", lines.clone().into()),
        ("compact.json", array.to_string().into()),
        ("pretty.json", format!("\u{feff}  {}\n", serde_json::to_string_pretty(&array).unwrap()).into()),
        ("no_extension", lines.clone().into()),
        ("zipped.jsonl.gz", gzip(lines.as_bytes())),
        ("two_members.jsonl.gz", two_members),
        ("array.json.gz", gzip(array.to_string().as_bytes())),
        ("named_without_gz.jsonl", gzip(lines.as_bytes())),
        ("zstd.jsonl.zst", zstd::encode_all(lines.as_bytes(), 1).unwrap()),
        ("bzip2.jsonl.bz2", bzip2(lines.as_bytes())),
        ("xz.jsonl.xz", xz(lines.as_bytes())),
        ("two_members.jsonl.xz", [xz(&lines.as_bytes()[..1000]), xz(&lines.as_bytes()[1000..])].concat()),
        ("stored.zip", zip(&[("folder/", b""), ("folder/rows.jsonl", lines.as_bytes()), ("__MACOSX/x", b"x")])),
    ];
    let mut expected = None;
    for (name, bytes) in cases {
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), name, bytes);
        let output = json!({ "output": { "dir": dir.path().join("out"), "format": "jsonl" } });
        let report = read(dir.path(), &file, output).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.rows_read, 150, "{name}");
        let found = prepared_rows(dir.path());
        assert_eq!(&found, expected.get_or_insert_with(|| found.clone()), "{name}");
    }
}

#[test]
fn columns_give_the_rows_they_were_made_from() {
    let dir = tempfile::tempdir().unwrap();
    let rows = rows(150);
    let batch = turns_batch(&rows);
    let arrow = dir.path().join("rows.arrow");
    let mut writer = FileWriter::try_new(fs::File::create(&arrow).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let stream = dir.path().join("stream.arrow");
    let mut writer = StreamWriter::try_new(fs::File::create(&stream).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch.slice(0, 100)).unwrap();
    writer.write(&batch.slice(100, 50)).unwrap();
    writer.finish().unwrap();
    let parquet = dir.path().join("rows.parquet");
    let file = fs::File::create(&parquet).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let text = write(dir.path(), "rows.jsonl", jsonl(&rows));

    let mut expected = None;
    for file in [text, arrow, stream, parquet] {
        let output = json!({ "output": { "dir": dir.path().join("out"), "format": "jsonl" } });
        let report = read(dir.path(), &file, output).unwrap();
        assert_eq!(report.rows_read, 150);
        assert_eq!(report.files[0].rows, 150);
        let found = prepared_rows(dir.path());
        assert_eq!(&found, expected.get_or_insert_with(|| found.clone()), "{}", file.display());
    }
}

/// `id` and `turns`, the turns as `[role, length]` in text: lists of mixed types have no Arrow type.
fn turns_batch(rows: &[Value]) -> RecordBatch {
    let fields = vec![Field::new("0", DataType::Utf8, true), Field::new("1", DataType::Int64, true)];
    let mut turns = ListBuilder::new(StructBuilder::new(
        fields,
        vec![Box::new(StringBuilder::new()), Box::new(Int64Builder::new())],
    ));
    let mut ids = Vec::new();
    for row in rows {
        ids.push(row["id"].as_i64().unwrap());
        for turn in row["turns"].as_array().unwrap() {
            let turns = turns.values();
            turns.field_builder::<StringBuilder>(0).unwrap().append_value(turn[0].as_str().unwrap());
            turns.field_builder::<Int64Builder>(1).unwrap().append_value(turn[1].as_i64().unwrap());
            turns.append(true);
        }
        turns.append(true);
    }
    let ids: ArrayRef = Arc::new(Int64Array::from(ids));
    let turns: ArrayRef = Arc::new(turns.finish());
    assert_eq!(ids.len(), turns.len());
    RecordBatch::try_from_iter([("id", ids), ("turns", turns)]).unwrap()
}

/// A fault: the file's name and bytes, and the code, line and column of the answer.
struct Fault {
    name: &'static str,
    bytes: Vec<u8>,
    code: &'static str,
    line: Option<u64>,
    column: Option<u64>,
}

fn faults() -> Vec<Fault> {
    let good = jsonl(&rows(3));
    let fault = |name, bytes: &[u8], code, line, column| Fault { name, bytes: bytes.to_vec(), code, line, column };
    let after_good = |bad: &[u8]| [good.as_bytes(), bad, b"\n", good.as_bytes()].concat();
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 12].to_vec();
    vec![
        fault("corrupt.jsonl", &after_good(br#"{"turns": [["user" 3]]}"#), "invalid-json", Some(4), Some(20)),
        fault("cut_line.jsonl", &after_good(br#"{"turns": [["user", 3]"#), "invalid-json", Some(4), Some(22)),
        fault("missing_field.jsonl", &after_good(br#"{"messages": []}"#), "missing-field", Some(4), None),
        fault("not_an_object.jsonl", &after_good(b"[1, 2]"), "row-not-an-object", Some(4), None),
        fault("a_string.jsonl", b"\"text\"\n", "row-not-an-object", Some(1), None),
        fault(
            "deep.jsonl",
            &after_good(&[b"[".repeat(100_000), b"]".repeat(100_000)].concat()),
            "invalid-json",
            Some(4),
            None,
        ),
        fault("invalid_utf8.jsonl", &after_good(b"{\"turns\": \"\xff\"}"), "invalid-utf8", Some(4), Some(12)),
        fault("latin1.jsonl", &after_good(b"{\"turns\": \"caf\xe9\"}"), "invalid-utf8", Some(4), Some(15)),
        fault("utf16.jsonl", b"\xff\xfe{\0}\0", "invalid-utf8", None, None),
        fault("empty.jsonl", b"", "empty-file", None, None),
        fault("blank.jsonl", b"\n  \n\n", "empty-file", None, None),
        fault("empty.jsonl.gz", &gzip(b""), "empty-file", None, None),
        fault("cut.jsonl.gz", &cut(gzip(&good.as_bytes().repeat(50))), "corrupt-file", None, None),
        fault(
            "cut.jsonl.zst",
            &cut(zstd::encode_all(&*good.as_bytes().repeat(50), 1).unwrap()),
            "corrupt-file",
            None,
            None,
        ),
        fault("bzip.jsonl.bz2", b"BZh91AY&SY", "corrupt-file", Some(1), None),
        fault("archive.zip", b"PK\x03\x04....", "corrupt-file", None, None),
        fault("several.zip", &zip(&[("a.jsonl", b"{}"), ("b.jsonl", b"{}")]), "unsupported-compression", None, None),
        fault("photo.jpeg", b"\xff\xd8\xff\xe0....", "unknown-format", None, None),
        fault("not.parquet", good.as_bytes(), "wrong-format", None, None),
        fault("not.arrow", good.as_bytes(), "wrong-format", None, None),
        fault("parquet.jsonl", b"PAR1....PAR1", "wrong-format", None, None),
        fault("cut.parquet", b"PAR1\x15\x00\x15\x10PAR1", "corrupt-file", None, None),
        fault("cut.arrow", b"ARROW1\0\0\xff\xff\xff\xff", "corrupt-file", None, None),
        fault("open.json", b"[\n{\"turns\": []},\n", "invalid-json", Some(3), None),
        fault("more.json", b"[]\n{}", "invalid-json", Some(2), None),
        fault("comma.json", b"[{\"turns\": []} {\"turns\": []}]", "invalid-json", Some(1), None),
        fault("bad_item.json", b"[\n{\"turns\": [[\"user\", 3]]},\n{\"turns\" 1}]", "invalid-json", Some(3), None),
    ]
}

#[test]
fn every_fault_is_named_with_its_place_and_leaves_nothing() {
    for Fault { name, bytes, code, line, column } in faults() {
        let dir = tempfile::tempdir().unwrap();
        let file = write(dir.path(), name, bytes);
        let error = read(dir.path(), &file, json!({})).expect_err(name);
        assert_eq!(error.code, code, "{name}: {error}");
        assert_eq!(error.file.as_deref(), Some(file.as_path()), "{name}");
        assert_eq!(error.line, line.or(error.line), "{name}: {error}");
        assert_eq!(error.column, column.or(error.column), "{name}: {error}");
        assert!(error.hint.is_some() || code == "missing-field", "{name} has no hint");
        assert_eq!(listing(dir.path()), [name], "something is left behind");
    }
}

#[test]
fn bad_rows_are_skipped_counted_and_kept_with_their_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut lines: Vec<String> = rows(300).iter().map(Value::to_string).collect();
    lines[7] = "{\"turns\": [".to_owned();
    lines[99] = json!({ "turns": [["user", "three"]] }).to_string();
    lines[250] = json!({ "turns": [], "panic": true }).to_string();
    let file = write(dir.path(), "rows.jsonl", lines.join("\n"));
    let report = read(dir.path(), &file, json!({ "onError": "skip" })).unwrap();
    assert_eq!((report.rows_read, report.rows_written), (300, 297));
    let codes: Vec<_> = report.rejected.iter().map(|(code, &count)| (code.as_str(), count)).collect();
    assert_eq!(codes, [("internal-error", 1), ("invalid-json", 1), ("missing-field", 1)]);
    let rejected = fs::read_to_string(dir.path().join("out/rejected.jsonl")).unwrap();
    let rejected: Vec<Value> = rejected.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejected.iter().map(|row| row["line"].as_u64().unwrap()).collect::<Vec<_>>(), [8, 100, 251]);
    assert_eq!(rejected[0]["raw"], lines[7]);
    assert_eq!(rejected[1]["path"], "turns[].length");
}

#[test]
fn a_line_beyond_the_limit_is_read_over() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rows.jsonl");
    let mut out = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    writeln!(out, "{}", row(0, 3, 3)).unwrap();
    write!(out, "{{\"turns\": \"").unwrap();
    (0..50).for_each(|_| out.write_all(&[b'a'; 1 << 20]).unwrap());
    writeln!(out, "\"}}\n{}", row(1, 3, 3)).unwrap();
    drop(out);

    let error = read(dir.path(), &file, json!({})).unwrap_err();
    assert_eq!((error.code, error.line), ("row-too-large", Some(2)));
    let report = read(dir.path(), &file, json!({ "onError": "skip" })).unwrap();
    assert_eq!((report.rows_written, report.rejected["row-too-large"]), (2, 1));
    // Within the limit the same line is a row like any other.
    let error = read(dir.path(), &file, json!({ "maxRowBytes": 60 << 20 })).unwrap_err();
    assert_eq!((error.code, error.line), ("missing-field", Some(2)));
}

#[test]
fn what_is_no_file_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("folder");
    fs::create_dir(&folder).unwrap();
    assert_eq!(read(dir.path(), &folder, json!({})).unwrap_err().code, "is-a-directory");
    let missing: PathBuf = dir.path().join("missing.jsonl");
    assert_eq!(read(dir.path(), &missing, json!({})).unwrap_err().code, "file-not-found");
}
