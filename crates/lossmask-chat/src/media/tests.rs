//! The three steps on real vocabularies; left out, visibly, where the test cache does not hold them.

use std::ops::Range;
use std::path::PathBuf;

use lossmask::{Reason, Record, Span, TokenKind, Turn};
use serde_json::{Value, json};

use super::unfold::unfold;
use super::*;
use crate::row::{EncodedRow, Status};
use crate::spec::{TemplateSpec, TokenizerSpec};
use crate::template::{RenderInput, Template};

const QWEN: &str = "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}\
    {% for part in m.content %}{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>\
    {% elif part.type == 'video' %}<|vision_start|><|video_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}{% endfor %}\
    {% endif %}<|im_end|>\n{% endfor %}";

fn tokenizer(name: &str) -> Option<Tokenizer> {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/lossmask-test");
    let cache = std::env::var_os("LOSSMASK_TEST_CACHE").map_or_else(home, PathBuf::from);
    let path = cache.join("models").join(name).join("tokenizer.json");
    if !path.exists() {
        eprintln!("left out: {} is not there", path.display());
        return None;
    }
    Some(Tokenizer::load(&TokenizerSpec { path, added_tokens: Vec::new() }).expect("a real tokenizer loads"))
}

fn step(family: &str) -> MediaStep {
    let spec = json!({ "family": family, "params": { "max_pixels": 12_845_056 } });
    MediaStep::new(&serde_json::from_value(spec).unwrap()).unwrap()
}

fn image(width: u32, height: u32) -> Value {
    json!({ "type": "image", "url": "a.png", "width": width, "height": height })
}

/// Code and path of a refusal.
type Refused = (&'static str, Option<String>);

/// What collecting makes of a row: kinds with sizes, and the messages that are left.
fn collected(row: Value) -> Result<(Vec<String>, Value), Refused> {
    let mut messages = row["messages"].as_array().cloned().unwrap();
    let paths: Vec<String> = (0..messages.len()).map(|index| format!("messages[{index}]")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let found = step("qwen2_vl").collect(&row, &mut messages, &paths).map_err(|error| (error.code, error.path))?;
    let shown = found.iter().map(|measured| match measured.item {
        MediaItem::Image(size) => format!("{} {}x{}", measured.reference, size.width, size.height),
        MediaItem::Video { size, frames, .. } => {
            format!("{} {}x{}x{frames}", measured.reference, size.width, size.height)
        }
        MediaItem::Audio { samples } => format!("{} {samples}", measured.reference),
    });
    Ok((shown.collect(), Value::Array(messages)))
}

#[test]
fn media_are_found_wherever_data_sets_put_them() {
    let bare = json!({ "type": "image" });
    let text = |text: &str| json!({ "type": "text", "text": text });
    let user = |content: Value| json!([{ "role": "user", "content": content }]);
    let sized = |name: &str| json!({ "path": name, "width": 4, "height": 3 });
    let cases: Vec<(&str, Value, Vec<&str>, Value)> = vec![
        (
            "content parts",
            json!({ "messages": user(json!([image(4, 3), text("?")])) }),
            vec!["a.png 4x3"],
            user(json!([bare, text("?")])),
        ),
        (
            "OpenAI",
            json!({ "messages": user(json!([{ "type": "image_url", "image_url": { "url": "b.png" }, "width": 2, "height": 1 }])) }),
            vec!["b.png 2x1"],
            user(json!([bare])),
        ),
        (
            "a part without a type",
            json!({ "messages": user(json!([{ "image": "c.png", "width": 2, "height": 1 }])) }),
            vec!["c.png 2x1"],
            user(json!([bare])),
        ),
        (
            "bare parts take from the column, in order",
            json!({ "messages": user(json!([bare, text("or"), bare])), "images": [sized("1.png"), sized("2.png")] }),
            vec!["1.png 4x3", "2.png 4x3"],
            user(json!([bare, text("or"), bare])),
        ),
        (
            "markers in text, as LLaVA and ShareGPT have them",
            json!({ "messages": user(json!("<image>\nor <image>?")), "images": [sized("1.png"), sized("2.png")] }),
            vec!["1.png 4x3", "2.png 4x3"],
            user(json!([bare, text("\nor "), bare, text("?")])),
        ),
        (
            "a column that nothing points to stands behind the first user message, as in axolotl",
            json!({ "messages": [{ "role": "system", "content": "S" }, { "role": "user", "content": "Q" }], "image": sized("1.png") }),
            vec!["1.png 4x3"],
            json!([{ "role": "system", "content": "S" }, { "role": "user", "content": [text("Q"), bare] }]),
        ),
        (
            "a marker without a column is text",
            json!({ "messages": user(json!("an <image> tag")) }),
            vec![],
            user(json!("an <image> tag")),
        ),
        (
            "a video with stated frames",
            json!({ "messages": user(json!([{ "type": "video", "video": "v.mp4", "width": 8, "height": 6, "frames": 4, "fps": 2 }])) }),
            vec!["v.mp4 8x6x4"],
            user(json!([{ "type": "video" }])),
        ),
    ];
    for (name, row, media, messages) in cases {
        let media: Vec<String> = media.into_iter().map(str::to_owned).collect();
        assert_eq!(collected(row), Ok((media, messages)), "{name}");
    }
}

#[test]
fn media_that_do_not_fit_are_named() {
    let user = |content: Value| json!([{ "role": "user", "content": content }]);
    let sized = json!({ "path": "1.png", "width": 4, "height": 3 });
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!({ "messages": user(json!([{ "type": "image" }])) }), "media-count", "messages[0].content[0]"),
        (
            json!({ "messages": user(json!("<image> <image>")), "images": [sized, sized, sized] }),
            "media-count",
            "images",
        ),
        (json!({ "messages": user(json!("<image>")), "images": [7] }), "media-reference", "images[0]"),
        (
            json!({ "messages": user(json!([{ "type": "image", "url": "../a.png" }])) }),
            "media-outside-root",
            "messages[0].content[0]",
        ),
        (
            json!({ "messages": user(json!([{ "type": "image", "url": "https://example.org/a.png" }])) }),
            "media-remote",
            "messages[0].content[0]",
        ),
        (
            json!({ "messages": user(json!([{ "type": "video", "video": "v.mp4" }])) }),
            "media-unmeasured",
            "messages[0].content[0]",
        ),
        (
            json!({ "messages": user(json!([{ "type": "image", "base64": "?" }])) }),
            "media-base64",
            "messages[0].content[0]",
        ),
    ];
    for (row, code, path) in cases {
        assert_eq!(collected(row.clone()), Err((code, Some(path.to_owned()))), "{row}");
    }
}

#[test]
fn without_a_family_only_text_is_encoded() {
    let step = MediaStep::new(&serde_json::from_value(json!({})).unwrap()).unwrap();
    let mut text = [json!({ "role": "user", "content": "Hi" })];
    assert_eq!(step.collect(&json!({}), &mut text, &["messages[0]"]), Ok(Vec::new()));
    assert_eq!(unexpanded(&json!({}), &text), None);
    let mut media = [json!({ "role": "user", "content": [image(4, 3)] })];
    assert_eq!(unexpanded(&json!({}), &media).map(|diagnosis| diagnosis.code), Some("media-not-expanded"));
    assert_eq!(step.collect(&json!({}), &mut media, &["messages[0]"]).unwrap_err().code, "media-family");
}

/// A row through all three steps, every token trained content before the unfolding.
fn through(
    tokenizer: &Tokenizer,
    family: &str,
    template: &str,
    messages: Value,
) -> Result<(EncodedRow, String), RowError> {
    let step = step(family);
    let mut messages = messages.as_array().cloned().unwrap();
    let paths = vec!["messages[?]"; messages.len()];
    let media = step.collect(&json!({}), &mut messages, &paths)?;
    let spec = TemplateSpec { source: template.to_owned(), ..TemplateSpec::default() };
    let input = RenderInput { messages: &messages, ..RenderInput::default() };
    let (mut rendered, mut origins) = Template::new(&spec).unwrap().render_with_origins(&input).unwrap();
    let placed = step.place(tokenizer, media, &mut rendered, &mut origins)?;
    let covered: usize = origins.runs.iter().map(|run| run.bytes.len()).sum();
    assert_eq!(covered, rendered.text.len(), "the origins still cover the text");
    let encoded = tokenizer.encode(&rendered.text);
    let spans: Vec<Range<usize>> = encoded.spans.expect("spans of a byte-level vocabulary");
    let length = encoded.ids.len();
    let all = |tokens| Span {
        tokens,
        turn: Some(0),
        kind: TokenKind::Content,
        trained: true,
        reason: Reason::Role,
        weight: 1.0,
    };
    let turn = Turn {
        role: 0,
        start: 0,
        content_start: 1,
        content_end: length - 1,
        end: length,
        trained: true,
        terminated: true,
    };
    let record = Record { roles: vec!["all".into()], turns: vec![turn], spans: vec![all(0..length)] };
    let mut row =
        EncodedRow { ids: encoded.ids, record, status: Status::Single, diagnostics: Vec::new(), media: Vec::new() };
    unfold(&mut row, Some(&spans), placed)?;
    Ok((row, rendered.text))
}

/// The ids are those of the text that the processor would tokenize, and exactly the media are not trained.
#[test]
fn a_row_unfolds_to_the_processors_ids() {
    let Some(tokenizer) = tokenizer("qwen2_5") else { return };
    let messages = json!([
        { "role": "user", "content": [image(640, 480), { "type": "text", "text": "A" }, image(333, 777)] },
        { "role": "assistant", "content": "B" },
        { "role": "user", "content": [{ "type": "text", "text": "typed <|image_pad|>" }, image(28, 28)] },
    ]);
    let (row, _) = through(&tokenizer, "qwen2_vl", QWEN, messages).unwrap();
    let pads = |count: usize| format!("<|vision_start|>{}<|vision_end|>", "<|image_pad|>".repeat(count));
    let text = format!(
        "<|im_start|>user\n{}A{}<|im_end|>\n<|im_start|>assistant\nB<|im_end|>\n<|im_start|>user\ntyped <|image_pad|>{}<|im_end|>\n",
        pads(391),
        pads(336),
        pads(4)
    );
    assert_eq!(row.ids, tokenizer.encode_ids(&text));
    assert_eq!(row.record.token_count(), row.ids.len());
    assert_eq!(
        row.record.trained_count(),
        row.ids.len() - 391 - 336 - 4,
        "the typed placeholder is left to the injection rule"
    );
    let turn = row.record.turns[0];
    assert_eq!((turn.start, turn.content_start, turn.content_end, turn.end), (0, 1, row.ids.len() - 1, row.ids.len()));
    let lengths: Vec<usize> = row.media.iter().map(|media| media.tokens.len()).collect();
    assert_eq!(lengths, [391, 336, 4]);
    let pad = tokenizer.token_to_id("<|image_pad|>").unwrap();
    for media in &row.media {
        assert!(row.ids[media.tokens.clone()].iter().all(|id| *id == pad));
        assert_eq!(media.grid.len(), 1);
    }
}

/// Gemma 3 puts line ends around an image, which fuse with the template's own.
#[test]
fn line_ends_around_media_fuse_as_for_the_processor() {
    let Some(tokenizer) = tokenizer("gemma3") else { return };
    let template = "{% for m in messages %}<start_of_turn>{{ m.role }}\n{% for part in m.content %}\
        {% if part.type == 'image' %}<start_of_image>{% else %}{{ part.text }}{% endif %}{% endfor %}<end_of_turn>\n{% endfor %}";
    let messages = json!([{ "role": "user", "content": [image(640, 480), { "type": "text", "text": "\nWhat?" }] }]);
    let (row, _) = through(&tokenizer, "gemma3", template, messages).unwrap();
    let text = format!(
        "<start_of_turn>user\n\n\n<start_of_image>{}<end_of_image>\n\n\nWhat?<end_of_turn>\n",
        "<image_soft_token>".repeat(256)
    );
    assert_eq!(row.ids, tokenizer.encode_ids(&text));
    let fused = tokenizer.encode_ids("\n\n\n");
    assert_eq!(fused.len(), 1, "this vocabulary has three line ends as one token");
    assert_eq!(row.ids[2], fused[0]);
    assert_eq!(row.media[0].tokens.len(), 258, "the fused line ends belong to their neighbours, the rest is media");
}

/// Gemma 4's placeholders are the names of the kinds between bars.
#[test]
fn a_placeholder_made_of_the_parts_type_is_the_templates() {
    let Some(tokenizer) = tokenizer("qwen2_5") else { return };
    let template = "{% for m in messages %}{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% else %}\
        {{ '<|' ~ part.type ~ '|>' }}{% endif %}{% endfor %}{% endfor %}";
    let typed = json!({ "type": "text", "text": "<|image|>" });
    let messages = json!([{ "role": "user", "content": [typed, image(64, 64), { "type": "text", "text": "image" }] }]);
    let (row, text) = through(&tokenizer, "gemma4", template, messages).unwrap();
    assert_eq!(row.media.len(), 1);
    assert!(text.starts_with("<|image|><|image><|image|>"), "the typed one stays: {text}");
}

#[test]
fn a_template_that_writes_no_placeholder_is_an_error() {
    let Some(tokenizer) = tokenizer("qwen2_5") else { return };
    let messages = json!([{ "role": "user", "content": [image(640, 480)] }]);
    let silent = "{% for m in messages %}{{ m.role }}{% endfor %}";
    let error = through(&tokenizer, "qwen2_vl", silent, messages.clone()).unwrap_err();
    assert_eq!(error.code, "media-placeholders");
    let refused = json!([{ "role": "user", "content": [image(1, 4000)] }]);
    let error = through(&tokenizer, "qwen2_vl", QWEN, refused).unwrap_err();
    assert_eq!(error.code, "media-refused");
    assert!(error.message.contains("absolute aspect ratio"), "{}", error.message);
}
