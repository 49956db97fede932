//! What is told about a template that cannot be read or rendered.

use std::fmt::{self, Write};

use super::fault::Fault;
use super::ir::Place;
use super::lower::SyntaxFault;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// The template is no Jinja.
    Syntax,
    /// The template called `raise_exception`: it refuses this conversation.
    Raised,
    /// An expression has no value: a missing field, a text added to a list.
    Failed,
    /// Its expressions or blocks are nested deeper than any Python can run.
    TooDeep,
    /// It does more, or makes more text, than one row may cost.
    TooCostly,
}

/// Why a template gives no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// What went wrong.
    pub kind: TemplateErrorKind,
    /// The template's name.
    pub template: String,
    /// In the words of jinja2 or of the template itself.
    pub message: String,
    /// Line in the template, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// The lines around the place, the place marked by carets.
    pub listing: String,
}

impl TemplateError {
    /// The stable code, documented in `docs/diagnostics.md`.
    pub fn code(&self) -> &'static str {
        match self.kind {
            TemplateErrorKind::Syntax => "template-syntax",
            TemplateErrorKind::Raised => "template-raised",
            TemplateErrorKind::Failed => "template-failed",
            TemplateErrorKind::TooDeep => "template-too-deep",
            TemplateErrorKind::TooCostly => "template-too-costly",
        }
    }

    pub(super) fn syntax(fault: SyntaxFault, template: &str, source: &str) -> TemplateError {
        let place = fault.place.or_else(|| Some(line_place(source, fault.line?)));
        let kind = if fault.too_deep { TemplateErrorKind::TooDeep } else { TemplateErrorKind::Syntax };
        TemplateError::at(kind, fault.message, place, template, source)
    }

    pub(super) fn fault(fault: Fault, template: &str, source: &str) -> TemplateError {
        let kind = match (fault.raised, fault.costly) {
            (true, _) => TemplateErrorKind::Raised,
            (_, true) => TemplateErrorKind::TooCostly,
            _ => TemplateErrorKind::Failed,
        };
        TemplateError::at(kind, fault.message, fault.place, template, source)
    }

    fn at(
        kind: TemplateErrorKind,
        message: String,
        place: Option<Place>,
        template: &str,
        source: &str,
    ) -> TemplateError {
        let spot = place.map(|place| Spot::find(source, place));
        TemplateError {
            kind,
            template: template.to_owned(),
            message,
            line: spot.as_ref().map(|spot| spot.line),
            column: spot.as_ref().map(|spot| spot.column),
            listing: spot.map_or_else(String::new, |spot| spot.listing(source)),
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)?;
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if !self.listing.is_empty() {
            write!(f, "\n{}", self.listing)?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

/// Where a place begins, and how much of its line it takes.
struct Spot {
    line: usize,
    column: usize,
    width: usize,
}

fn line_place(source: &str, line: usize) -> Place {
    let start = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    Place { start: start as u32, end: start as u32 }
}

impl Spot {
    fn find(source: &str, place: Place) -> Spot {
        let clamp =
            |at: u32| (0..=source.len().min(at as usize)).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0);
        let (start, end) = (clamp(place.start), clamp(place.end.max(place.start)));
        let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
        Spot {
            line: source[..start].matches('\n').count() + 1,
            column: source[line_start..start].chars().count() + 1,
            width: source[start..end.min(line_end).max(start)].chars().count().max(1),
        }
    }

    /// Two lines before, the line, the carets, one line after; long lines are cut around the place.
    fn listing(&self, source: &str) -> String {
        const WIDTH: usize = 120;
        let from = self.column.saturating_sub(WIDTH / 2);
        let mut out = String::new();
        for (number, line) in source.lines().enumerate().map(|(at, line)| (at + 1, line)) {
            if number + 2 < self.line || number > self.line + 1 {
                continue;
            }
            let cut: String = line.chars().skip(from).take(WIDTH).collect();
            let _ = writeln!(out, "{number:>5} | {cut}");
            if number == self.line {
                let blanks = " ".repeat(self.column - 1 - from.min(self.column - 1));
                let carets = "^".repeat(self.width.min(WIDTH.saturating_sub(blanks.len()).max(1)));
                let _ = writeln!(out, "      | {blanks}{carets}");
            }
        }
        out.truncate(out.trim_end().len());
        out
    }
}
