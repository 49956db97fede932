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

/// The parser knows no `generation` tag; jinja2's extension makes a call block of it, and so do we. The tags are found by the lexer, so
/// the words are left alone wherever they are text, strings or names.
pub(super) fn prepare(source: &str) -> Prepared {
    // jinja2 reads every kind of line end as `\n`.
    let mut source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut tags = Vec::new();
    let mut opened = false;
    // An error of the lexer ends this list and is reported by the parser.
    for (token, span) in tokenize(&source, false, syntax()).map_while(Result::ok) {
        if let (true, Token::Ident(name @ ("generation" | "endgeneration"))) = (opened, &token) {
            tags.push((span.start_offset as usize, *name == "generation"));
        }
        opened = matches!(token, Token::BlockStart);
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
    Prepared { source, function, generation_tags: tags.iter().filter(|(_, opens)| *opens).count() }
}
