//! Expansions per second on one core, per family, checked against the recorded answers before they are timed.
//!
//! `cargo bench -p lossmask-media --bench expand`

use std::hint::black_box;
use std::time::{Duration, Instant};

use lossmask_media::{Expander, Family, MediaItem, Params};
use serde_json::Value;

/// The recorded single images of a group that the processor accepts, with their counts.
fn images(group: &Value) -> Vec<(MediaItem, u32)> {
    let cases = group["cases"].as_array().into_iter().flatten();
    let single = cases
        .filter(|case| case["images"].as_array().is_some_and(|images| images.len() == 1) && case["counts"].is_array());
    let side = |value: &Value| value.as_u64().unwrap_or(0) as u32;
    single
        .map(|case| {
            (MediaItem::image(side(&case["images"][0][0]), side(&case["images"][0][1])), side(&case["counts"][0]))
        })
        .collect()
}

fn main() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../__test__/vectors/expansion.jsonl");
    let text = std::fs::read_to_string(path).expect("the vectors are part of the project");
    println!("{:<24} {:<22} {:>14} {:>16}", "family", "variant", "sizes", "expansions/s");
    for group in text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a group per line")) {
        let items = images(&group);
        if items.is_empty() {
            continue;
        }
        let (name, variant) = (group["family"].as_str().unwrap_or(""), group["variant"].as_str().unwrap_or(""));
        let params = Params::from_value(&group["params"]).expect("an object");
        let expander =
            Expander::new(Family::from_name(name).expect("a known family"), &params).expect("good parameters");
        for (item, count) in &items {
            assert_eq!(
                expander.expand(std::slice::from_ref(item)).expect("accepted")[0].placeholder_count,
                *count,
                "{name} {item:?}"
            );
        }
        let mut done = 0u64;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            for (item, _) in &items {
                black_box(expander.expand(black_box(std::slice::from_ref(item)))).ok();
            }
            done += items.len() as u64;
        }
        println!("{name:<24} {variant:<22} {:>14} {:>16.0}", items.len(), done as f64 / begun.elapsed().as_secs_f64());
    }
}
