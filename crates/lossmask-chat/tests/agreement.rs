//! On rows that hold no more than messages, the id scanner and the text routes give the same labels, whatever the options.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use lossmask::{EndKind, Masker, TrainOnEos, Turns, Unterminated};
use lossmask_chat::{EncodedRow, Encoder, EncoderSpec, Route, Status, Tokenizer, TokenizerSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

/// ChatML, in which an answer may also end without a marker of its own, where the next turn begins: a message says so by `open`.
const TEMPLATE: &str = "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content }}\
    {% if not m.open %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}";

const ROLES: [&str; 3] = ["system", "user", "assistant"];

static TOKENIZER: LazyLock<Arc<Tokenizer>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart/model/tokenizer.json");
    Arc::new(Tokenizer::load(&TokenizerSpec { path, added_tokens: Vec::new() }).unwrap())
});

/// The markers that end a turn. `<|im_start|>` ends one that has no `<|im_end|>`.
fn ends(own: EndKind, shared: bool) -> Value {
    let ids = |text: &str| TOKENIZER.encode_ids(text);
    let own = json!({"ids": ids("<|im_end|>"), "kind": if own == EndKind::Anchor { "anchor" } else { "consumed" }});
    let before = json!({"ids": ids("<|im_start|>"), "kind": "before"});
    if shared { json!([own, before]) } else { json!([own]) }
}

#[derive(Clone, Debug)]
struct Options {
    own: EndKind,
    shared: bool,
    include_start: bool,
    roles_to_train: Vec<&'static str>,
    train_on_eos: TrainOnEos,
    train_on_inputs: bool,
    train_on_shared_end: bool,
    turns: Turns,
    unterminated: Unterminated,
}

impl Options {
    fn spec(&self, route: Route) -> EncoderSpec {
        let ids = |text: &str| TOKENIZER.encode_ids(text);
        let boundary = |role: &str| {
            json!({"role": role, "starts": [ids(&format!("<|im_start|>{role}"))], "tails": [ids("\n")],
                "ends": ends(self.own, self.shared), "includeStart": self.include_start})
        };
        let spec = json!({
            "template": {"name": "chatml-open", "source": TEMPLATE}, "scannable": true,
            "masker": {"boundaries": ROLES.map(boundary), "rolesToTrain": self.roles_to_train},
        });
        let mut spec: EncoderSpec = serde_json::from_value(spec).unwrap();
        spec.route = route;
        spec.masker.train_on_eos = self.train_on_eos;
        spec.masker.train_on_inputs = self.train_on_inputs;
        spec.masker.train_on_shared_end = self.train_on_shared_end;
        spec.masker.turns = self.turns;
        spec.masker.unterminated = self.unterminated;
        spec
    }
}

fn options() -> impl Strategy<Value = Options> {
    let roles = vec![vec!["assistant"], vec![], vec!["user", "assistant"], vec!["system"], ROLES.to_vec()];
    (
        prop::sample::select(vec![EndKind::Consumed, EndKind::Anchor]),
        any::<bool>(),
        any::<bool>(),
        prop::sample::select(roles),
        prop::sample::select(vec![TrainOnEos::Turn, TrainOnEos::All, TrainOnEos::Last, TrainOnEos::None]),
        prop::bool::weighted(0.1),
        any::<bool>(),
        prop::sample::select(vec![Turns::All, Turns::Last]),
        prop::sample::select(vec![Unterminated::RunToEnd, Unterminated::Mask]),
    )
        .prop_map(
            |(
                own,
                shared,
                include_start,
                roles_to_train,
                train_on_eos,
                train_on_inputs,
                train_on_shared_end,
                turns,
                unterminated,
            )| Options {
                own,
                shared,
                include_start,
                roles_to_train,
                train_on_eos,
                train_on_inputs,
                train_on_shared_end,
                turns,
                unterminated,
            },
        )
}

/// Messages of any roles. Where only `<|im_end|>` ends a turn, every message has it.
fn messages(shared: bool) -> impl Strategy<Value = Vec<Value>> {
    let content = prop::sample::select(vec!["One?", "First.", "Two words", "a\nb", "Grüße, 你好", "  led by blanks"]);
    let message = (prop::sample::select(ROLES.to_vec()), content, prop::bool::weighted(0.4));
    let message = message
        .prop_map(move |(role, content, open)| json!({"role": role, "content": content, "open": open && shared}));
    prop::collection::vec(message, 1..6)
}

fn labels(row: &EncodedRow) -> Vec<i32> {
    let mut labels = vec![0; row.ids.len()];
    row.record.write_labels(&row.ids, -100, &mut labels);
    labels
}

/// Trained tokens as text, to read a failure.
fn shown(ids: &[i32], labels: &[i32]) -> String {
    let piece = |(&id, &label): (&i32, &i32)| {
        let text = TOKENIZER.decode(&[id]);
        if label == -100 { text } else { format!("[{text}]") }
    };
    ids.iter().zip(labels).map(piece).collect()
}

fn case() -> impl Strategy<Value = (Options, Vec<Value>)> {
    options().prop_flat_map(|options| messages(options.shared).prop_map(move |messages| (options.clone(), messages)))
}

/// The last answer ends where the next turn begins, with a marker that is not its own, so `last` means the end of the one before.
#[test]
fn last_passes_over_an_end_that_opens_the_next_turn() {
    let options = Options {
        own: EndKind::Consumed,
        shared: true,
        include_start: false,
        roles_to_train: vec!["assistant"],
        train_on_eos: TrainOnEos::Last,
        train_on_inputs: false,
        train_on_shared_end: false,
        turns: Turns::All,
        unterminated: Unterminated::RunToEnd,
    };
    let message = |role: &str, content: &str, open: bool| json!({"role": role, "content": content, "open": open});
    let row = json!({"messages": [
        message("user", "One?", false), message("assistant", "First.", false), message("assistant", "Second.", true),
        message("user", "Two?", false),
    ]});
    for route in [Route::Content, Route::Boundaries, Route::Auto] {
        let row = Encoder::new(options.spec(route), TOKENIZER.clone()).unwrap().encode(&row).unwrap();
        let text = shown(&row.ids, &labels(&row)).replace("][", "");
        assert_eq!(text.matches("[First.<|im_end|>]").count(), 1, "{text}");
        assert!(row.status != Status::Conflict, "{route:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_id_scanner_and_the_text_routes_give_the_same_labels((options, messages) in case()) {
        let row = json!({"messages": messages});
        for route in [Route::Content, Route::Boundaries, Route::Auto] {
            let spec = options.spec(route);
            let masker = Masker::new(&spec.masker).unwrap();
            let row = Encoder::new(spec, TOKENIZER.clone()).unwrap().encode(&row).unwrap();
            let (by_ids, by_text) = (masker.labels(&row.ids), labels(&row));
            if options.train_on_inputs {
                // Without messages the scanner trains the template's text as well.
                for at in masker.turns(&row.ids).iter().flat_map(|turn| turn.content_start..turn.end) {
                    prop_assert_eq!(by_text[at], by_ids[at], "{:?}, token {}", route, at);
                }
            } else {
                prop_assert_eq!(shown(&row.ids, &by_text), shown(&row.ids, &by_ids), "{:?}", route);
            }
            prop_assert_ne!(row.status, Status::Conflict);
        }
    }
}
