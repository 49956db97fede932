//! Where an encoder's time goes, counted per thread: whoever calls the encoder knows which thread it runs on.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Time spent on this thread since it was last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Rendering templates.
    pub render: Duration,
    /// Tokenizing.
    pub tokenize: Duration,
}

#[derive(Clone, Copy)]
pub(crate) enum Stage {
    Render,
    Tokenize,
}

thread_local! {
    static SPENT: Cell<Spent> = const { Cell::new(Spent { render: Duration::ZERO, tokenize: Duration::ZERO }) };
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// The time spent on this thread since the last call; it starts again at zero.
pub fn take_spent() -> Spent {
    SPENT.take()
}

/// Counts until it is dropped. A stage within a stage belongs to the outer one.
pub(crate) struct Stopwatch {
    started: Option<(Stage, Instant)>,
}

impl Stopwatch {
    #[must_use]
    pub fn start(stage: Stage) -> Self {
        let started = (!RUNNING.replace(true)).then(|| (stage, Instant::now()));
        Stopwatch { started }
    }
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let Some((stage, started)) = self.started else { return };
        RUNNING.set(false);
        let mut spent = SPENT.get();
        match stage {
            Stage::Render => spent.render += started.elapsed(),
            Stage::Tokenize => spent.tokenize += started.elapsed(),
        }
        SPENT.set(spent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_within_a_stage_is_counted_once() {
        take_spent();
        let outer = Stopwatch::start(Stage::Render);
        drop(Stopwatch::start(Stage::Tokenize));
        drop(outer);
        let spent = take_spent();
        assert!(spent.render > Duration::ZERO);
        assert_eq!(spent.tokenize, Duration::ZERO);
        assert_eq!(take_spent(), Spent::default());
    }
}
