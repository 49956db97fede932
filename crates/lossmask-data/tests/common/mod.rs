//! Runs the pipeline over rows of ids, so that what is expected can be written down by hand.
#![allow(dead_code)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lossmask::{Reason, Record, Span, TokenKind, Turn};
use lossmask_chat::{EncodedRow, RowError, RowMedia, Status};
use lossmask_data::{Control, DataError, PipelineSpec, Report, RowEncoder, run_with};
use lossmask_media::{Expander, Family, MediaItem, MediaKind, Params};
use serde_json::{Value, json};

/// `{"turns": [["user", 5], ["assistant", 7]]}`: turns of a header, so many content tokens, and an end marker. Content
/// tokens count up from 100 by the row's `id`. The assistant is trained.
pub struct TurnsEncoder;

pub const HEADER: i32 = 1;
pub const END: i32 = 2;
pub const MEDIA: i32 = 3;

impl RowEncoder for TurnsEncoder {
    fn encode(&self, row: &Value) -> Result<EncodedRow, RowError> {
        let missing = |path: &str| RowError {
            code: "missing-field",
            path: Some(path.to_owned()),
            message: "the field is missing".to_owned(),
            hint: None,
        };
        let turns = row["turns"].as_array().ok_or_else(|| missing("turns"))?;
        assert!(row["panic"].is_null(), "told to panic");
        let base = 100 + row["id"].as_i64().unwrap_or(0) as i32;
        let mut ids = Vec::new();
        let mut record = Record { roles: vec![Arc::from("user"), Arc::from("assistant")], ..Record::default() };
        for (index, turn) in turns.iter().enumerate() {
            // In columns a turn is the struct {"0": role, "1": length}: Arrow has no lists of mixed types.
            let (role, length) = if turn.is_object() { (&turn["0"], &turn["1"]) } else { (&turn[0], &turn[1]) };
            let role = role.as_str().ok_or_else(|| missing("turns[].role"))?;
            let length = length.as_u64().ok_or_else(|| missing("turns[].length"))? as usize;
            let trained = role == "assistant";
            let start = ids.len();
            ids.push(HEADER);
            match role {
                "media" => ids.extend(std::iter::repeat_n(MEDIA, length)),
                _ => ids.extend((0..length as i32).map(|offset| base + offset)),
            }
            ids.push(END);
            let (content_start, content_end, end) = (start + 1, start + 1 + length, ids.len());
            let mut span = |tokens: std::ops::Range<usize>, kind, trained: bool, reason| {
                if !tokens.is_empty() {
                    let weight = if trained { row["weight"].as_f64().unwrap_or(1.0) as f32 } else { 0.0 };
                    record.spans.push(Span { tokens, turn: Some(index as u32), kind, trained, reason, weight });
                }
            };
            let all = row["train_header"].as_bool().unwrap_or(false);
            span(start..content_start, TokenKind::Header, all, if all { Reason::IncludeStart } else { Reason::Header });
            let kind = if role == "media" { TokenKind::Media } else { TokenKind::Content };
            let reason = if trained { Reason::Role } else { Reason::RoleNotTrained };
            span(content_start..content_end, kind, trained, reason);
            span(
                content_end..end,
                TokenKind::End,
                trained,
                if trained { Reason::TrainOnEos } else { Reason::EndNotTrained },
            );
            let role = u32::from(trained);
            record.turns.push(Turn { role, start, content_start, content_end, end, trained, terminated: true });
        }
        Ok(EncodedRow { ids, record, status: Status::Single, diagnostics: Vec::new(), media: media(row) })
    }

    fn token_texts(&self, ids: &[i32]) -> Vec<String> {
        ids.iter().map(|id| format!("<{id}>")).collect()
    }
}

/// The row's `images`, a list of `[width, height]`, as a Qwen2-VL processor counts them.
fn media(row: &Value) -> Vec<RowMedia> {
    let expander = Expander::new(Family::Qwen2Vl, &Params::from_value(&json!({})).unwrap()).unwrap();
    let images = row["images"].as_array().into_iter().flatten().enumerate();
    let media = images.map(|(index, size)| {
        let (width, height) = (size[0].as_u64().unwrap() as u32, size[1].as_u64().unwrap() as u32);
        let grid = expander.expand(&[MediaItem::image(width, height)]).unwrap().remove(0).grid;
        RowMedia { kind: MediaKind::Image, reference: format!("{index}.png"), tokens: 1..2, grid }
    });
    media.collect()
}

/// A row of one user and one assistant turn.
pub fn row(id: usize, user: usize, assistant: usize) -> Value {
    json!({ "id": id, "turns": [["user", user], ["assistant", assistant]] })
}

/// Rows of many lengths.
pub fn rows(count: usize) -> Vec<Value> {
    (0..count).map(|id| row(id, id * 7 % 13, 1 + id * 5 % 29)).collect()
}

pub fn jsonl(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

pub fn write(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    std::fs::File::create(&path).unwrap().write_all(bytes.as_ref()).unwrap();
    path
}

/// A spec over `files` that writes to `dir/out`, with the keys of `extra` laid over it.
pub fn spec(dir: &Path, files: &[PathBuf], extra: Value) -> PipelineSpec {
    let mut spec = json!({
        "tokenizer": { "path": "none" },
        "datasets": [{ "name": "data", "files": files, "encoder": { "masker": {} } }],
        "output": { "dir": dir.join("out") },
        "workers": 3,
    });
    for (key, value) in extra.as_object().unwrap() {
        spec[key] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

pub fn run(spec: &PipelineSpec) -> Result<Report, DataError> {
    run_controlled(spec, Control::default())
}

pub fn run_controlled(spec: &PipelineSpec, control: Control) -> Result<Report, DataError> {
    let encoders: Vec<&dyn RowEncoder> =
        spec.datasets.iter().chain(&spec.test_datasets).map(|_| &TurnsEncoder as _).collect();
    run_with(spec, &encoders, control)
}

/// What stands in a folder, names relative to it and in order.
pub fn listing(dir: &Path) -> Vec<String> {
    fn walk(dir: &Path, base: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, base, out);
            } else {
                out.push(path.strip_prefix(base).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let mut out = Vec::new();
    walk(dir, dir, &mut out);
    out.sort();
    out
}
