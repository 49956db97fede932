//! The masker behind `src/masker.ts`: token ids of any integer type in, labels out.

use lossmask::MaskerOptions;
use napi_derive::napi;

use crate::error::{Issue, caught};

/// Checks that `options` (JSON) are a masker's.
#[napi(catch_unwind)]
pub fn check_masker_options(options: String) -> napi::Result<()> {
    caught(|| {
        serde_json::from_str::<MaskerOptions>(&options)
            .map(|_| ())
            .map_err(|error| Issue::new("invalid-masker-options", error.to_string()).into())
    })
}
