//! Every recorded expansion of the real processors: tokens, counts, grids, refusals.
//!
//! `__test__/vectors/expansion.jsonl` holds one group per line (family, parameters, a table of tokens); a case's `runs` are
//! pairs of token index and count, one list per item. `prompt` is what stood in the prompt for each item.

use lossmask_media::{Expander, Expansion, Family, MediaItem, MediaKind, Params, Size, Token};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Group {
    family: String,
    variant: String,
    prompt: String,
    params: Value,
    tokens: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    images: Vec<(u32, u32)>,
    #[serde(default)]
    videos: Vec<(u32, u32, u32, f64)>,
    #[serde(default)]
    audios: Vec<u64>,
    #[serde(default)]
    runs: Vec<Vec<u32>>,
    #[serde(default)]
    counts: Vec<u32>,
    #[serde(default)]
    grid: Map<String, Value>,
    error: Option<String>,
}

impl Case {
    fn items(&self) -> Vec<MediaItem> {
        let images = self.images.iter().map(|&(width, height)| MediaItem::image(width, height));
        let videos = self.videos.iter().map(|&(width, height, frames, fps)| MediaItem::Video {
            size: Size { width, height },
            frames,
            fps,
        });
        let audios = self.audios.iter().map(|&samples| MediaItem::Audio { samples });
        images.chain(videos).chain(audios).collect()
    }
}

fn groups() -> Vec<Group> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../__test__/vectors/expansion.jsonl");
    let text = std::fs::read_to_string(path).expect("the vectors are part of the project");
    text.lines().map(|line| serde_json::from_str(line).expect("a group per line")).collect()
}

/// Text runs carry a prefix in the vectors.
fn name(token: &Token) -> String {
    match token {
        Token::Text(text) => format!("text:{text}"),
        token => token.to_string(),
    }
}

fn flat(expansion: &Expansion, tokens: &[String]) -> Vec<u32> {
    let index =
        |token: &Token| tokens.iter().position(|known| *known == name(token)).map_or(u32::MAX, |index| index as u32);
    expansion.runs.iter().flat_map(|(token, count)| [index(token), *count]).collect()
}

fn check(group: &Group, expander: &Expander, case: &Case) -> Result<(), String> {
    let items = case.items();
    let bare = items.first().and_then(|item| expander.placeholder(item.kind())) == Some(group.prompt.as_str());
    let outcome = if bare { expander.expand(&items) } else { expander.expand_in_prompt(&items) };
    match (outcome, &case.error) {
        (Err(refused), Some(reason)) if refused.message == *reason && refused.code == "media-refused" => Ok(()),
        (Ok(expansions), None) => {
            let runs: Vec<Vec<u32>> = expansions.iter().map(|expansion| flat(expansion, &group.tokens)).collect();
            let counts: Vec<u32> = expansions.iter().map(|expansion| expansion.placeholder_count).collect();
            if runs != case.runs || counts != case.counts {
                return Err(format!("{counts:?} {:?}, expected {:?}", expansions, case.counts));
            }
            let grid = expander.grid_json(&expansions);
            if grid == case.grid { Ok(()) } else { Err(format!("grid {grid:?}, expected {:?}", case.grid)) }
        }
        (outcome, error) => Err(format!("{outcome:?}, expected {error:?}")),
    }
}

#[test]
fn every_recorded_expansion_matches() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for group in &groups() {
        let family = Family::from_name(&group.family).expect("a known family");
        let expander =
            Expander::new(family, &Params::from_value(&group.params).expect("an object")).expect("good parameters");
        for case in &group.cases {
            cases += 1;
            if let Err(difference) = check(group, &expander, case) {
                wrong.push(format!(
                    "{} {} {:?}: {}",
                    group.family,
                    group.variant,
                    case.items(),
                    &difference[..difference.len().min(400)]
                ));
            }
        }
    }
    assert_eq!(cases, 3734);
    assert!(
        wrong.is_empty(),
        "{} of {cases} differ, the first:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

/// Sizes of every order of magnitude, and what no file can be: an answer or a refusal, never a panic.
#[test]
fn any_size_gets_an_answer() {
    let sides =
        [0, 1, 2, 3, 9, 28, 99, 336, 1000, 4096, 65_535, 1 << 20, 1 << 24, (1 << 24) + 1, i32::MAX as u32, u32::MAX];
    for family in Family::ALL {
        let expander = Expander::new(*family, &Params::default()).expect("class defaults");
        for (width, height) in sides.iter().flat_map(|width| sides.iter().map(move |height| (*width, *height))) {
            let image = MediaItem::image(width, height);
            let video = MediaItem::Video { size: Size { width, height }, frames: 3, fps: 2.0 };
            for item in [image, video, MediaItem::Audio { samples: u64::from(width) * u64::from(height) }] {
                match expander.expand(&[item]) {
                    // A few samples of sound can be too short for a single feature; pixels never are.
                    Ok(expansions) => assert!(
                        expansions[0].placeholder_count > 0 || item.kind() == MediaKind::Audio,
                        "{family:?} {item:?}"
                    ),
                    Err(refused) => assert!(refused.code.starts_with("media-"), "{} {item:?}", family.name()),
                }
            }
        }
        for fps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300] {
            let item = MediaItem::Video { size: Size { width: 64, height: 64 }, frames: 4, fps };
            assert!(expander.expand(&[item]).is_err(), "{} at {fps} fps", family.name());
        }
    }
}

#[test]
fn runs_and_counts_agree() {
    for family in Family::ALL {
        let expander = Expander::new(*family, &Params::default()).expect("class defaults");
        let Some(placeholder) = expander.placeholder(MediaKind::Image) else { continue };
        for (width, height) in [(640, 480), (333, 777), (1, 1), (3000, 1000)] {
            let Ok(expansions) = expander.expand(&[MediaItem::image(width, height)]) else { continue };
            let longest = expansions[0].runs.iter().map(|(_, count)| *count).max();
            assert!(longest <= Some(expansions[0].placeholder_count), "{} {placeholder}", family.name());
            for pair in expansions[0].runs.windows(2) {
                assert_ne!(pair[0].0, pair[1].0, "{}: equal neighbours", family.name());
            }
            let mut text = String::new();
            expansions[0].write_text(&mut text);
            let expected: usize =
                expansions[0].runs.iter().map(|(token, count)| token.to_string().len() * *count as usize).sum();
            assert_eq!(text.len(), expected);
        }
    }
}
