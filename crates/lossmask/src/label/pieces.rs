//! From turns to pieces with a decision each, which `trained` makes.

use std::ops::Range;

use crate::compile::{Excluded, Plan};
use crate::record::{Reason, TokenKind, Turn};
use crate::scan::Found;
use crate::trained::{Decision, EndsOfRow, TurnDecision, TurnEnd, TurnFacts, TurnsOfRow};
use crate::vector::Lanes;

/// A run of tokens of one turn with one decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub tokens: Range<usize>,
    pub kind: TokenKind,
    pub trained: bool,
    pub reason: Reason,
}

/// The rules of what is trained, for one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRules {
    turns: TurnsOfRow,
    ends: EndsOfRow,
}

impl Plan {
    /// The rules of what is trained, for the row with these turns.
    pub fn row_rules(&self, turns: &[Found]) -> RowRules {
        let of_turns = self.turn_rule.for_row(turns.iter().map(|turn| self.facts(turn)));
        let ends = turns.iter().enumerate().filter_map(|(index, turn)| {
            let turn_trained = of_turns.untrained(index, self.facts(turn)).is_none();
            turn.end.map(|kind| (index, TurnEnd { kind, turn_trained }))
        });
        RowRules { turns: of_turns, ends: self.end_rule.for_row(ends) }
    }

    fn facts(&self, turn: &Found) -> TurnFacts {
        let boundary = &self.boundaries[turn.boundary as usize];
        TurnFacts {
            untrained: (!boundary.trained).then_some(Reason::RoleNotTrained),
            terminated: turn.end.is_some() || !boundary.has_ends,
        }
    }

    fn decision(&self, turn: &Found, index: usize, rules: &RowRules) -> TurnDecision {
        let include_start = self.boundaries[turn.boundary as usize].include_start;
        TurnDecision { untrained: rules.turns.untrained(index, self.facts(turn)), include_start }
    }

    /// The turn as the public interface shows it.
    pub fn public_turn(&self, turn: &Found, index: usize, rules: &RowRules) -> Turn {
        Turn {
            role: self.boundaries[turn.boundary as usize].role,
            start: turn.start,
            content_start: turn.content_start,
            content_end: turn.content_end,
            end: turn.end(),
            trained: self.train_on_inputs || self.decision(turn, index, rules).is_trained(),
            terminated: self.facts(turn).terminated,
        }
    }

    /// Hands out the turn's pieces from left to right: its header, its content, its end marker, cut where a stretch is
    /// excluded. An end marker that is not the turn's own is a piece only where it is trained.
    pub fn pieces<L: Lanes>(
        &self,
        ids: &[L],
        turn: &Found,
        index: usize,
        rules: &RowRules,
        mut emit: impl FnMut(Piece),
    ) {
        let header = turn.start..turn.content_start;
        let content = turn.content_start..turn.content_end;
        let own_marker = turn.content_end..turn.end();
        let piece = |tokens, kind, Decision { trained, reason }| Piece { tokens, kind, trained, reason };
        if self.train_on_inputs {
            let all = Decision { trained: true, reason: Reason::TrainOnInputs };
            emit(piece(header, TokenKind::Header, all));
            emit(piece(content, TokenKind::Content, all));
            emit(piece(own_marker, TokenKind::End, all));
            return;
        }
        let decision = self.decision(turn, index, rules);
        let turn_trained = decision.is_trained();
        let end_trained = turn.end.is_some_and(|kind| rules.ends.trains(index, TurnEnd { kind, turn_trained }));
        let marker = if end_trained { turn.content_end..turn.marker_end } else { own_marker };
        emit(piece(header, TokenKind::Header, decision.header()));
        let content = piece(content, TokenKind::Content, decision.content());
        let end = piece(marker, TokenKind::End, decision.end(end_trained));
        match &self.excluded {
            Some(excluded) if turn_trained => cut_excluded(excluded, &ids[..turn.end()], [content, end], emit),
            _ => {
                emit(content);
                emit(end);
            }
        }
    }
}

/// Hands out the pieces without the excluded stretches among their tokens, and the stretches as pieces of their own.
fn cut_excluded<L: Lanes>(excluded: &Excluded, ids: &[L], pieces: [Piece; 2], mut emit: impl FnMut(Piece)) {
    let mut stretch = excluded.find(ids, pieces[0].tokens.start);
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
                    stretch = excluded.find(ids, end);
                }
            }
        }
    }
}
