//! Tags as chat templates write them: which open something, which close it, and which stand alone.

use std::ops::Range;

/// What a tag does, by its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `<think>`, `<|tool_call>`, `<|tool_calls_begin|>`, `[THINK]`.
    Open,
    /// `</think>`, `<tool_call|>`, `<|tool_calls_end|>`, `[/THINK]`.
    Close,
    /// `<|call|>`, `<|end|>`, `</s>`.
    Single,
}

/// A tag in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub bytes: Range<usize>,
    pub form: Form,
    /// What it opens or closes, without the word that says which.
    pub name: &'a str,
}

const BARS: [char; 2] = ['|', '｜'];
const JOINTS: [char; 4] = ['_', ':', '-', '▁'];

/// The tags of a text, from left to right.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(open) = text[at..].find(['<', '[']).map(|open| at + open) {
            at = open + 1;
            if let Some(tag) = tag_at(text, open) {
                at = tag.bytes.end;
                return Some(tag);
            }
        }
        None
    })
}

fn tag_at(text: &str, open: usize) -> Option<Tag<'_>> {
    let square = text[open..].starts_with('[');
    let rest = &text[open + 1..];
    let len =
        rest.find(['<', '[', '>', ']', '\n']).filter(|&end| rest[end..].starts_with(if square { ']' } else { '>' }))?;
    let inner = &rest[..len];
    let bytes = open..open + len + 2;
    let letter = |c: char| c.is_alphanumeric() || BARS.contains(&c) || JOINTS.contains(&c) || "/=. \"".contains(c);
    let named = inner == inner.trim() && inner.chars().all(letter) && inner.chars().any(char::is_alphabetic);
    // In square brackets anybody writes anything; as a tag it is written in capitals.
    if !named || (square && inner.chars().any(char::is_lowercase)) {
        return None;
    }
    let (form, name) = form_of(inner);
    Some(Tag { bytes, form, name })
}

fn form_of(inner: &str) -> (Form, &str) {
    if let Some(name) = inner.strip_prefix('/') {
        return (if name == "s" { Form::Single } else { Form::Close }, name);
    }
    let first = inner.strip_prefix(BARS);
    let last = inner.strip_suffix(BARS);
    match (first, last) {
        (Some(name), None) => (Form::Open, name),
        (None, Some(name)) => (Form::Close, name),
        (Some(name), Some(_)) => paired(name.strip_suffix(BARS).unwrap_or(name)),
        (None, None) => match inner.split(['=', ' ']).next() {
            Some("s" | "bos" | "eos" | "pad" | "unk") => (Form::Single, inner),
            Some(name) => match paired(name) {
                (Form::Single, name) => (Form::Open, name),
                worded => worded,
            },
            None => (Form::Single, inner),
        },
    }
}

/// `tool_calls_begin` opens, `end_of_thought` closes, `call` does neither.
fn paired(name: &str) -> (Form, &str) {
    let words = [("start", Form::Open), ("begin", Form::Open), ("end", Form::Close)];
    for (word, form) in words {
        let is_word = |text: &str| text.eq_ignore_ascii_case(word);
        let rest = match (name.split_once(JOINTS), name.rsplit_once(JOINTS)) {
            (Some((first, rest)), _) if is_word(first) => rest,
            (_, Some((rest, last))) if is_word(last) => rest,
            _ => continue,
        };
        return (
            form,
            rest.strip_prefix("of_").or(rest.strip_prefix("OF_")).or(rest.strip_prefix("of▁")).unwrap_or(rest),
        );
    }
    (Form::Single, name)
}

/// Where what a message says ends in the text between it and what another message says: behind the tags that close what it opened, and a
/// tag that closes nothing, if more follows it (`<|call|>`). The rest heads the other message.
pub(super) fn closing(gap: &str) -> usize {
    let mut end = None;
    let mut found = tags(gap).peekable();
    while let Some(tag) = found.next() {
        match tag.form {
            Form::Close => end = Some(tag.bytes.end),
            Form::Single if found.peek().is_some() => return tag.bytes.end,
            Form::Single | Form::Open => return end.unwrap_or(tag.bytes.start),
        }
    }
    end.unwrap_or_else(|| gap.find(char::is_whitespace).unwrap_or(gap.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let table = [
            ("<think>", Form::Open, "think"),
            ("</think>", Form::Close, "think"),
            ("<|tool_call>", Form::Open, "tool_call"),
            ("<tool_call|>", Form::Close, "tool_call"),
            ("<|tool_calls_begin|>", Form::Open, "tool_calls"),
            ("<｜tool▁calls▁end｜>", Form::Close, "tool▁calls"),
            ("<|tool_call:begin|>", Form::Open, "tool_call"),
            ("<|START_ACTION|>", Form::Open, "ACTION"),
            ("<|END_ACTION|>", Form::Close, "ACTION"),
            ("<|begin_of_thought|>", Form::Open, "thought"),
            ("<end_of_turn>", Form::Close, "turn"),
            ("<|im_end|>", Form::Close, "im"),
            ("<|call|>", Form::Single, "call"),
            ("<|end|>", Form::Single, "end"),
            ("</s>", Form::Single, "s"),
            ("[THINK]", Form::Open, "THINK"),
            ("[/THINK]", Form::Close, "THINK"),
            ("<function=get>", Form::Open, "function"),
        ];
        for (text, form, name) in table {
            assert_eq!(tags(text).collect::<Vec<_>>(), [Tag { bytes: 0..text.len(), form, name }], "{text}");
        }
        for text in ["<|\"|>", "a < b > c", "[1]", "[citation]", "<>", "x<y"] {
            assert_eq!(tags(text).count(), 0, "{text}");
        }
    }

    #[test]
    fn what_follows_an_answer_is_divided() {
        let table = [
            ("}<tool_call|>", "<|tool_response>response:f{value:"),
            ("}</tool_call>", "<|observation|>\n"),
            ("}<|tool_call:end|><|calls|>", "<|begin|>tool<|tool_response|>"),
            ("}<|eot|>", "<|header_start|>ipython<|header_end|>\n\n"),
            ("}\n</tool_call><|im_end|>", "\n<|im_start|>user\n<tool_response>\n"),
            ("\"}", "\nObservation: "),
            ("}", "[TOOL_RESULTS]"),
        ];
        for (own, next) in table {
            assert_eq!(closing(&format!("{own}{next}")), own.len(), "{own}{next}");
        }
    }
}
