//! The encoders of a run's datasets.

use std::sync::Arc;

use lossmask_chat::{EncodedRow, Encoder, RowError, Tokenizer};
use serde_json::Value;

use crate::{DataError, PipelineSpec};

/// Turns one row of data into ids and a record. The pipeline's only demand on an encoder.
pub trait RowEncoder: Send + Sync {
    /// The row encoded, or why it cannot be.
    ///
    /// # Errors
    /// The row is at fault.
    fn encode(&self, row: &Value) -> Result<EncodedRow, RowError>;

    /// All rows that one row of data becomes; none where its text is empty.
    ///
    /// # Errors
    /// The row is at fault.
    fn encode_all(&self, row: &Value) -> Result<Vec<EncodedRow>, RowError> {
        self.encode(row).map(|row| vec![row])
    }

    /// The text of each token, for people to look at.
    fn token_texts(&self, ids: &[i32]) -> Vec<String>;
}

/// An encoder with the tokenizer it was compiled for.
pub struct DatasetEncoder {
    encoder: Encoder,
    tokenizer: Arc<Tokenizer>,
}

impl DatasetEncoder {
    /// One encoder for each dataset of the spec, then one for each test dataset; they share the tokenizer.
    ///
    /// # Errors
    /// The tokenizer cannot be loaded, or a template or boundaries cannot be compiled.
    pub fn all(spec: &PipelineSpec) -> Result<Vec<Self>, DataError> {
        let tokenizer = Tokenizer::shared(&spec.tokenizer)?;
        let datasets = spec.datasets.iter().chain(&spec.test_datasets);
        let encoders = datasets.map(|dataset| {
            let encoder = Encoder::new(dataset.encoder.clone(), Arc::clone(&tokenizer))?;
            Ok(DatasetEncoder { encoder, tokenizer: Arc::clone(&tokenizer) })
        });
        encoders.collect()
    }
}

impl RowEncoder for DatasetEncoder {
    fn encode(&self, row: &Value) -> Result<EncodedRow, RowError> {
        self.encoder.encode(row)
    }

    fn encode_all(&self, row: &Value) -> Result<Vec<EncodedRow>, RowError> {
        self.encoder.encode_all(row)
    }

    fn token_texts(&self, ids: &[i32]) -> Vec<String> {
        token_texts(&self.tokenizer, ids)
    }
}

/// Each token's text; a token that holds part of a character shows U+FFFD.
pub(crate) fn token_texts(tokenizer: &Tokenizer, ids: &[i32]) -> Vec<String> {
    ids.iter().map(|&id| String::from_utf8_lossy(tokenizer.token_bytes(id)).into_owned()).collect()
}
