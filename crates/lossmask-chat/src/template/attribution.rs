//! Whose each stretch of the template's own text is, where a template prints one message while its loop is at another one.
//!
//! A tool's result printed in the iteration of the call ends what the model says: what is written from there on heads the result, not the
//! answer, and so does the call's name where it is printed again.

use std::ops::Range;

use super::data::FieldKind;
use super::origin::{Origin, Origins, Run};
use super::tags::closing;

/// Data printed in one iteration.
struct Said {
    bytes: Range<usize>,
    message: usize,
    /// Printed before in the same iteration.
    again: bool,
}

impl Origins {
    /// Gives what is printed for a later message, and what heads it, to that message.
    pub(super) fn attribute(&mut self, text: &str) {
        let mut from = 0;
        while from < self.runs.len() {
            let message = self.runs[from].message;
            let len = self.runs[from..].iter().take_while(|run| run.message == message).count();
            let group = from..from + len;
            from = group.end;
            let Some(message) = message else { continue };
            let said = self.said(group.clone(), message);
            if said.iter().all(|each| each.message == message) {
                continue;
            }
            let owners = owners(text, message, said);
            let runs = cut(&self.runs[group.clone()], &owners);
            from = group.start + runs.len();
            self.runs.splice(group, runs);
        }
    }

    fn said(&self, group: Range<usize>, message: usize) -> Vec<Said> {
        let mut said: Vec<Said> = Vec::new();
        let mut seen = Vec::new();
        for run in &self.runs[group] {
            let (Origin::Field { field, .. } | Origin::Made { field, .. }) = run.origin else { continue };
            let Some(data) = self.field(field).filter(|data| data.kind != FieldKind::Role) else { continue };
            let Some(owner) = data.message.filter(|owner| *owner >= message) else { continue };
            let again = owner == message && seen.contains(&run.origin);
            seen.push(run.origin.clone());
            said.push(Said { bytes: run.bytes.clone(), message: owner, again });
        }
        // What is printed again heads the result that follows it; a call may hold its name twice.
        let heads = |at: usize| {
            let next = said[at..].iter().find(|each| !each.again);
            said[at].again && next.is_some_and(|next| next.message != message)
        };
        let keep: Vec<bool> = (0..said.len()).map(|at| !heads(at)).collect();
        let mut keep = keep.into_iter();
        said.retain(|_| keep.next().unwrap_or(true));
        said
    }
}

/// From which byte on the text is whose.
fn owners(text: &str, message: usize, said: Vec<Said>) -> Vec<(usize, usize)> {
    let mut owners = vec![(0, message)];
    for pair in said.windows(2).filter(|pair| pair[0].message != pair[1].message) {
        let gap = pair[0].bytes.end..pair[1].bytes.start;
        owners.push((gap.start + closing(&text[gap]), pair[1].message));
    }
    owners
}

/// The runs with their new owners, cut where one changes within a run.
fn cut(runs: &[Run], owners: &[(usize, usize)]) -> Vec<Run> {
    let mut out = Vec::with_capacity(runs.len() + owners.len());
    let mut next = 1;
    for run in runs {
        let mut rest = run.clone();
        rest.message = Some(owners[next - 1].1);
        while let Some(&(at, message)) = owners.get(next).filter(|(at, _)| *at < rest.bytes.end) {
            if at > rest.bytes.start {
                let (head, tail) = split(rest, at);
                out.push(head);
                rest = tail;
            }
            rest.message = Some(message);
            next += 1;
        }
        out.push(rest);
    }
    out
}

fn split(run: Run, at: usize) -> (Run, Run) {
    let (mut head, mut tail) = (run.clone(), run);
    let len = at - head.bytes.start;
    head.bytes.end = at;
    tail.bytes.start = at;
    if let (Origin::Field { range: head, .. }, Origin::Field { range: tail, .. }) = (&mut head.origin, &mut tail.origin)
    {
        head.end = head.start + len;
        tail.start = head.end;
    }
    (head, tail)
}
