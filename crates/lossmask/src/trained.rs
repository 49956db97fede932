//! What of a turn is trained: the one place that gives `train_on_eos`, `train_on_shared_end`, `turns` and `unterminated` their
//! meaning.
//!
//! The scanner, the record and the peers' rules of this crate ask it, and so does every route that finds turns by other means than ids. A
//! route says what it knows of its turns ([`TurnFacts`], [`TurnEnd`]), and the rules answer:
//!
//! 1. [`TurnRule::for_row`] picks the row's last turn, and [`TurnsOfRow::untrained`] says why a turn is not trained, if it is not.
//! 2. [`EndRule::for_row`] picks the row's last end marker among those of trained turns, and [`EndsOfRow::trains`] says whether an end
//!    marker is trained.
//! 3. [`TurnDecision`] makes decisions with reasons of those answers, for the header, the content and the end.
//!
//! ```
//! use lossmask::trained::{EndRule, TurnDecision, TurnEnd, TurnFacts, TurnRule};
//! use lossmask::{EndKind, Reason, TrainOnEos, Turns, Unterminated};
//!
//! // An answer that ends with a marker of its own, a question, an answer that the next role's marker ends.
//! let turns = [Some(EndKind::Consumed), Some(EndKind::Consumed), Some(EndKind::Before)];
//! let roles = [None, Some(Reason::RoleNotTrained), None];
//!
//! let turn_rule = TurnRule { turns: Turns::All, unterminated: Unterminated::RunToEnd };
//! let facts = |turn: usize| TurnFacts { untrained: roles[turn], terminated: turns[turn].is_some() };
//! let selected = turn_rule.for_row((0..3).map(facts));
//! let untrained: Vec<Option<Reason>> = (0..3).map(|turn| selected.untrained(turn, facts(turn))).collect();
//! assert_eq!(untrained, [None, Some(Reason::RoleNotTrained), None]);
//!
//! // `last` means the last end that may be trained, which is the first answer's: the second answer's is not its own.
//! let end_rule = EndRule { train_on_eos: TrainOnEos::Last, train_on_shared_end: false };
//! let end = |turn: usize| TurnEnd { kind: turns[turn].unwrap(), turn_trained: untrained[turn].is_none() };
//! let ends = end_rule.for_row((0..3).map(|turn| (turn, end(turn))));
//! assert!(ends.trains(0, end(0)));
//! assert!(!ends.trains(1, end(1)) && !ends.trains(2, end(2)));
//!
//! let decision = TurnDecision { untrained: untrained[0], include_start: false };
//! assert_eq!(decision.header().reason, Reason::Header);
//! assert!(decision.content().trained);
//! assert_eq!(decision.end(ends.trains(0, end(0))).reason, Reason::TrainOnEos);
//! ```

use crate::options::{EndKind, TrainOnEos, Turns, Unterminated};
use crate::record::Reason;

/// A turn as its role and the data's flags leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnFacts {
    /// Why its role or the data keep it from being trained; `None`: they do not.
    pub untrained: Option<Reason>,
    /// Whether an end marker was found, or none is to be found.
    pub terminated: bool,
}

/// Which of the turns that are trained by their role or by the data remain so. Default: all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnRule {
    /// Every turn, or the row's last one.
    pub turns: Turns,
    /// Whether a turn without its end marker is trained.
    pub unterminated: Unterminated,
}

impl TurnRule {
    /// The rule for a row with these turns, in order.
    ///
    /// The last turn is the last one that its role or the data train, even where `unterminated` then leaves nothing of it.
    pub fn for_row<I>(self, turns: I) -> TurnsOfRow
    where
        I: IntoIterator<Item = TurnFacts>,
        I::IntoIter: DoubleEndedIterator + ExactSizeIterator,
    {
        let last = match self.turns {
            Turns::All => None,
            Turns::Last => turns.into_iter().rposition(|turn| turn.untrained.is_none()),
        };
        TurnsOfRow { rule: self, last }
    }
}

/// [`TurnRule`] for one row.
#[derive(Clone, Copy, Debug)]
pub struct TurnsOfRow {
    rule: TurnRule,
    last: Option<usize>,
}

impl TurnsOfRow {
    /// Why nothing but perhaps the end marker of a turn is trained, `None` where the turn is trained. `turn` is its index in the row.
    ///
    /// What the role or the data say comes first, then [`Reason::NotLastTurn`], then [`Reason::Unterminated`].
    pub fn untrained(&self, turn: usize, facts: TurnFacts) -> Option<Reason> {
        let not_last = self.rule.turns == Turns::Last && self.last != Some(turn);
        let unterminated = self.rule.unterminated == Unterminated::Mask && !facts.terminated;
        facts.untrained.or(not_last.then_some(Reason::NotLastTurn)).or(unterminated.then_some(Reason::Unterminated))
    }
}

/// An end marker that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnEnd {
    /// Whose the marker is.
    pub kind: EndKind,
    /// Whether the turn that it ends is trained.
    pub turn_trained: bool,
}

/// Whether an end marker is trained, as far as the marker and its turn decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndTraining {
    /// It is not.
    Never,
    /// It is.
    Always,
    /// It is if it is the last one in the row of which this is said.
    IfLast,
}

/// Which end markers are trained. Default: `train_on_eos: turn`, and no shared end.
///
/// A config with an end-of-turn token beside the EOS token has two rules (`train_on_eos`, `train_on_eot`). Each of them decides about its
/// own end markers, so each has its own last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndRule {
    /// Of which turns.
    pub train_on_eos: TrainOnEos,
    /// Whether an [`EndKind::Before`] marker, which opens the next turn, is trained where it ends a trained turn. An untrained turn's is
    /// never trained.
    pub train_on_shared_end: bool,
}

impl EndRule {
    /// Whether an end marker is trained.
    ///
    /// ```
    /// use lossmask::trained::{EndRule, EndTraining, TurnEnd};
    /// use lossmask::{EndKind, TrainOnEos};
    ///
    /// let rule = EndRule { train_on_eos: TrainOnEos::All, train_on_shared_end: false };
    /// let end = |kind| TurnEnd { kind, turn_trained: false };
    /// assert_eq!(rule.training(end(EndKind::Consumed)), EndTraining::Always);
    /// assert_eq!(rule.training(end(EndKind::Before)), EndTraining::Never);
    /// ```
    #[inline]
    pub fn training(self, end: TurnEnd) -> EndTraining {
        let own = end.kind != EndKind::Before;
        let of_trained_turn = end.turn_trained && (own || self.train_on_shared_end);
        match self.train_on_eos {
            TrainOnEos::Turn if of_trained_turn => EndTraining::Always,
            TrainOnEos::All if of_trained_turn || own => EndTraining::Always,
            TrainOnEos::Last if of_trained_turn => EndTraining::IfLast,
            TrainOnEos::Turn | TrainOnEos::All | TrainOnEos::Last | TrainOnEos::None => EndTraining::Never,
        }
    }

    /// The rule for a row with these end markers: each with the index of the turn that it ends, in order. A turn may have several.
    pub fn for_row<I>(self, ends: I) -> EndsOfRow
    where
        I: IntoIterator<Item = (usize, TurnEnd)>,
        I::IntoIter: DoubleEndedIterator,
    {
        let last = match self.train_on_eos {
            TrainOnEos::Last => {
                let may_be_last = |(_, end): &(usize, TurnEnd)| self.training(*end) == EndTraining::IfLast;
                ends.into_iter().rev().find(may_be_last).map(|(turn, _)| turn)
            }
            TrainOnEos::Turn | TrainOnEos::All | TrainOnEos::None => None,
        };
        EndsOfRow { rule: self, last }
    }
}

/// [`EndRule`] for one row.
#[derive(Clone, Copy, Debug)]
pub struct EndsOfRow {
    rule: EndRule,
    last: Option<usize>,
}

impl EndsOfRow {
    /// Whether an end marker is trained. `turn` is the index of the turn that it ends.
    pub fn trains(&self, turn: usize, end: TurnEnd) -> bool {
        match self.rule.training(end) {
            EndTraining::Never => false,
            EndTraining::Always => true,
            EndTraining::IfLast => self.last == Some(turn),
        }
    }
}

/// Whether some tokens are trained, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether they are.
    pub trained: bool,
    /// Why, or why not.
    pub reason: Reason,
}

/// What the rules leave of a turn, for each of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnDecision {
    /// See [`TurnsOfRow::untrained`].
    pub untrained: Option<Reason>,
    /// Whether a trained turn's header is trained too.
    pub include_start: bool,
}

impl TurnDecision {
    /// Whether the turn is trained.
    pub fn is_trained(&self) -> bool {
        self.untrained.is_none()
    }

    /// The start marker and its tail.
    pub fn header(&self) -> Decision {
        match self.untrained {
            Some(reason) => Decision { trained: false, reason },
            None if self.include_start => Decision { trained: true, reason: Reason::IncludeStart },
            None => Decision { trained: false, reason: Reason::Header },
        }
    }

    /// What lies between the markers.
    pub fn content(&self) -> Decision {
        Decision { trained: self.is_trained(), reason: self.untrained.unwrap_or(Reason::Role) }
    }

    /// An end marker of which [`EndsOfRow::trains`] says whether it is trained.
    pub fn end(&self, trained: bool) -> Decision {
        let reason = if trained { Reason::TrainOnEos } else { self.untrained.unwrap_or(Reason::EndNotTrained) };
        Decision { trained, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [EndKind; 3] = [EndKind::Consumed, EndKind::Anchor, EndKind::Before];

    /// Each rule, and what it says of the end of a trained turn and of another: of the turn's own marker, and of one that opens the next
    /// turn.
    #[test]
    fn every_rule_of_ends() {
        use EndTraining::{Always, IfLast, Never};
        let table = [
            (TrainOnEos::None, false, [Never, Never], [Never, Never]),
            (TrainOnEos::None, true, [Never, Never], [Never, Never]),
            (TrainOnEos::Turn, false, [Always, Never], [Never, Never]),
            (TrainOnEos::Turn, true, [Always, Always], [Never, Never]),
            (TrainOnEos::All, false, [Always, Never], [Always, Never]),
            (TrainOnEos::All, true, [Always, Always], [Always, Never]),
            (TrainOnEos::Last, false, [IfLast, Never], [Never, Never]),
            (TrainOnEos::Last, true, [IfLast, IfLast], [Never, Never]),
        ];
        for (train_on_eos, train_on_shared_end, trained, untrained) in table {
            let rule = EndRule { train_on_eos, train_on_shared_end };
            for kind in KINDS {
                let at = usize::from(kind == EndKind::Before);
                assert_eq!(rule.training(TurnEnd { kind, turn_trained: true }), trained[at], "{rule:?} {kind:?}");
                assert_eq!(rule.training(TurnEnd { kind, turn_trained: false }), untrained[at], "{rule:?} {kind:?}");
            }
        }
    }

    #[test]
    fn last_is_the_last_end_that_may_be_trained() {
        let end = |kind, turn_trained| TurnEnd { kind, turn_trained };
        let ends = [
            (0, end(EndKind::Consumed, true)),
            (1, end(EndKind::Before, true)),
            (2, end(EndKind::Consumed, false)),
            (3, end(EndKind::Before, true)),
        ];
        for (train_on_shared_end, expected) in [(false, 0), (true, 3)] {
            let rule = EndRule { train_on_eos: TrainOnEos::Last, train_on_shared_end };
            let row = rule.for_row(ends);
            let trained: Vec<usize> =
                ends.iter().filter(|(turn, end)| row.trains(*turn, *end)).map(|end| end.0).collect();
            assert_eq!(trained, [expected], "shared: {train_on_shared_end}");
        }
    }

    #[test]
    fn which_turns() {
        let facts = |untrained, terminated| TurnFacts { untrained, terminated };
        let off = Some(Reason::RoleNotTrained);
        let turns = [facts(None, true), facts(off, true), facts(None, false), facts(off, false)];
        let (last, open) = (Some(Reason::NotLastTurn), Some(Reason::Unterminated));
        let table = [
            (Turns::All, Unterminated::RunToEnd, [None, off, None, off]),
            (Turns::All, Unterminated::Mask, [None, off, open, off]),
            (Turns::Last, Unterminated::RunToEnd, [last, off, None, off]),
            (Turns::Last, Unterminated::Mask, [last, off, open, off]),
        ];
        for (which, unterminated, expected) in table {
            let row = TurnRule { turns: which, unterminated }.for_row(turns);
            let untrained = std::array::from_fn(|turn| row.untrained(turn, turns[turn]));
            assert_eq!(untrained, expected, "{which:?} {unterminated:?}");
        }
    }
}
