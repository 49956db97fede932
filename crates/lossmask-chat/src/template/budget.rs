//! How much a template may do for one row.
//!
//! A model folder is untrusted input, and a template is a program: nested loops run for hours, and `'a' * 10 ** 9` or a `replace` that
//! doubles its text asks for all memory. So every evaluated expression costs a step, more where it walks over a large value, and every
//! byte of text that is made is counted. Both limits grow with the row and are hundreds of times what real templates need.
//!
//! The counters belong to the thread: a rendering runs on one, and the places that make text know nothing of the interpreter.

use std::cell::Cell;

use serde_json::Value as Json;

use super::fault::{Eval, Fault};
use super::value::Value;

/// Steps for any row; a conversation of ten messages takes some thousands.
const STEPS: u64 = 20_000_000;
/// Further steps for each message.
const STEPS_PER_MESSAGE: u64 = 20_000;
/// Bytes of text made for any row.
const BYTES: u64 = 64 << 20;
/// Further bytes for each byte of the row.
const BYTES_PER_BYTE: u64 = 64;
/// Bytes of a value that cost one step when an operation walks over it.
const BYTES_PER_STEP: usize = 64;
/// What a piece of text costs besides its bytes.
const PIECE_BYTES: usize = 24;

thread_local! {
    static STEPS_LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
    static BYTES_LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// The limits of one rendering; those around it are back when it is dropped.
pub(super) struct Budget {
    steps: u64,
    bytes: u64,
}

impl Budget {
    /// Begins to count for a conversation.
    pub fn for_row(messages: &[Json], tools: Option<&Json>) -> Budget {
        let size: u64 = messages.iter().chain(tools).map(bytes_of).sum();
        Budget::new(STEPS + STEPS_PER_MESSAGE * messages.len() as u64, BYTES + BYTES_PER_BYTE * size)
    }

    fn new(steps: u64, bytes: u64) -> Budget {
        Budget { steps: STEPS_LEFT.replace(steps), bytes: BYTES_LEFT.replace(bytes) }
    }
}

impl Drop for Budget {
    fn drop(&mut self) {
        STEPS_LEFT.set(self.steps);
        BYTES_LEFT.set(self.bytes);
    }
}

fn bytes_of(json: &Json) -> u64 {
    match json {
        Json::String(text) => text.len() as u64,
        Json::Array(items) => items.iter().map(bytes_of).sum(),
        Json::Object(map) => map.iter().map(|(key, value)| key.len() as u64 + bytes_of(value)).sum(),
        _ => 8,
    }
}

/// Takes `steps`, or refuses.
pub(super) fn spend(steps: usize) -> Eval<()> {
    check()?;
    match STEPS_LEFT.get().checked_sub(steps as u64) {
        Some(left) => {
            STEPS_LEFT.set(left);
            Ok(())
        }
        None => Err(Fault::costly("the template takes too many steps for one row; it may loop without an end")),
    }
}

/// Takes the steps of an operation that walks over `value`.
pub(super) fn walk(value: &Value) -> Eval<()> {
    match value {
        Value::Str(text) => spend(text.as_str().len() / BYTES_PER_STEP),
        Value::List(list) | Value::Tuple(list) => spend(list.items.len()),
        Value::Dict(dict) => spend(dict.entries.len()),
        _ => Ok(()),
    }
}

/// Whether a piece of `bytes` may be made. After the first refusal nothing is, and the next step fails.
pub(super) fn may_make(bytes: usize) -> bool {
    let left = BYTES_LEFT.get().checked_sub((bytes + PIECE_BYTES) as u64);
    BYTES_LEFT.set(left.unwrap_or(0));
    left.is_some()
}

/// Takes the room of `items` values of a list.
pub(super) fn make_items(items: usize) -> Eval<()> {
    may_make(items.saturating_mul(std::mem::size_of::<Value>()));
    check()
}

/// Fails once more text was asked for than may be made.
pub(super) fn check() -> Eval<()> {
    match BYTES_LEFT.get() {
        0 => Err(Fault::costly("the template makes too much text for one row")),
        _ => Ok(()),
    }
}
