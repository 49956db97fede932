//! The record that every route yields: turns, and spans that say of each token what it is, whether it is trained, and why.

use std::ops::Range;
use std::sync::Arc;

/// One recognised role span of a row. All positions are token indices, `start <= content_start <= content_end <= end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Index into the list of role names that comes with the turn.
    pub role: u32,
    /// First token of the start marker.
    pub start: usize,
    /// First token after the header (start marker, tail, and a token in which the tail is fused with content).
    pub content_start: usize,
    /// First token of the end marker, or the end of the row.
    pub content_end: usize,
    /// First token after the end marker where that belongs to the turn, else `content_end`.
    pub end: usize,
    /// Whether any part of the turn may be trained: the role is, and the turn is selected.
    pub trained: bool,
    /// Whether an end marker was found (always `true` for a role without one).
    pub terminated: bool,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenKind {
    /// Template text outside any turn, or made by the template inside one.
    Scaffold,
    /// A turn's start marker and tail.
    Header,
    /// A message's text.
    Content,
    /// A message's reasoning.
    Reasoning,
    /// A message's tool calls.
    ToolCall,
    /// A turn's end marker.
    End,
    /// A media placeholder or delimiter.
    Media,
    /// Padding.
    Pad,
}

/// Why a token is trained or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Trained: its role is in `roles_to_train`.
    Role,
    /// Trained: `train_on_inputs`.
    TrainOnInputs,
    /// Trained: `train_on_eos` keeps this end marker.
    TrainOnEos,
    /// Trained: `include_start`.
    IncludeStart,
    /// Trained: the data says so (`training`, `train`, `weight`, `training_detail`).
    Flag,
    /// Trained: the segment's `label` is `true`.
    Segment,
    /// Trained: inside a `{% generation %}` block.
    Generation,
    /// Not trained: its role is not in `roles_to_train`.
    RoleNotTrained,
    /// Not trained: the data says so.
    FlaggedOff,
    /// Not trained: the segment's `label` is `false`.
    SegmentOff,
    /// Not trained: outside every `{% generation %}` block.
    NotGenerated,
    /// Not trained: only the last turn is.
    NotLastTurn,
    /// Not trained: the turn has no end marker and `unterminated` is `mask`.
    Unterminated,
    /// Not trained: a header.
    Header,
    /// Not trained: `train_on_eos` drops this end marker, or it is not the turn's own.
    EndNotTrained,
    /// Not trained: an excluded stretch.
    Excluded,
    /// Not trained: template-made.
    Scaffold,
    /// Not trained: `reasoning: mask`.
    ReasoningMasked,
    /// Not trained: lies across a border and `straddle` is `exclude`.
    Straddle,
    /// Not trained: a media token.
    Media,
    /// Not trained: padding.
    Pad,
    /// Not trained: the first token of a packed row, which the row before it would have to predict.
    Packed,
    /// Not trained: in no turn.
    Outside,
}

/// A run of tokens of one kind, with one decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The tokens, never empty.
    pub tokens: Range<usize>,
    /// The turn they belong to, as an index into [`Record::turns`].
    pub turn: Option<u32>,
    /// What they are.
    pub kind: TokenKind,
    /// Whether they are trained.
    pub trained: bool,
    /// Why.
    pub reason: Reason,
    /// Their weight in the loss; `0.0` where they are not trained, `1.0` unless the data or the config says otherwise.
    pub weight: f32,
}

/// What a route found in one row. The spans cover the row from its first token to its last, in order and without gaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Role names that [`Turn::role`] points into.
    pub roles: Vec<Arc<str>>,
    /// The turns, in order.
    pub turns: Vec<Turn>,
    /// The spans, in order.
    pub spans: Vec<Span>,
}

impl TokenKind {
    /// The kind's stable name: `scaffold`, `header`, `content`, `reasoning`, `tool-call`, `end`, `media`, `pad`.
    pub fn name(self) -> &'static str {
        match self {
            TokenKind::Scaffold => "scaffold",
            TokenKind::Header => "header",
            TokenKind::Content => "content",
            TokenKind::Reasoning => "reasoning",
            TokenKind::ToolCall => "tool-call",
            TokenKind::End => "end",
            TokenKind::Media => "media",
            TokenKind::Pad => "pad",
        }
    }
}

impl Reason {
    /// The reason's stable name, in kebab case.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Role => "role",
            Reason::TrainOnInputs => "train-on-inputs",
            Reason::TrainOnEos => "train-on-eos",
            Reason::IncludeStart => "include-start",
            Reason::Flag => "flag",
            Reason::Segment => "segment",
            Reason::Generation => "generation",
            Reason::RoleNotTrained => "role-not-trained",
            Reason::FlaggedOff => "flagged-off",
            Reason::SegmentOff => "segment-off",
            Reason::NotGenerated => "not-generated",
            Reason::NotLastTurn => "not-last-turn",
            Reason::Unterminated => "unterminated",
            Reason::Header => "header",
            Reason::EndNotTrained => "end-not-trained",
            Reason::Excluded => "excluded",
            Reason::Scaffold => "scaffold",
            Reason::ReasoningMasked => "reasoning-masked",
            Reason::Straddle => "straddle",
            Reason::Media => "media",
            Reason::Pad => "pad",
            Reason::Packed => "packed",
            Reason::Outside => "outside",
        }
    }
}

impl Record {
    /// Number of tokens in the row.
    pub fn token_count(&self) -> usize {
        self.spans.last().map_or(0, |span| span.tokens.end)
    }

    /// Number of trained tokens in the row.
    pub fn trained_count(&self) -> usize {
        self.spans.iter().filter(|span| span.trained).map(|span| span.tokens.len()).sum()
    }

    /// Writes the row's labels: the id where a token is trained, `ignore_index` elsewhere.
    ///
    /// # Panics
    /// When `ids`, `labels` and the record differ in length.
    pub fn write_labels(&self, ids: &[i32], ignore_index: i32, labels: &mut [i32]) {
        assert_eq!(ids.len(), self.token_count(), "the record is of another row");
        for span in &self.spans {
            let out = &mut labels[span.tokens.clone()];
            if span.trained {
                out.copy_from_slice(&ids[span.tokens.clone()]);
            } else {
                out.fill(ignore_index);
            }
        }
    }
}
