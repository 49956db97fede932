//! Rows with media through the whole encoder: ids as the processor's text has them, labels as the unexpanded row's.

mod common;

use std::sync::Arc;

use base64::Engine as _;
use lossmask::TokenKind;
use lossmask_chat::{EncodedRow, Encoder, EncoderSpec, RowError, Tokenizer};
use serde_json::{Value, json};

/// The family's own placeholder, as the project's template writes it.
const PAD: &str = "<|image_pad|>";

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    out.extend(width.to_be_bytes());
    out.extend(height.to_be_bytes());
    out.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    out
}

struct Fixture {
    tokenizer: Arc<Tokenizer>,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Option<Fixture> {
        let folder = tempfile::tempdir().unwrap();
        for (name, width, height) in [("a.png", 640, 480), ("b.png", 333, 777), ("thin.png", 1, 4000)] {
            std::fs::write(folder.path().join(name), png(width, height)).unwrap();
        }
        Some(Fixture { tokenizer: Arc::new(common::tokenizer("qwen2_5")?), folder })
    }

    /// `generation` takes the project's template with its tags; `segments` takes none.
    fn encoder(&self, route: &str, expands: bool) -> Encoder {
        let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/qwen2_vl.jinja"));
        let role = |role: &str| {
            let start = self.tokenizer.encode_ids(&format!("<|im_start|>{role}"));
            json!({ "role": role, "starts": [start], "tails": [[198]], "ends": [{ "ids": [151645], "kind": "consumed" }] })
        };
        let mut spec = json!({
            "template": { "name": "qwen2_vl", "source": source.expect("the project's template") },
            "masker": { "boundaries": [role("system"), role("user"), role("assistant")], "ignoreTokenIds": [151652, 151653, 151655, 151656] },
            "mediaTokenIds": [151652, 151653, 151655, 151656],
            "scannable": true,
        });
        if route == "segments" {
            spec["rowType"] = json!("input_output");
        } else {
            spec["route"] = json!(route);
        }
        if expands {
            spec["media"] =
                json!({ "family": "qwen2_vl", "params": { "max_pixels": 12_845_056 }, "root": self.folder.path() });
        }
        let spec: EncoderSpec = serde_json::from_value(spec).unwrap();
        Encoder::new(spec, Arc::clone(&self.tokenizer)).unwrap()
    }

    fn encode(&self, route: &str, row: &Value) -> Result<EncodedRow, RowError> {
        self.encoder(route, true).encode(row)
    }
}

fn image(name: &str) -> Value {
    json!({ "type": "image", "path": name })
}

fn conversation() -> Value {
    json!({ "messages": [
        { "role": "user", "content": [image("a.png"), { "type": "text", "text": "What, and what?" }, image("b.png")] },
        { "role": "assistant", "content": "One." },
        { "role": "user", "content": [{ "type": "text", "text": "And?" }, image("a.png")] },
        { "role": "assistant", "content": "\nTwo." },
    ] })
}

/// The same row with every placeholder once is encoded without media, and its ids and labels are repeated by hand.
#[test]
fn ids_and_labels_are_the_short_rows_with_its_placeholders_repeated() {
    let Some(fixture) = Fixture::new() else { return };
    let counts = [391usize, 336, 391];
    for route in ["auto", "boundaries", "content", "generation"] {
        let short = fixture.encoder(route, false).encode(&conversation()).unwrap();
        assert!(short.diagnostics.iter().any(|diagnosis| diagnosis.code == "media-not-expanded"), "{route}");
        let row = fixture.encode(route, &conversation()).unwrap();
        let pad = fixture.tokenizer.token_to_id(PAD).unwrap();
        let (mut ids, mut labels, mut images) = (Vec::new(), Vec::new(), counts.iter());
        for (id, label) in short.ids.iter().zip(common::labels(&short)) {
            let times = if *id == pad { *images.next().unwrap() } else { 1 };
            ids.extend(std::iter::repeat_n(*id, times));
            labels.extend(std::iter::repeat_n(label, times));
        }
        assert_eq!(row.ids, ids, "{route}");
        assert_eq!(common::labels(&row), labels, "{route}");
        assert!(labels.iter().any(|label| *label != -100));
        assert_eq!(row.status, short.status, "{route}");
        assert_eq!(row.record.turns.len(), short.record.turns.len());
        for (turn, before) in row.record.turns.iter().zip(&short.record.turns) {
            assert_eq!((turn.role, turn.trained, turn.terminated), (before.role, before.trained, before.terminated));
            assert_eq!(row.ids[turn.start], short.ids[before.start], "{route}");
        }
        let references: Vec<&str> = row.media.iter().map(|media| media.reference.as_str()).collect();
        assert_eq!(references, ["a.png", "b.png", "a.png"]);
        for (media, count) in row.media.iter().zip(counts) {
            assert_eq!(media.tokens.len(), count);
            assert_eq!(media.grid[0].name, "image_grid_thw");
            assert_eq!(media.grid[0].values().iter().product::<u32>() as usize, 4 * count);
            let spans = row
                .record
                .spans
                .iter()
                .filter(|span| span.tokens.start < media.tokens.end && span.tokens.end > media.tokens.start);
            assert!(spans.into_iter().all(|span| span.kind == TokenKind::Media && !span.trained), "{route}");
        }
    }
}

/// What the conversation's rendering says, as segments: ids and labels are those of the other routes.
#[test]
fn every_route_gives_the_same_row() {
    let Some(fixture) = Fixture::new() else { return };
    let picture = "<|vision_start|><|image_pad|><|vision_end|>";
    let system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";
    let first =
        format!("{system}<|im_start|>user\n{picture}What, and what?{picture}<|im_end|>\n<|im_start|>assistant\n");
    let second = format!("\n<|im_start|>user\nAnd?{picture}<|im_end|>\n<|im_start|>assistant\n");
    let segment = |label: bool, text: &str| json!({ "label": label, "text": text });
    let segments = json!({
        "segments": [
            segment(false, &first), segment(true, "One.<|im_end|>"), segment(false, ""), segment(false, &second),
            segment(true, "Two.<|im_end|>"), segment(false, "\n"),
        ],
        "images": ["a.png", "b.png", "a.png"],
    });
    let mut conversation = conversation();
    conversation["messages"][3]["content"] = json!("Two.");
    let rows = ["auto", "boundaries", "content", "generation"]
        .map(|route| fixture.encode(route, &conversation).unwrap_or_else(|error| panic!("{route}: {error:?}")));
    let by_segments = fixture.encode("segments", &segments).unwrap();
    for row in rows.iter().chain([&by_segments]) {
        assert_eq!(row.ids, rows[0].ids);
        assert_eq!(common::labels(row), common::labels(&rows[0]));
        assert_eq!(row.media, rows[0].media);
    }
    let trained: Vec<i32> = common::labels(&by_segments).into_iter().filter(|label| *label != -100).collect();
    assert_eq!(fixture.tokenizer.decode(&trained), "One.<|im_end|>Two.<|im_end|>");
}

#[test]
fn segments_and_their_media_must_match() {
    let Some(fixture) = Fixture::new() else { return };
    let row = |text: &str, images: Value| json!({ "segments": [{ "label": true, "text": text }], "images": images });
    let cases = [
        (row("no place", json!(["a.png"])), "media-placeholders"),
        (row("<|image_pad|><|image_pad|>", json!(["a.png"])), "media-placeholders"),
        (row("<|image_pad|>", json!(["none.png"])), "media-missing"),
        (row("<|image_pad|>", json!(["thin.png"])), "media-refused"),
    ];
    for (row, code) in cases {
        let error = fixture.encode("segments", &row).unwrap_err();
        assert_eq!((error.code, error.path.as_deref()), (code, Some("images[0]")), "{row}");
    }
    // Placeholders without a column are what they are: rows that somebody has expanded already.
    let expanded = fixture.encode("segments", &row(&PAD.repeat(4), json!([]))).unwrap();
    assert_eq!((expanded.ids.len(), common::labels(&expanded)), (4, vec![-100; 4]));
    let unexpanded = fixture.encoder("segments", false).encode(&row(PAD, json!(["a.png"]))).unwrap();
    assert_eq!(unexpanded.diagnostics[0].code, "media-not-expanded");
}

/// hiyouga/LlamaFactory#8402: image tokens in the loss. Not in any role, not with `train_on_inputs`.
#[test]
fn media_in_an_answer_are_not_trained() {
    let Some(fixture) = Fixture::new() else { return };
    let row = json!({ "messages": [
        { "role": "user", "content": "Draw." },
        { "role": "assistant", "content": [{ "type": "text", "text": "Here:" }, image("a.png"), { "type": "text", "text": "Done." }] },
    ] });
    for route in ["auto", "boundaries", "content", "generation"] {
        let encoded = fixture.encode(route, &row).unwrap();
        let labels = common::labels(&encoded);
        let trained: Vec<i32> = labels.iter().copied().filter(|label| *label != -100).collect();
        assert_eq!(fixture.tokenizer.decode(&trained), "Here:Done.<|im_end|>", "{route}");
    }
}

#[test]
fn a_typed_placeholder_is_text() {
    let Some(fixture) = Fixture::new() else { return };
    let text = format!("What is {PAD}?");
    let row = json!({ "messages": [
        { "role": "user", "content": [{ "type": "text", "text": text }, image("a.png")] },
        { "role": "assistant", "content": "A placeholder." },
    ] });
    let encoded = fixture.encode("auto", &row).unwrap();
    let pad = fixture.tokenizer.token_to_id(PAD).unwrap();
    assert_eq!(encoded.ids.iter().filter(|id| **id == pad).count(), 391, "as many as the model makes features");
    assert!(fixture.tokenizer.decode(&encoded.ids).contains(&text));
}

#[test]
fn bytes_columns_and_markers_give_the_same_row() {
    let Some(fixture) = Fixture::new() else { return };
    let answer = json!({ "role": "assistant", "content": "A." });
    let bytes = base64::engine::general_purpose::STANDARD.encode(png(640, 480));
    let parts = |part: Value| json!({ "messages": [{ "role": "user", "content": [part, { "type": "text", "text": "\n?" }] }, answer] });
    let marked = |row: Value| row;
    let rows = [
        parts(image("a.png")),
        parts(json!({ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{bytes}") } })),
        parts(json!({ "type": "image", "base64": bytes })),
        marked(json!({ "messages": [{ "role": "user", "content": "<image>\n?" }, answer], "images": ["a.png"] })),
        marked(
            json!({ "conversations": [{ "from": "human", "value": "<image>\n?" }, { "from": "gpt", "value": "A." }], "image": "a.png" }),
        ),
        marked(
            json!({ "messages": [{ "role": "user", "content": [{ "type": "image" }, { "type": "text", "text": "\n?" }] }, answer], "images": [{ "bytes": bytes }] }),
        ),
    ];
    let first = fixture.encode("auto", &rows[0]).unwrap();
    for row in &rows[1..] {
        let encoded = fixture.encode("auto", row).unwrap_or_else(|error| panic!("{row}: {error:?}"));
        assert_eq!(encoded.ids, first.ids, "{row}");
        assert_eq!(encoded.record, first.record, "{row}");
    }
}

#[test]
fn a_bad_file_is_a_row_error_that_names_it() {
    let Some(fixture) = Fixture::new() else { return };
    let with = |part: Value| json!({ "messages": [{ "role": "user", "content": [part] }, { "role": "assistant", "content": "A." }] });
    let cases = [
        (with(image("none.png")), "media-missing", "none.png"),
        (with(image("../a.png")), "media-", "a.png"),
        (with(image("thin.png")), "media-refused", "thin.png"),
        (with(json!({ "type": "image", "url": "https://example.org/a.png" })), "media-remote", "example.org"),
        (with(json!({ "type": "audio", "path": "a.png" })), "media-", "a.png"),
    ];
    for (row, code, name) in cases {
        let error = fixture.encode("auto", &row).unwrap_err();
        assert!(error.code.starts_with(code) && error.message.contains(name), "{error:?}");
        assert_eq!(error.path.as_deref(), Some("messages[0].content[0]"), "{error:?}");
    }
}
