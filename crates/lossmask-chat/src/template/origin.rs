//! Where every byte of a rendered text comes from.

use std::ops::Range;

use super::data::{Field, FieldKind, Fields};
use super::text::{Piece, TextBuf};

/// Where a stretch of the text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The template wrote it.
    Scaffold,
    /// The data holds it, byte for byte.
    Field {
        /// Index for [`Origins::field`].
        field: usize,
        /// The bytes of that string.
        range: Range<usize>,
    },
    /// It was made from the data: an escape in JSON, a number, the brackets of a list that was printed.
    Made {
        /// Index for [`Origins::field`].
        field: usize,
        /// The bytes of that string it stands for; empty where the field is no string.
        range: Range<usize>,
    },
}

/// A stretch of the text with one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Bytes of the text.
    pub bytes: Range<usize>,
    /// Where they come from.
    pub origin: Origin,
    /// The message the template was writing, as its loops tell; `None` outside of them.
    pub message: Option<usize>,
}

/// The origin of a whole text: runs that follow each other without a gap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// The runs, in order.
    pub runs: Vec<Run>,
    fields: Fields,
}

impl Origins {
    pub(super) fn new(out: &TextBuf, fields: Fields) -> Origins {
        let mut at = 0;
        let run = |piece: &Piece| {
            let bytes = at..at + piece.len as usize;
            at = bytes.end;
            let range = piece.start as usize..piece.end as usize;
            let origin = match (piece.field, piece.exact) {
                (0, _) => Origin::Scaffold,
                (field, true) => Origin::Field { field: field as usize, range },
                (field, false) => Origin::Made { field: field as usize, range },
            };
            Run { bytes, origin, message: (piece.message as usize).checked_sub(1) }
        };
        Origins { runs: out.pieces.iter().map(run).collect(), fields }
    }

    /// Where the content of a message ends in the text.
    pub(super) fn end_of_content(&self, message: usize) -> Option<usize> {
        let content = |run: &&Run| match run.origin {
            Origin::Scaffold => false,
            Origin::Field { field, .. } | Origin::Made { field, .. } => self
                .field(field)
                .is_some_and(|field| field.kind == FieldKind::Content && field.message == Some(message)),
        };
        self.runs.iter().rfind(content).map(|run| run.bytes.end)
    }

    /// Where the last words of a message end: its content, reasoning or tool calls, whichever comes last.
    pub(crate) fn end_of_message(&self, message: usize) -> Option<usize> {
        let of_message = |run: &&Run| match run.origin {
            Origin::Scaffold => false,
            Origin::Field { field, .. } | Origin::Made { field, .. } => {
                self.field(field).is_some_and(|field| field.kind != FieldKind::Role && field.message == Some(message))
            }
        };
        self.runs.iter().rfind(of_message).map(|run| run.bytes.end)
    }

    pub(super) fn truncate(&mut self, end: usize) {
        self.runs.retain(|run| run.bytes.end <= end);
    }

    /// What a run's `field` is.
    pub fn field(&self, field: usize) -> Option<&Field> {
        self.fields.get(u32::try_from(field).ok()?)
    }

    /// The path of a run's `field`: `messages[2].content`.
    pub fn path(&self, field: usize) -> String {
        u32::try_from(field).map_or_else(|_| String::new(), |field| self.fields.path(field))
    }
}
