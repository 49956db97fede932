//! Rows of declared formats against those that axolotl 0.19 and TRL 1.16 make, to the last token: `__test__/vectors/formats.jsonl.gz`.
//! Where the peer is at fault and the right answer is known, that one counts.

#[path = "../common/mod.rs"]
mod common;
mod judge;
mod setup;

use judge::Tally;

/// Every row of a group whose type the test takes; the rest is counted by its own group's test.
fn group(name: &str, takes: impl Fn(&setup::Case) -> bool) -> Tally {
    let mut tally = Tally::new(name);
    for case in setup::cases().iter().filter(|case| takes(case)) {
        tally.judge(case);
    }
    tally
}

#[test]
fn instruction_formats_are_axolotls() {
    const TYPES: [&str; 15] = [
        "alpaca",
        "alpaca_chat",
        "alpaca_instruct",
        "alpaca_w_system",
        "orcamini",
        "jeopardy",
        "oasst",
        "gpteacher",
        "summarizetldr",
        "explainchoice",
        "concisechoice",
        "reflection",
        "context_qa",
        "creative_acr",
        "metharme",
    ];
    let takes = |case: &setup::Case| {
        let named = case.kind.as_str().is_some_and(|kind| TYPES.contains(&kind.split([':', '.']).next().unwrap()));
        case.is_sft() && !case.has_ready_tokens() && (named || case.kind.is_object())
    };
    group("instruction", takes).finish(1900);
}

#[test]
fn completions_are_axolotls() {
    let takes = |case: &setup::Case| case.is_sft() && case.kind == "completion" && !case.has_ready_tokens();
    group("completion", takes).finish(200);
}

#[test]
fn pygmalion_conversations_are_axolotls() {
    group("pygmalion", |case| case.is_sft() && case.kind == "pygmalion").finish(106);
}

#[test]
fn ready_tokens_stay_as_they_are() {
    let trl = |case: &setup::Case| case.source == "trl" && case.kind == "sft";
    // With a type of its own, axolotl reads rows by that unless all three columns are there.
    let named = |case: &setup::Case| !case.kind.is_null() && case.record["error"].is_string();
    group("ready tokens", |case| case.has_ready_tokens() && (trl(case) || case.is_sft() && !named(case))).finish(15);
}

#[test]
fn texts_are_trls() {
    let takes = |case: &setup::Case| case.trl_type() == Some("text");
    group("text", takes).finish(200);
}

#[test]
fn prompts_and_completions_are_trls() {
    let takes = |case: &setup::Case| case.trl_type() == Some("prompt_completion");
    group("prompt and completion", takes).finish(300);
}
