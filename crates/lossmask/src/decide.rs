//! From turns to what of them is trained, and why.

use std::ops::Range;

use crate::ids::Label;
use crate::options::{EndKind, TrainOnEos, Turns, Unterminated};
use crate::plan::Plan;
use crate::record::{Reason, TokenKind, Turn};
use crate::scan::Found;

/// A run of tokens of one turn with one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub tokens: Range<usize>,
    pub kind: TokenKind,
    pub trained: bool,
    pub reason: Reason,
}

/// What only the whole row tells: the indices of the turns that `last` means.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastTurns {
    /// The last turn of a trained role.
    turn: Option<usize>,
    /// The last trained turn with an end marker that may be trained.
    end: Option<usize>,
}

impl Plan {
    /// Finds the turns that `last` means.
    pub fn last_turns(&self, turns: &[Found]) -> LastTurns {
        let turn = turns.iter().rposition(|turn| self.boundaries[turn.boundary as usize].trained);
        let mut last = LastTurns { turn, end: None };
        last.end = (0..turns.len()).rev().find(|&index| {
            self.untrained_reason(&turns[index], index, &last).is_none() && self.end_may_be_trained(&turns[index])
        });
        last
    }

    /// Why nothing but perhaps the end of a turn is trained; `None`: the turn is trained.
    fn untrained_reason(&self, turn: &Found, index: usize, last: &LastTurns) -> Option<Reason> {
        let boundary = &self.boundaries[turn.boundary as usize];
        if !boundary.trained {
            Some(Reason::RoleNotTrained)
        } else if self.turns == Turns::Last && last.turn != Some(index) {
            Some(Reason::NotLastTurn)
        } else if self.unterminated == Unterminated::Mask && boundary.ends.is_some() && turn.end.is_none() {
            Some(Reason::Unterminated)
        } else {
            None
        }
    }

    /// Whether a trained turn's end marker is one that `train_on_eos` decides about.
    fn end_may_be_trained(&self, turn: &Found) -> bool {
        match turn.end {
            None => false,
            Some(EndKind::Before) => self.train_on_shared_end,
            Some(EndKind::Consumed | EndKind::Anchor) => true,
        }
    }

    fn end_is_trained(&self, turn: &Found, index: usize, last: &LastTurns, turn_trained: bool) -> bool {
        match self.train_on_eos {
            TrainOnEos::None => false,
            TrainOnEos::Turn => turn_trained && self.end_may_be_trained(turn),
            TrainOnEos::Last => last.end == Some(index),
            TrainOnEos::All if turn_trained => self.end_may_be_trained(turn),
            TrainOnEos::All => matches!(turn.end, Some(EndKind::Consumed | EndKind::Anchor)),
        }
    }

    /// Whether any part of the turn may be trained.
    fn is_trained(&self, turn: &Found, index: usize, last: &LastTurns) -> bool {
        self.train_on_inputs || self.untrained_reason(turn, index, last).is_none()
    }

    /// The turn as the public interface shows it.
    pub fn public_turn(&self, turn: &Found, index: usize, last: &LastTurns) -> Turn {
        let boundary = &self.boundaries[turn.boundary as usize];
        Turn {
            role: boundary.role,
            start: turn.start,
            content_start: turn.content_start,
            content_end: turn.content_end,
            end: turn.end(),
            trained: self.is_trained(turn, index, last),
            terminated: turn.end.is_some() || boundary.ends.is_none(),
        }
    }

    /// Hands out the turn's pieces from left to right: its header, its content, its end marker, cut where a stretch is
    /// excluded. An end marker that is not the turn's own is a piece only where it is trained.
    pub fn pieces<L: Label>(
        &self,
        ids: &[L],
        turn: &Found,
        index: usize,
        last: &LastTurns,
        mut emit: impl FnMut(Piece),
    ) {
        let boundary = &self.boundaries[turn.boundary as usize];
        let header = turn.start..turn.content_start;
        let content = turn.content_start..turn.content_end;
        let marker = turn.content_end..turn.marker_end;
        if self.train_on_inputs {
            let own_marker = turn.content_end..turn.end();
            for (tokens, kind) in
                [(header, TokenKind::Header), (content, TokenKind::Content), (own_marker, TokenKind::End)]
            {
                emit(Piece { tokens, kind, trained: true, reason: Reason::TrainOnInputs });
            }
            return;
        }
        let off = self.untrained_reason(turn, index, last);
        let header_trained = off.is_none() && boundary.include_start;
        emit(Piece {
            tokens: header,
            kind: TokenKind::Header,
            trained: header_trained,
            reason: if header_trained { Reason::IncludeStart } else { off.unwrap_or(Reason::Header) },
        });
        let content = Piece {
            tokens: content,
            kind: TokenKind::Content,
            trained: off.is_none(),
            reason: off.unwrap_or(Reason::Role),
        };
        let end_trained = self.end_is_trained(turn, index, last, off.is_none());
        let end = Piece {
            tokens: if end_trained { marker } else { turn.content_end..turn.end() },
            kind: TokenKind::End,
            trained: end_trained,
            reason: if end_trained { Reason::TrainOnEos } else { off.unwrap_or(Reason::EndNotTrained) },
        };
        match &self.exclude {
            Some(_) if off.is_none() => self.cut_excluded(&ids[..turn.end()], [content, end], emit),
            _ => {
                emit(content);
                emit(end);
            }
        }
    }

    /// Hands out the pieces without the excluded stretches among their tokens, and the stretches as pieces of their own.
    fn cut_excluded<L: Label>(&self, ids: &[L], pieces: [Piece; 2], mut emit: impl FnMut(Piece)) {
        let mut stretch = self.next_excluded(ids, pieces[0].tokens.start);
        for piece in pieces {
            let mut at = piece.tokens.start;
            while at < piece.tokens.end {
                let next = stretch.clone().unwrap_or(usize::MAX..usize::MAX);
                if at < next.start {
                    let end = piece.tokens.end.min(next.start);
                    emit(Piece { tokens: at..end, ..piece.clone() });
                    at = end;
                } else {
                    let end = piece.tokens.end.min(next.end);
                    emit(Piece { tokens: at..end, trained: false, reason: Reason::Excluded, ..piece.clone() });
                    at = end;
                    if end == next.end {
                        stretch = self.next_excluded(ids, end);
                    }
                }
            }
        }
    }

    fn next_excluded<L: Label>(&self, ids: &[L], from: usize) -> Option<Range<usize>> {
        let exclude = self.exclude.as_ref()?;
        let start = exclude.starts.find(ids, from)?;
        let end = match &exclude.ends[start.pattern as usize] {
            None => start.end,
            Some(end) => end.find(ids, start.end).map_or(ids.len(), |end| end.end),
        };
        Some(start.start..end)
    }
}
