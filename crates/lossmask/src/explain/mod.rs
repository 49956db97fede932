//! What can be said of a row and its turns: the record, near misses, and end markers that end nothing.

mod near_miss;
mod record;
mod stray_ends;

pub use near_miss::NearMiss;
pub(crate) use near_miss::near_misses;
pub use record::RowContext;
pub(crate) use record::record;
pub(crate) use stray_ends::diagnose;
