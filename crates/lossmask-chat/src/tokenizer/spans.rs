//! Where each token stands in the text, from the tokens' own bytes.
//!
//! The tokens' bytes joined are the text: they are laid over it from left to right, and every byte is compared. Three
//! things may stand between them and are known by name: a blank that the tokenizer puts in front of a stretch of text, white
//! space that an added token swallows, and normalization. Whatever is left unproven is refused.

use std::ops::Range;

use serde_json::Value;
use tokenizers::{NormalizedString, Normalizer};

use super::Tokenizer;
use super::bytes::flatten;

/// The blank that a tokenizer puts in front of every stretch between added tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrefixSpace {
    Never,
    /// Always, also in front of a blank. (`Prepend` normalizer)
    Always,
    /// Where the stretch does not begin with a blank. (Metaspace, byte level with `add_prefix_space`)
    IfMissing,
    /// As `IfMissing`, at the start of the text only. (Metaspace, `prepend_scheme: first`)
    First,
}

impl PrefixSpace {
    /// Reads the rule from a `tokenizer.json`.
    pub(super) fn of(file: &Value) -> Self {
        let mut parts = Vec::new();
        flatten(&file["normalizer"], "normalizers", &mut parts);
        if parts.iter().any(|part| part["type"] == "Prepend") {
            return PrefixSpace::Always;
        }
        parts.clear();
        flatten(&file["pre_tokenizer"], "pretokenizers", &mut parts);
        let rule = |part: &&Value| match (part["type"].as_str()?, part["prepend_scheme"].as_str()) {
            ("Metaspace", Some("never")) => None,
            ("Metaspace", Some("first")) => Some(PrefixSpace::First),
            ("Metaspace", _) if part["add_prefix_space"] != false => Some(PrefixSpace::IfMissing),
            ("ByteLevel", _) if part["add_prefix_space"] == true => Some(PrefixSpace::IfMissing),
            _ => None,
        };
        parts.iter().find_map(rule).unwrap_or(PrefixSpace::Never)
    }

    /// Whether the first token of a stretch carries a blank that the text does not hold.
    fn is_put_before(self, stretch: &[u8], token: &[u8], at_text_start: bool) -> bool {
        token.first() == Some(&b' ')
            && match self {
                PrefixSpace::Never => false,
                PrefixSpace::Always => true,
                PrefixSpace::IfMissing => stretch.first() != Some(&b' '),
                PrefixSpace::First => at_text_start && stretch.first() != Some(&b' '),
            }
    }
}

/// The pre-tokenizer for text that does not begin a row: one that prefixes the row's start would take it for one.
pub(super) fn later_splitter(pre_tokenizer: &Value, prefix: PrefixSpace) -> Option<tokenizers::PreTokenizerWrapper> {
    fn never(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(never),
            Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| match key.as_str() {
                "prepend_scheme" => *value = "never".into(),
                _ => never(value),
            }),
            _ => {}
        }
    }
    let mut copy = (prefix == PrefixSpace::First).then(|| pre_tokenizer.clone())?;
    never(&mut copy);
    serde_json::from_value(copy).ok()
}

/// The span of every token, or `None` where the tokens cannot be proven to spell the text.
///
/// `at_start`: whether the text begins a row. `offsets`: the library's own byte offsets, asked for only when the tokens'
/// bytes are not those of the text.
pub(super) fn exact(
    tokenizer: &Tokenizer,
    text: &str,
    ids: &[i32],
    at_start: bool,
    offsets: impl FnOnce() -> Option<Vec<(usize, usize)>>,
) -> Option<Vec<Range<usize>>> {
    walk(tokenizer, text, ids, at_start).or_else(|| by_stretches(tokenizer, text, ids, at_start, &offsets()?))
}

/// Appends the spans of a stretch between added tokens. `false`: its tokens cannot be proven to spell it, and `spans` is as it was.
pub(super) fn lay(
    tokenizer: &Tokenizer,
    text: &str,
    stretch: Range<usize>,
    ids: &[i32],
    begins: bool,
    spans: &mut Vec<Range<usize>>,
) -> bool {
    let first = spans.len();
    let bytes = &text.as_bytes()[..stretch.end];
    let mut position = stretch.start;
    for (index, &id) in ids.iter().enumerate() {
        let mut token = tokenizer.bytes.get(id as u32);
        if index == 0 && tokenizer.prefix.is_put_before(&bytes[position..], token, begins) {
            token = &token[1..];
        }
        let Some(end) = spelled(bytes, position, token) else { break };
        spans.push(position..end);
        position = end;
    }
    if spans.len() - first == ids.len() && position == stretch.end {
        return true;
    }
    spans.truncate(first);
    let Some(found) = by_normalization(tokenizer, &text[stretch.clone()], ids, begins) else { return false };
    spans.extend(found.into_iter().map(|span| span.start + stretch.start..span.end + stretch.start));
    true
}

/// Lays the tokens over the text from left to right.
fn walk(tokenizer: &Tokenizer, text: &str, ids: &[i32], at_start: bool) -> Option<Vec<Range<usize>>> {
    let mut spans = Vec::with_capacity(ids.len());
    let (mut position, mut stretch_begins) = (0, true);
    for &id in ids {
        let start = position;
        let mut token = tokenizer.bytes.get(id as u32);
        if let Some(added) = tokenizer.bytes.added(id as u32) {
            if added.left {
                position += blanks(&text[position..]);
            }
            position = spelled(text.as_bytes(), position, token)?;
            if added.right {
                position += blanks(&text[position..]);
            }
            stretch_begins = true;
        } else {
            let rest = &text.as_bytes()[position..];
            if stretch_begins && tokenizer.prefix.is_put_before(rest, token, at_start && position == 0) {
                token = &token[1..];
            }
            let end = spelled(text.as_bytes(), position, token);
            stretch_begins = end.is_none();
            position = end.or_else(|| spelled(text.as_bytes(), position, tokenizer.bytes.literal(id as u32)?))?;
        }
        spans.push(start..position);
    }
    (position == text.len()).then_some(spans)
}

/// Where the text goes on after the token, if it goes on with it.
fn spelled(bytes: &[u8], at: usize, token: &[u8]) -> Option<usize> {
    bytes[at..].starts_with(token).then_some(at + token.len())
}

/// Bytes of white space at the start of the text.
fn blanks(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// For texts that normalization changes, and unknown tokens: the library says where the added tokens stand; each stretch
/// between them is proven on its own.
fn by_stretches(
    tokenizer: &Tokenizer,
    text: &str,
    ids: &[i32],
    at_start: bool,
    offsets: &[(usize, usize)],
) -> Option<Vec<Range<usize>>> {
    if offsets.len() != ids.len() {
        return None;
    }
    let is_added = |at: usize| tokenizer.bytes.added(ids[at] as u32).is_some();
    let mut spans = Vec::with_capacity(ids.len());
    let (mut token, mut position) = (0, 0);
    while token < ids.len() {
        if is_added(token) {
            let (start, end) = offsets[token];
            if start != position || end < start {
                return None;
            }
            spans.push(start..end);
            position = end;
            token += 1;
            continue;
        }
        let stop = (token..ids.len()).find(|&at| is_added(at)).unwrap_or(ids.len());
        let end = offsets.get(stop).map_or(text.len(), |offset| offset.0);
        let stretch = text.get(position..end)?;
        let begins = at_start && position == 0;
        let found = by_normalization(tokenizer, stretch, &ids[token..stop], begins)
            .or_else(|| by_offsets(tokenizer, stretch, &ids[token..stop], &offsets[token..stop], position))?;
        spans.extend(found.into_iter().map(|span| span.start + position..span.end + position));
        position = end;
        token = stop;
    }
    (position == text.len()).then_some(spans)
}

/// Lays the tokens over the normalized stretch, each of whose bytes knows where it comes from.
fn by_normalization(tokenizer: &Tokenizer, stretch: &str, ids: &[i32], at_start: bool) -> Option<Vec<Range<usize>>> {
    let (normalized, origins) = normalized(tokenizer, stretch)?;
    let mut position = 0;
    let mut spans: Vec<Range<usize>> = Vec::with_capacity(ids.len());
    for (index, &id) in ids.iter().enumerate() {
        let mut token = tokenizer.bytes.get(id as u32);
        let prefixed = tokenizer.prefix != PrefixSpace::Always && index == 0;
        if prefixed && tokenizer.prefix.is_put_before(&normalized, token, at_start) {
            token = &token[1..];
        }
        let end = spelled(&normalized, position, token)?;
        let here = origins.get(position).map_or(stretch.len(), |origin| origin.start);
        let span = origins[position..end]
            .iter()
            .cloned()
            .reduce(|all, one| all.start.min(one.start)..all.end.max(one.end))
            .unwrap_or(here..here);
        spans.push(span);
        position = end;
    }
    (position == normalized.len()).then_some(spans)
}

/// The stretch after normalization, blanks written as blanks, and for each of its bytes the original range.
fn normalized(tokenizer: &Tokenizer, stretch: &str) -> Option<(Vec<u8>, Vec<Range<usize>>)> {
    let mut string = NormalizedString::from(stretch);
    if let Some(normalizer) = tokenizer.inner.get_normalizer() {
        normalizer.normalize(&mut string).ok()?;
    }
    let mut bytes = Vec::with_capacity(string.len());
    let mut origins = Vec::with_capacity(string.len());
    let prepended = tokenizer.prefix == PrefixSpace::Always;
    let mut chars = Vec::with_capacity(string.len());
    for (at, c) in string.get().char_indices() {
        let range = tokenizers::normalizer::Range::Normalized(at..at + c.len_utf8());
        chars.push((c, if at == 0 && prepended { 0..0 } else { string.convert_offsets(range)? }));
    }
    let starts: Vec<usize> = chars.iter().skip(1).map(|(_, origin)| origin.start).chain([stretch.len()]).collect();
    for ((c, mut origin), next) in chars.into_iter().zip(starts) {
        // Characters that normalization took out belong to the one they were composed with.
        origin.end = origin.end.max(next);
        let c = if Some(c) == tokenizer.bytes.blank { ' ' } else { c };
        let mut buffer = [0; 4];
        let spelling = c.encode_utf8(&mut buffer).as_bytes();
        let unchanged = stretch.as_bytes().get(origin.clone()) == Some(spelling);
        for (offset, &byte) in spelling.iter().enumerate() {
            bytes.push(byte);
            origins.push(if unchanged { origin.start + offset..origin.start + offset + 1 } else { origin.clone() });
        }
    }
    Some((bytes, origins))
}

/// The library's own offsets, where every group of tokens that shares text spells that text, or holds an unknown token.
fn by_offsets(
    tokenizer: &Tokenizer,
    stretch: &str,
    ids: &[i32],
    offsets: &[(usize, usize)],
    base: usize,
) -> Option<Vec<Range<usize>>> {
    let spans: Vec<Range<usize>> = offsets
        .iter()
        .map(|&(start, end)| Some(start.checked_sub(base)?..end.checked_sub(base)?))
        .collect::<Option<_>>()?;
    let (mut token, mut position) = (0, 0);
    while token < ids.len() {
        let mut end = spans[token].end;
        let mut next = token + 1;
        while next < ids.len() && spans[next].start < end {
            end = end.max(spans[next].end);
            next += 1;
        }
        if spans[token].start != position {
            return None;
        }
        let group = &ids[token..next];
        let unknown = group.iter().any(|&id| Some(id as u32) == tokenizer.bytes.unknown);
        let joined: Vec<u8> = group.iter().flat_map(|&id| tokenizer.bytes.get(id as u32)).copied().collect();
        let text = stretch.get(position..end)?.as_bytes();
        let spelled = joined == text || (token == 0 && joined.strip_prefix(b" ") == Some(text));
        if !unknown && !spelled {
            return None;
        }
        position = end;
        token = next;
    }
    (position == stretch.len()).then_some(spans)
}
