//! What is known of a turn as soon as it is opened.

use crate::options::{Boundary, EndKind, MaskerOptions};
use crate::trained::{EndRule, EndTraining, TurnEnd};

/// What the inner loops need to know of an open turn, in one small value that stays in registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opened {
    /// Index into [`Plan::boundaries`](super::Plan::boundaries); [`OUTSIDE`] where no turn is open.
    pub boundary: u32,
    /// The only end, where it is one token that the turn consumes; else [`Plan::unused_id`](super::Plan::unused_id).
    pub end: i32,
    /// Whether the role is trained.
    pub trained: bool,
    pub include_start: bool,
    /// Whether an end marker that the turn consumes is trained.
    pub trains_end: bool,
    /// Whether such a marker is trained if it is the row's last.
    pub trains_last_end: bool,
}

/// No turn.
const OUTSIDE: u32 = u32::MAX;

impl Opened {
    /// A turn of a boundary, whose only end is `end` if that is one token.
    pub fn new(index: usize, boundary: &Boundary, end: i32, options: &MaskerOptions) -> Opened {
        let trained = options.roles_to_train.contains(&boundary.role);
        let training = end_rule(options).training(TurnEnd { kind: EndKind::Consumed, turn_trained: trained });
        Opened {
            boundary: index as u32,
            end,
            trained,
            include_start: boundary.include_start,
            trains_end: training == EndTraining::Always,
            trains_last_end: training == EndTraining::IfLast,
        }
    }

    /// No turn is open.
    #[inline(always)]
    pub fn nothing(unused_id: i32) -> Opened {
        let no = false;
        Opened {
            boundary: OUTSIDE,
            end: unused_id,
            trained: no,
            include_start: no,
            trains_end: no,
            trains_last_end: no,
        }
    }

    #[inline(always)]
    pub fn is_nothing(&self) -> bool {
        self.boundary == OUTSIDE
    }
}

/// Which end markers the options train.
pub(super) fn end_rule(options: &MaskerOptions) -> EndRule {
    EndRule { train_on_eos: options.train_on_eos, train_on_shared_end: options.train_on_shared_end }
}
