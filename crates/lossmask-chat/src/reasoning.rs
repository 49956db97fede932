//! The tags around reasoning: the one table that every module asks.

use std::ops::Range;

/// A pair of tags that models and templates write around reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tags {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
    /// Whether axolotl's `split_thinking` looks for it.
    pub(crate) split: bool,
    /// Whether the closing tag closes nothing but reasoning, so that it says by itself what is in front of it.
    pub(crate) own_close: bool,
}

const fn tags(open: &'static str, close: &'static str) -> Tags {
    Tags { open, close, split: false, own_close: true }
}

const fn split(open: &'static str, close: &'static str) -> Tags {
    Tags { split: true, ..tags(open, close) }
}

/// Those of `split_thinking` first, in axolotl's order.
pub(crate) const REASONING_TAGS: [Tags; 13] = [
    split("<think>", "</think>"),
    split("<reasoning>", "</reasoning>"),
    split("<|begin_of_thought|>", "<|end_of_thought|>"),
    tags("<thinking>", "</thinking>"),
    tags("<thought>", "</thought>"),
    tags("<seed:think>", "</seed:think>"),
    tags("<mm:think>", "</mm:think>"),
    tags("[THINK]", "[/THINK]"),
    tags("<|START_THINKING|>", "<|END_THINKING|>"),
    tags("<|inner_prefix|>", "<|inner_suffix|>"),
    tags("<|channel>thought", "<channel|>"),
    Tags { own_close: false, ..tags("<|channel|>analysis", "<|end|>") },
    Tags { own_close: false, ..tags("<|think|>", "<|end|>") },
];

/// The bytes of reasoning inside a content, tags included. A text may begin within its reasoning: templates open it in the header.
pub(crate) fn inline(content: &str) -> Option<Range<usize>> {
    REASONING_TAGS.iter().find_map(|tags| {
        let open = content.find(tags.open);
        let close = content.find(tags.close).filter(|_| open.is_some() || tags.own_close)?;
        let start = open.filter(|&start| start < close + tags.close.len()).unwrap_or(0);
        Some(start..close + tags.close.len())
    })
}

/// Where reasoning is opened in a text and not closed again.
pub(crate) fn left_open(text: &str) -> Option<usize> {
    let open = |tags: &Tags| text.rfind(tags.open).filter(|at| !text[*at..].contains(tags.close));
    REASONING_TAGS.iter().filter_map(open).max()
}

/// Where the last closing tag in a text ends.
pub(crate) fn last_close(text: &str) -> Option<usize> {
    let close = |tags: &Tags| text.rfind(tags.close).map(|at| at + tags.close.len());
    REASONING_TAGS.iter().filter(|tags| tags.own_close || text.contains(tags.open)).filter_map(close).max()
}

/// Whether any opening tag is in a text.
pub(crate) fn opens(text: &str) -> bool {
    REASONING_TAGS.iter().any(|tags| text.contains(tags.open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_found_closed_and_open() {
        for Tags { open, close, own_close, .. } in REASONING_TAGS {
            let whole = format!("a{open}b{close}c");
            assert_eq!(inline(&whole), Some(1..whole.len() - 1), "{whole}");
            assert_eq!(left_open(&whole), None, "{whole}");
            assert_eq!(last_close(&whole), Some(whole.len() - 1), "{whole}");
            assert_eq!(left_open(&format!("a{open}b")), Some(1), "{open}");
            assert_eq!(inline(&format!("b{close}c")).is_some(), own_close, "{close}");
        }
    }
}
