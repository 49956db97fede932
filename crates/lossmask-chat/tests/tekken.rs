//! `tekken.json`: the same ids as mistral-common's.

mod common;

use std::process::Command;

use lossmask_chat::{Tokenizer, TokenizerSpec};

fn tekken(name: &str) -> Option<Tokenizer> {
    let path = common::present(common::cache().join("tekken").join(name))?;
    Some(Tokenizer::load(&TokenizerSpec { path, added_tokens: Vec::new() }).unwrap())
}

#[test]
fn control_tokens_have_their_names() {
    let Some(tokenizer) = tekken("tekken_240911.json") else { return };
    assert_eq!(tokenizer.vocabulary_size(), 131072);
    assert_eq!(tokenizer.token_to_id("[INST]"), Some(3));
    assert_eq!(tokenizer.encode_ids("<s>[INST]"), [1, 3]);
    assert_eq!(tokenizer.token_to_id("[SYSTEM_PROMPT]"), Some(17));
    assert_eq!(tokenizer.token_to_id("<SPECIAL_999>"), Some(999));
}

/// Texts for both: ordinary, and made of what byte-pair encoders disagree on.
fn texts() -> Vec<String> {
    let pieces = [
        "Hello",
        " world",
        "\n\n",
        "\t",
        "  ",
        "é",
        "汉字",
        "🫠",
        "aaaa",
        "ABCdef",
        "123456",
        "...",
        "/*",
        "*/",
        "http://",
        "\r\n",
        "ß",
        "İ",
        "ẋ̣",
        "_",
        "    ",
        "\u{0}",
        "def f(x):",
        "don't",
        "ﬁ",
    ];
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    (0..400).map(|_| (0..next() % 14).map(|_| pieces[next() % pieces.len()]).collect()).collect()
}

#[test]
fn ids_are_those_of_mistral_common() {
    let python = std::env::var("LOSSMASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = Command::new(&python)
        .args(["-c", "import mistral_common"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("left out: {python} has no mistral_common");
        return;
    }
    let script = "import json,sys\nfrom mistral_common.tokens.tokenizers.tekken import Tekkenizer\n\
        t=Tekkenizer.from_file(sys.argv[1])\nprint(json.dumps([t.encode(s,bos=False,eos=False) for s in json.loads(sys.argv[2])]))";
    for name in ["tekken_240718.json", "tekken_240911.json"] {
        let Some(tokenizer) = tekken(name) else { continue };
        let texts = texts();
        let json = serde_json::to_string(&texts).unwrap();
        let path = common::cache().join("tekken").join(name);
        let output = Command::new(&python).args(["-c", script]).arg(path).arg(json).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let expected: Vec<Vec<i32>> = serde_json::from_slice(&output.stdout).unwrap();
        for (text, expected) in texts.iter().zip(expected) {
            let encoded = tokenizer.encode(text);
            assert_eq!(encoded.ids, expected, "{text:?}");
            assert!(encoded.spans.is_some(), "{text:?}");
        }
    }
}
