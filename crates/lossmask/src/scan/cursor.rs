//! The state of a scan, and what a token with which a marker may begin does to it.

use crate::compile::{Opened, Plan, Specials};
use crate::options::EndKind;
use crate::scan::{End, Sink};
use crate::vector::{IdSet, Lanes};

/// The state of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    /// The turn that is open.
    pub(super) open: Opened,
    /// The first token that is not decided on.
    pub(super) at: usize,
}

impl Cursor {
    #[inline(always)]
    pub(super) fn outside(plan: &Plan, at: usize) -> Cursor {
        Cursor { open: Opened::nothing(plan.unused_id), at }
    }

    #[inline(always)]
    pub fn is_outside(&self) -> bool {
        self.open.is_nothing()
    }

    /// The ids that mean anything here.
    #[inline(always)]
    pub fn looks_for<'s>(&self, specials: &'s Specials) -> &'s IdSet {
        if self.is_outside() { &specials.outside } else { &specials.inside[self.open.boundary as usize] }
    }

    /// Goes on to a token that a marker may begin with; between the last one and this there is none. Says whether it was one.
    #[inline(always)]
    pub fn step<L: Lanes>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        if candidate < self.at {
            true
        } else if self.is_outside() {
            self.start(plan, ids, candidate, sink)
        } else {
            self.end(plan, ids, candidate, sink) || self.other_end(plan, ids, candidate, sink)
        }
    }

    /// Ends the turn that is open, where the token is all that it takes.
    #[inline(always)]
    pub(super) fn end<L: Lanes>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        if ids[candidate] != L::from_i32(self.open.end) {
            return false;
        }
        let end = Some(End { kind: EndKind::Consumed, marker: 0 });
        sink.close(&self.open, candidate, candidate + 1, end);
        *self = Cursor::outside(plan, candidate + 1);
        true
    }

    /// Ends the turn that is open with any other marker, which the next turn may begin in.
    #[inline(always)]
    fn other_end<L: Lanes>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        // By value: what is pointed to cannot stay in registers.
        let Some((marker, end)) = other_end(plan, self.open.boundary, ids, candidate) else { return false };
        sink.close(&self.open, candidate, end, Some(marker));
        if marker.kind == EndKind::Consumed {
            *self = Cursor::outside(plan, end);
        } else {
            *self = Cursor::outside(plan, candidate);
            self.start(plan, ids, candidate, sink);
        }
        true
    }

    /// Opens the turn that starts at a token, if one does.
    #[inline(always)]
    pub(super) fn start<L: Lanes>(&mut self, plan: &Plan, ids: &[L], candidate: usize, sink: &mut impl Sink) -> bool {
        let Some((open, content_start)) = plan.starts.header_at(ids, candidate) else { return false };
        sink.open(open, candidate, content_start);
        *self = Cursor { open: *open, at: content_start };
        true
    }
}

/// The end marker of a boundary at a token, and where it ends.
#[inline(never)]
fn other_end<L: Lanes>(plan: &Plan, boundary: u32, ids: &[L], at: usize) -> Option<(End, usize)> {
    let set = plan.ends.of(boundary)?;
    let (marker, end) = set.marker_at(ids, at)?;
    Some((End { kind: set.kinds[marker as usize], marker }, end))
}
