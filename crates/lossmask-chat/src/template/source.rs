//! The template's source, made ready for the parser.

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;

/// transformers' settings: blocks swallow the newline after them and the blanks before them.
pub(super) fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true);
    builder.build().unwrap_or_default()
}

/// The source as the parser takes it: `{% generation %}` blocks became call blocks of a private function of the same width, so that
/// every place in the source stays where it is.
pub(super) struct Prepared {
    pub source: String,
    /// The private function.
    pub function: String,
    pub generation_tags: usize,
}

/// Where a `+` gives a raw block that begins at `start` the white space that it has in jinja2: the newline behind `{% raw %}` stays, and
/// so do blanks that are all of it.
fn raw_marks(source: &str, start: usize) -> Vec<usize> {
    let opens = |tag: &str| tag.trim_end_matches(['-', '+']).ends_with("{%");
    let Some(tag) = source[..start].strip_suffix("%}") else { return Vec::new() };
    let is_raw = tag.trim_end().strip_suffix("raw").is_some_and(|tag| opens(tag.trim_end()));
    if !is_raw {
        return Vec::new();
    }
    let mut marks = vec![tag.len() - usize::from(tag.ends_with([' ', '\t']))];
    let mut ends = source[start..].match_indices("{%").map(|(at, _)| start + at);
    let is_end = |at: &usize| source[*at + 2..].trim_start_matches(['-', '+']).trim_start().starts_with("endraw");
    if let Some(end) = ends.find(is_end) {
        let body = &source[start..end];
        let default = !source[end + 2..].starts_with(['-', '+']);
        if default && !body.is_empty() && body.trim().is_empty() && !body.contains('\n') {
            marks.push(end + 2);
        }
    }
    marks
}

/// The parser knows no `generation` tag; jinja2's extension makes a call block of it, and so do we. The tags are found by the lexer, so
/// the words are left alone wherever they are text, strings or names.
pub(super) fn prepare(source: &str) -> Prepared {
    // jinja2 reads every kind of line end as `\n`.
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut tags = Vec::new();
    let mut raws = Vec::new();
    let mut opened = false;
    // An error of the lexer ends this list and is reported by the parser.
    for (token, span) in tokenize(&source, false, syntax()).map_while(Result::ok) {
        if let (true, Token::Ident(name @ ("generation" | "endgeneration"))) = (opened, &token) {
            tags.push((span.start_offset as usize, *name == "generation"));
        }
        opened = matches!(token, Token::BlockStart);
        if let Token::TemplateData(_) = token {
            raws.extend(raw_marks(&source, span.start_offset as usize));
        }
    }
    // `generation` is as long as `call __g()`.
    let letter = ('a'..='z').chain('A'..='Z').find(|c| !source.contains(&format!("__{c}"))).unwrap_or('g');
    let function = format!("__{letter}");
    for (at, opens) in &tags {
        let (old, new) = match opens {
            true => ("generation", format!("call {function}()")),
            false => ("endgeneration", format!("{:<13}", "endcall")),
        };
        source.replace_range(*at..*at + old.len(), &new);
    }
    raws.sort_unstable();
    for at in raws.into_iter().rev() {
        // A blank makes room, so that places stay where they are.
        let blank = source[at..].starts_with([' ', '\t']);
        source.replace_range(at..at + usize::from(blank), "+");
    }
    Prepared { source, function, generation_tags: tags.iter().filter(|(_, opens)| *opens).count() }
}
