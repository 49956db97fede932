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
    group("instruction", takes).finish(1500);
}
