//! Holds the fast engine to `tokenizers` 0.23, ids and spans, over the lines of files and over hostile texts, and times both.
//!
//! ```sh
//! cargo run --release -p lossmask-chat --example engines -- [--hostile MEGABYTES] [--models a,b] [--time] FILE...
//! ```
//!
//! Every file's lines are joined to texts of some 2 kB. A difference is printed as the shortest text that shows it, and the exit
//! code is 1.

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/hostile.rs"]
mod hostile;

use std::time::{Duration, Instant};

use lossmask_chat::Tokenizer;

struct Options {
    hostile: usize,
    models: Vec<String>,
    time: bool,
    every: bool,
    files: Vec<String>,
}

fn options() -> Options {
    let mut options = Options { hostile: 0, models: Vec::new(), time: false, every: false, files: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{argument} needs a value"));
        match &*argument {
            "--hostile" => options.hostile = value().parse().expect("a number of megabytes"),
            "--models" => options.models = value().split(',').map(str::to_owned).collect(),
            "--every-character" => options.every = true,
            "--time" => options.time = true,
            _ => options.files.push(argument),
        }
    }
    if options.models.is_empty() {
        options.models = hostile::MODELS.map(str::to_owned).to_vec();
    }
    options
}

/// Lines joined to texts of some 2 kB.
fn texts_of(file: &str) -> Vec<String> {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut texts = vec![String::new()];
    for line in String::from_utf8_lossy(&bytes).split_inclusive('\n') {
        if texts.last().is_some_and(|text| text.len() > 2000) {
            texts.push(String::new());
        }
        texts.last_mut().expect("one at least").push_str(line);
    }
    texts
}

/// Compares; gives the number of texts that differ.
fn compare(name: &str, tokenizer: &Tokenizer, texts: impl Iterator<Item = String>) -> usize {
    let (mut bytes, mut count, mut wrong) = (0, 0, 0);
    for text in texts {
        bytes += text.len();
        count += 1;
        if tokenizer.encode(&text) != tokenizer.encode_by_library(&text) {
            wrong += 1;
            if wrong <= 3 {
                let shortest =
                    hostile::shrink(&text, |text| tokenizer.encode(text) != tokenizer.encode_by_library(text));
                println!("{name}: {shortest:?}");
                println!("  engine    {:?}", tokenizer.encode(&shortest));
                println!("  reference {:?}", tokenizer.encode_by_library(&shortest));
            }
        }
    }
    println!("{name} ({}): {count} texts, {:.1} MB, {wrong} differ", tokenizer.engine(), bytes as f64 / 1e6);
    wrong
}

/// Every character beside letters, digits, signs and blanks: the ranges of those that are cut in another way.
fn every_character(name: &str, tokenizer: &Tokenizer) -> usize {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    let mut wrong = 0;
    for c in '\0'..=char::MAX {
        let text = format!("a{c}a {c}1{c}1,{c}.'{c}s {c} \n{c}\nA{c}{c}b{c}");
        if tokenizer.encode(&text) == tokenizer.encode_by_library(&text) {
            continue;
        }
        wrong += 1;
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == c as u32 => *last += 1,
            _ => ranges.push((c as u32, c as u32)),
        }
    }
    println!("{name}: {wrong} characters differ: {ranges:X?}");
    wrong
}

fn time(name: &str, model: &str, texts: &[String]) {
    let run = |work: &mut dyn FnMut(&str) -> usize| {
        let start = Instant::now();
        let tokens: usize = texts.iter().map(|text| work(text)).sum();
        (tokens, start.elapsed())
    };
    let bytes: usize = texts.iter().map(String::len).sum();
    let tokenizer = common::tokenizer(model).expect("it was there before");
    let cold = run(&mut |text| tokenizer.encode_ids(text).len());
    let warm = run(&mut |text| tokenizer.encode_ids(text).len());
    let spans = run(&mut |text| tokenizer.encode(text).ids.len());
    let few = &texts[..texts.len().div_ceil(10)];
    let start = Instant::now();
    let reference: usize = few.iter().map(|text| tokenizer.encode_by_library(text).ids.len()).sum();
    let reference = (reference, start.elapsed());
    let nanos = |(tokens, time): (usize, Duration)| time.as_nanos() as f64 / tokens as f64;
    println!(
        "{name}: {} tokens, {:.2} bytes each; ns a token: cold {:.1}, warm {:.1}, with spans {:.1}, 0.23 with spans {:.0}: {:.1} times",
        cold.0,
        bytes as f64 / cold.0 as f64,
        nanos(cold),
        nanos(warm),
        nanos(spans),
        nanos(reference),
        nanos(reference) / nanos(spans)
    );
}

fn main() {
    let options = options();
    let texts: Vec<String> = options.files.iter().flat_map(|file| texts_of(file)).collect();
    let mut wrong = 0;
    for model in &options.models {
        let start = Instant::now();
        let Some(tokenizer) = common::tokenizer(model) else { continue };
        let loaded = start.elapsed();
        if options.time {
            println!("{model}: {} ({} ms to load)", tokenizer.engine(), loaded.as_millis());
            time(model, model, &texts);
            continue;
        }
        wrong += compare(model, &tokenizer, texts.iter().cloned());
        if options.every {
            wrong += every_character(model, &tokenizer);
        }
        if options.hostile > 0 {
            wrong += compare(model, &tokenizer, hostile::texts(&tokenizer, options.hostile * 1_000_000));
        }
    }
    std::process::exit(i32::from(wrong > 0));
}
