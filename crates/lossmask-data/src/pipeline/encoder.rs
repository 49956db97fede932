//! The encoders of a run's datasets.

use lossmask_chat::{EncodedRow, RowError};
use serde_json::Value;

/// Turns one row of data into ids and a record. The pipeline's only demand on an encoder.
pub trait RowEncoder: Send + Sync {
    /// The row encoded, or why it cannot be.
    ///
    /// # Errors
    /// The row is at fault.
    fn encode(&self, row: &Value) -> Result<EncodedRow, RowError>;

    /// The text of each token, for people to look at.
    fn token_texts(&self, ids: &[i32]) -> Vec<String>;
}
