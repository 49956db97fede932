//! Strings that know where each of their bytes comes from.
//!
//! Every string a template handles is a [`Text`]: the characters, and beside them the pieces they are made of. Slicing, stripping,
//! splitting and joining carry the pieces along, so the origin of the rendered text is known without guessing.

use std::ops::Range;
use std::sync::Arc;

use super::budget;

/// Index into the table of fields; 0 stands for the template itself.
pub(super) type FieldId = u32;

/// A stretch of a [`Text`] with one origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Length in the text, in bytes.
    pub len: u32,
    /// The field, or 0.
    pub field: FieldId,
    /// First byte in the field.
    pub start: u32,
    /// End in the field.
    pub end: u32,
    /// Whether the bytes are those of the field, one for one; otherwise they were made from them (an escape, a number).
    pub exact: bool,
    /// 1 + the message that was being written when the piece was written; 0: none.
    pub message: u32,
}

impl Piece {
    pub fn template(len: usize, message: u32) -> Piece {
        Piece { len: len as u32, field: 0, start: 0, end: 0, exact: false, message }
    }

    pub fn made(len: usize, field: FieldId, source: Range<usize>, message: u32) -> Piece {
        Piece { len: len as u32, field, start: source.start as u32, end: source.end as u32, exact: false, message }
    }

    pub fn exact(len: usize, field: FieldId) -> Piece {
        Piece { len: len as u32, field, start: 0, end: len as u32, exact: field != 0, message: 0 }
    }

    /// Appends `next` where the two are one stretch of a field. The template's own pieces stay apart: they are what its author wrote as
    /// a unit, mostly whole tags.
    fn merge(&mut self, next: &Piece) -> bool {
        let same = self.field == next.field && self.message == next.message && self.exact == next.exact;
        let adjacent = self.end == next.start || (self.start == self.end && next.start == next.end);
        if self.field == 0 || !same || !adjacent {
            return false;
        }
        self.len += next.len;
        self.end = next.end;
        true
    }

    /// The part of the piece between two of its byte offsets.
    fn cut(&self, from: u32, to: u32) -> Piece {
        let mut piece = *self;
        piece.len = to - from;
        if self.exact {
            piece.start = self.start + from;
            piece.end = self.start + to;
        }
        piece
    }
}

#[derive(Clone, Debug)]
enum Pieces {
    One(Piece),
    Many(Arc<[Piece]>),
}

/// An immutable string with the origin of its bytes.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: Arc<str>,
    pieces: Pieces,
    /// markupsafe's `Markup`, which the `safe` and `escape` filters give: what is added to it with `+` is escaped.
    pub markup: bool,
}

impl Text {
    /// A string that stands in the template.
    pub fn template(text: Arc<str>) -> Text {
        let piece = Piece::template(text.len(), 0);
        Text { text, pieces: Pieces::One(piece), markup: false }
    }

    /// A string of the data.
    pub fn field(text: &str, field: FieldId) -> Text {
        Text { text: Arc::from(text), pieces: Pieces::One(Piece::exact(text.len(), field)), markup: false }
    }

    /// A string made from a field without being a part of it: a key, a number.
    pub fn made(text: &str, field: FieldId) -> Text {
        Text { text: Arc::from(text), pieces: Pieces::One(Piece::made(text.len(), field, 0..0, 0)), markup: false }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn pieces(&self) -> &[Piece] {
        match &self.pieces {
            Pieces::One(piece) => std::slice::from_ref(piece),
            Pieces::Many(pieces) => pieces,
        }
    }

    /// The part between two byte offsets.
    pub fn slice(&self, range: Range<usize>) -> Text {
        if range.start == 0 && range.end == self.text.len() {
            return self.clone();
        }
        let mut buf = TextBuf::default();
        buf.push_slice(self, range, 0);
        let mut text = buf.finish();
        text.markup = self.markup;
        text
    }

    /// The origin of an empty text still tells its field.
    pub fn first_field(&self) -> FieldId {
        self.pieces().iter().map(|piece| piece.field).find(|&field| field != 0).unwrap_or(0)
    }

    pub fn with_markup(mut self, markup: bool) -> Text {
        self.markup = markup;
        self
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text::template(Arc::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::template(Arc::from(text))
    }
}

/// A [`Text`] in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct TextBuf {
    pub text: String,
    pub pieces: Vec<Piece>,
}

impl TextBuf {
    pub fn len(&self) -> usize {
        self.text.len()
    }

    fn push_piece(&mut self, piece: Piece) {
        if piece.len == 0 {
            return;
        }
        let merged = self.pieces.last_mut().is_some_and(|last| last.merge(&piece));
        if !merged {
            self.pieces.push(piece);
        }
    }

    /// Text of the template's own making, written for `message`.
    pub fn push_template(&mut self, text: &str, message: u32) {
        self.push_made(text, 0, 0..0, message);
    }

    /// Text made from a part of a field.
    pub fn push_made(&mut self, text: &str, field: FieldId, source: Range<usize>, message: u32) {
        if !budget::may_make(text.len()) {
            return;
        }
        self.text.push_str(text);
        self.push_piece(Piece::made(text.len(), field, source, message));
    }

    pub fn push_text(&mut self, text: &Text, message: u32) {
        self.push_slice(text, 0..text.as_str().len(), message);
    }

    /// A part of a text; pieces that were written for no message yet are written for `message`.
    pub fn push_slice(&mut self, text: &Text, range: Range<usize>, message: u32) {
        if !budget::may_make(range.len()) {
            return;
        }
        self.text.push_str(&text.as_str()[range.clone()]);
        let (mut at, mut rest) = (0usize, range);
        for piece in text.pieces() {
            let end = at + piece.len as usize;
            if rest.start < end && !rest.is_empty() {
                let to = rest.end.min(end);
                let mut cut = piece.cut((rest.start - at) as u32, (to - at) as u32);
                if cut.message == 0 {
                    cut.message = message;
                }
                self.push_piece(cut);
                rest.start = to;
            }
            if rest.is_empty() {
                break;
            }
            at = end;
        }
    }

    /// Writes `made`, which stands for the bytes `range` of `text` (an escape, another case).
    pub fn push_derived(&mut self, made: &str, text: &Text, range: Range<usize>, message: u32) {
        let mut at = 0usize;
        for piece in text.pieces() {
            let end = at + piece.len as usize;
            if range.start < end {
                let cut = piece.cut((range.start - at) as u32, (range.end.min(end) - at) as u32);
                let message = if cut.message == 0 { message } else { cut.message };
                self.push_made(made, cut.field, cut.start as usize..cut.end as usize, message);
                return;
            }
            at = end;
        }
        self.push_template(made, message);
    }

    pub fn finish(mut self) -> Text {
        let pieces = match self.pieces.len() {
            0 => Pieces::One(Piece::template(0, 0)),
            1 => Pieces::One(self.pieces.remove(0)),
            _ => Pieces::Many(Arc::from(self.pieces)),
        };
        Text { text: Arc::from(self.text), pieces, markup: false }
    }
}

/// Python's `str.isspace` for one character.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
