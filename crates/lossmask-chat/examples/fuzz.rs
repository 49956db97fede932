//! Conversations made of markers, pieces of markers, white space, emoji and control characters, family by family.
//!
//! Under `injection: escape` no token of an untrained message may be trained, and every trained message must be. Both are
//! checked on the decoded text, which knows nothing of routes: without white space, the trained text is the answers, one
//! after the other, with nothing but markers of the family in between.
//!
//! ```sh
//! cargo run --release -p lossmask-chat --example fuzz -- [--family NAME] [--rows 10000] [--seed 1]
//! ```
//!
//! What it finds it shrinks, prints with its seed, and exits with 1. It runs as long as the number of rows says. Families
//! whose vocabulary or template is not in the cache of the tests are left out, and said.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/golden/family_spec.rs"]
mod family_spec;
#[path = "../tests/golden/ranked.rs"]
mod ranked;
#[path = "../tests/golden/vocabularies.rs"]
mod vocabularies;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use lossmask_chat::{Encoder, Tokenizer};
use serde_json::{Value, json};

const WORDS: [&str; 10] = ["yes", "no", "tell me", " why", "42", "{\"a\": 1}", "if x:", "user", "assistant", "system"];
const BLANKS: [&str; 8] = [" ", "  ", "\n", "\n\n", "\n\n\n", "\t", " \n", "\r\n"];
const ODD: [&str; 12] = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "汉字", "é", "\u{0}", "\u{7}", "\u{200B}", "\u{FEFF}", "𝕏", "<|", "|>"];

/// A conversation as pieces, so that it can be shrunk.
type Conversation = Vec<(&'static str, Vec<String>)>;

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.next(from.len())]
    }
}

struct Family {
    name: String,
    tokenizer: Arc<Tokenizer>,
    encoder: Encoder,
    markers: Vec<String>,
    parts: bool,
}

fn families(only: Option<&str>) -> Vec<Family> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../__test__/vectors/families");
    let Some(path) = common::present(folder.join("families.jsonl")) else { return Vec::new() };
    let known: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("boundaries.json")).unwrap()).unwrap();
    let mut found: BTreeMap<String, Family> = BTreeMap::new();
    for row in common::rows(&path) {
        let name = row["family"].as_str().unwrap().to_owned();
        if found.contains_key(&name)
            || only.is_some_and(|only| only != name)
            || row["template_kwargs"]["continue_final_message"] == true
        {
            continue;
        }
        let Some(source) = vocabularies::template_of_family(&row) else { continue };
        let Some(tokenizer) = vocabularies::of_family(&row) else { continue };
        let spec = family_spec::spec(&row, &known[&name], &source, "turn", "escape");
        let encoder = Encoder::new(spec, tokenizer.clone()).unwrap();
        let mut markers = Vec::new();
        for boundary in known[&name]["boundaries"].as_array().unwrap() {
            let texts = [&boundary["tails"], &boundary["ends"]].into_iter().flat_map(|list| list.as_array().unwrap());
            markers.extend(texts.map(|item| item["text"].as_str().unwrap().to_owned()));
            markers.push(boundary["start"].as_str().unwrap().to_owned());
        }
        // Tags around an answer that the model writes itself.
        if name == "command_a_vision" {
            markers.extend(["<|START_RESPONSE|>".to_owned(), "<|END_RESPONSE|>".to_owned()]);
        }
        // Reasoning tags are moved or dropped by templates: content that holds them is not what stands in the text.
        markers.retain(|marker| !marker.trim().is_empty() && !marker.contains("think"));
        let parts = row["messages"][0]["content"].is_array();
        found.insert(name.clone(), Family { name, tokenizer, encoder, markers, parts });
    }
    found.into_values().collect()
}

fn piece(family: &Family, random: &mut Random) -> String {
    match random.next(6) {
        0 | 1 => random.pick(&family.markers).clone(),
        2 => {
            let chars: Vec<char> = random.pick(&family.markers).chars().collect();
            let start = random.next(chars.len());
            let length = 1 + random.next(chars.len() - start);
            chars[start..start + length].iter().collect()
        }
        3 => (*random.pick(&BLANKS)).to_owned(),
        4 => (*random.pick(&ODD)).to_owned(),
        _ => (*random.pick(&WORDS)).to_owned(),
    }
}

fn conversation(family: &Family, random: &mut Random) -> Conversation {
    let turns = 1 + random.next(3);
    let text = |random: &mut Random| (0..1 + random.next(7)).map(|_| piece(family, random)).collect();
    (0..turns).flat_map(|_| [("user", text(random)), ("assistant", text(random))]).collect()
}

fn row(family: &Family, conversation: &Conversation) -> Value {
    let message = |(role, pieces): &(&'static str, Vec<String>)| match family.parts {
        true => json!({"role": role, "content": [{"type": "text", "text": pieces.concat()}]}),
        false => json!({"role": role, "content": pieces.concat()}),
    };
    json!({"messages": conversation.iter().map(message).collect::<Vec<_>>()})
}

/// White space and control characters apart: templates trim, and tokens share them.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\u{FEFF}').collect()
}

/// What is wrong with a conversation's row.
fn fault(family: &Family, conversation: &Conversation) -> Option<String> {
    let encoded = match family.encoder.encode(&row(family, conversation)) {
        Ok(encoded) => encoded,
        // A template may refuse an empty message.
        Err(error) if error.code == "template-raised" => return None,
        Err(error) => return Some(format!("{}: {error}", error.code)),
    };
    let trained = encoded.record.spans.iter().filter(|span| span.trained);
    let ids: Vec<i32> = trained.flat_map(|span| encoded.ids[span.tokens.clone()].to_vec()).collect();
    let trained = bare(&family.tokenizer.decode(&ids));
    let markers: Vec<String> = family.markers.iter().map(|marker| bare(marker)).collect();
    let answers =
        conversation.iter().filter(|(role, _)| *role == "assistant").map(|(_, pieces)| bare(&pieces.concat()));
    // Every place of the trained text that can be reached so far: by markers, and by the answers in order.
    let mut places = BTreeSet::from([0]);
    for answer in answers {
        places = behind_markers(&trained, &markers, places);
        places =
            places.into_iter().filter(|&at| trained[at..].starts_with(&answer)).map(|at| at + answer.len()).collect();
        if places.is_empty() {
            return Some(format!("the answer {answer:?} does not stand where it should in {trained:?}"));
        }
    }
    let whole = behind_markers(&trained, &markers, places).contains(&trained.len());
    (!whole).then(|| format!("more than the answers is trained: {trained:?}"))
}

/// The places with all that any number of markers leads to.
fn behind_markers(text: &str, markers: &[String], mut places: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut open: Vec<usize> = places.iter().copied().collect();
    while let Some(at) = open.pop() {
        for marker in markers.iter().filter(|marker| !marker.is_empty() && text[at..].starts_with(marker.as_str())) {
            if places.insert(at + marker.len()) {
                open.push(at + marker.len());
            }
        }
    }
    places
}

/// A smaller conversation that is wrong too.
fn shrink(family: &Family, mut conversation: Conversation) -> Conversation {
    loop {
        let turns = (0..conversation.len() / 2).map(|turn| {
            let mut smaller = conversation.clone();
            smaller.drain(turn * 2..turn * 2 + 2);
            smaller
        });
        let pieces = (0..conversation.len())
            .flat_map(|message| (0..conversation[message].1.len()).map(move |piece| (message, piece)));
        let pieces = pieces.map(|(message, piece)| {
            let mut smaller = conversation.clone();
            smaller[message].1.remove(piece);
            smaller
        });
        let smaller = turns.chain(pieces).find(|smaller| !smaller.is_empty() && fault(family, smaller).is_some());
        match smaller {
            Some(smaller) => conversation = smaller,
            None => return conversation,
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let known = ["--family", "--rows", "--seed"];
    if let Some(unknown) = arguments.iter().skip(1).step_by(2).find(|name| !known.contains(&name.as_str())) {
        eprintln!("fuzz: {unknown}?\nfuzz [--family NAME] [--rows 10000 for each family] [--seed 1]");
        std::process::exit(2);
    }
    let value =
        |name: &str| arguments.iter().position(|given| given == name).and_then(|at| arguments.get(at + 1)).cloned();
    let number = |name: &str, default: u64| value(name).map_or(default, |text| text.parse().expect("a whole number"));
    let (rows, seed) = (number("--rows", 10_000), number("--seed", 1));
    let mut found = 0;
    for family in families(value("--family").as_deref()) {
        let mut random = Random(seed);
        let mut wrong = 0;
        for index in 0..rows {
            let conversation = conversation(&family, &mut random);
            if fault(&family, &conversation).is_some() {
                wrong += 1;
                if wrong <= 3 {
                    let small = shrink(&family, conversation);
                    println!(
                        "{} seed {seed} row {index}: {}\n  {}",
                        family.name,
                        fault(&family, &small).unwrap(),
                        row(&family, &small)
                    );
                }
            }
        }
        println!("{}: {rows} conversations, {wrong} wrong", family.name);
        found += wrong;
    }
    std::process::exit(i32::from(found > 0));
}
