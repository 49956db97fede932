//! Added tokens, which are cut out of a text before anything else sees it. The rules are those of `tokenizers`' added vocabulary.

use std::collections::HashSet;
use std::ops::Range;

use super::normalizer::Normalizer;
use aho_corasick::{AhoCorasick, MatchKind};

/// The added tokens that are looked for.
pub(super) struct AddedTokens {
    /// Looked for in the text as it is, and then in the normalized stretches between those.
    literal: Option<Finder>,
    normalized: Option<Finder>,
}

struct Finder {
    automaton: AhoCorasick,
    tokens: Vec<Rules>,
}

#[derive(Clone, Copy)]
struct Rules {
    id: i32,
    lstrip: bool,
    rstrip: bool,
    single_word: bool,
}

/// A part of a text: an added token, or what lies between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    /// With the white space that an added token takes from its neighbours.
    pub(super) bytes: Range<usize>,
    pub(super) added: Option<i32>,
}

impl AddedTokens {
    /// All added tokens but those in `without`; `None` where they cannot be looked for as the reference does.
    pub(super) fn new(inner: &tokenizers::Tokenizer, normalizer: Normalizer, without: &HashSet<i32>) -> Option<Self> {
        let (mut literal, mut normalized) = (Vec::new(), Vec::new());
        for (&id, token) in inner.get_added_vocabulary().get_added_tokens_decoder() {
            let rules =
                Rules { id: id as i32, lstrip: token.lstrip, rstrip: token.rstrip, single_word: token.single_word };
            match token.normalized {
                _ if without.contains(&rules.id) => {}
                true => normalized.push((normalizer.apply(&token.content).into_owned(), rules)),
                false => literal.push((token.content.clone(), rules)),
            }
        }
        Some(AddedTokens { literal: Finder::new(literal)?, normalized: Finder::new(normalized)? })
    }

    /// Cuts out the tokens that are looked for in the text as it is.
    pub(super) fn split_literal(&self, text: &str, parts: &mut Vec<Part>) {
        split(self.literal.as_ref(), text, parts);
    }

    /// Cuts a normalized stretch. `false`: it holds none of them, and `parts` is as it was.
    pub(super) fn split_normalized(&self, stretch: &str, parts: &mut Vec<Part>) -> bool {
        let found = self.normalized.as_ref().is_some_and(|finder| finder.automaton.is_match(stretch));
        if found {
            split(self.normalized.as_ref(), stretch, parts);
        }
        found
    }
}

impl Finder {
    /// `None` on the outside: no automaton can be built. On the inside: there is nothing to look for.
    fn new(mut tokens: Vec<(String, Rules)>) -> Option<Option<Self>> {
        if tokens.is_empty() {
            return Some(None);
        }
        tokens.sort_by_key(|(_, rules)| rules.id);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(tokens.iter().map(|(text, _)| text.as_bytes()))
            .ok()?;
        Some(Some(Finder { automaton, tokens: tokens.into_iter().map(|(_, rules)| rules).collect() }))
    }
}

fn split(finder: Option<&Finder>, text: &str, parts: &mut Vec<Part>) {
    let mut done = 0;
    for found in finder.into_iter().flat_map(|finder| finder.automaton.find_iter(text)) {
        let rules = finder.map(|finder| finder.tokens[found.pattern().as_usize()]);
        let Some(rules) = rules else { continue };
        let (mut start, mut end) = (found.start(), found.end());
        if rules.single_word && !(ends_apart(&text[..start]) && begins_apart(&text[end..])) {
            continue;
        }
        if rules.lstrip {
            // White space that the token before took already stays with it.
            start = text[..start].trim_end().len().max(done);
        }
        if rules.rstrip {
            end = text.len() - text[end..].trim_start().len();
        }
        if done < start {
            parts.push(Part { bytes: done..start, added: None });
        }
        parts.push(Part { bytes: start..end, added: Some(rules.id) });
        done = end;
    }
    if done < text.len() {
        parts.push(Part { bytes: done..text.len(), added: None });
    }
}

fn ends_apart(text: &str) -> bool {
    !text.chars().next_back().is_some_and(is_word)
}

fn begins_apart(text: &str) -> bool {
    !text.chars().next().is_some_and(is_word)
}

/// `\w` as the reference's regular expressions have it.
fn is_word(c: char) -> bool {
    regex_syntax::is_word_character(c)
}
