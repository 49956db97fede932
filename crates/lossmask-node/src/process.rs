//! What concerns the process as a whole: panics that are kept quiet, and an end that waits for nothing.

use std::panic;

use napi_derive::napi;

/// A panic becomes an error that names it (`crate::error::caught`): the text that Rust prints besides is shown on demand only.
#[napi(catch_unwind)]
pub fn keep_panics_quiet() {
    panic::set_hook(Box::new(|_| {}));
}

/// Removes the folders that runs are still writing and ends the process at once. Node's own exit waits for its thread pool, which a
/// blocked read or an endless row would hold for ever.
#[napi(catch_unwind)]
pub fn end_process(code: i32) {
    lossmask_data::abandon_all();
    // SAFETY: `_exit` takes no pointer and returns to nobody; open files are closed by the system.
    unsafe { libc::_exit(code) }
}
