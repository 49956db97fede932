//! Templates are parsed within limits: the parser recurses over its input, and a stack that overflows ends the process.

use std::thread;

use minijinja::machinery::{Token, tokenize};

use super::ir::{Place, Program};
use super::lower::{Lowered, lower, too_deep};
use super::source::{Prepared, syntax};

/// Tokens of one tag: a chain of operators, `not`s or attributes is as deep as it is long. The longest tag known has some hundreds.
const MAX_TAG_TOKENS: usize = 10_000;
/// `elif`s of a template: the parser nests each in the one before.
const MAX_ELIFS: usize = 5_000;
/// Stack for the deepest tree that these limits leave; it is only reserved.
const STACK: usize = 256 << 20;

/// Parses and lowers a template, or says that it is nested too deep.
pub(super) fn lower_within(prepared: &Prepared, name: &str) -> Lowered<Program> {
    check(&prepared.source)?;
    thread::scope(|scope| {
        let parsing = thread::Builder::new().name("lossmask-template".to_owned()).stack_size(STACK);
        match parsing.spawn_scoped(scope, || lower(prepared, name)) {
            Ok(parsing) => parsing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // No thread to be had: the stack at hand does for any template of a real model.
            Err(_) => lower(prepared, name),
        }
    })
}

fn check(source: &str) -> Lowered<()> {
    let (mut in_tag, mut elifs, mut opened) = (0, 0, false);
    // An error of the lexer ends this list and is reported by the parser.
    for (token, span) in tokenize(source, false, syntax()).map_while(Result::ok) {
        in_tag += 1;
        match token {
            Token::BlockStart | Token::VariableStart => in_tag = 0,
            Token::Ident("elif") if opened => elifs += 1,
            _ => {}
        }
        opened = matches!(token, Token::BlockStart);
        if in_tag > MAX_TAG_TOKENS || elifs > MAX_ELIFS {
            return Err(too_deep(Some(Place { start: span.start_offset, end: span.end_offset })));
        }
    }
    Ok(())
}
