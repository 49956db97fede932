//! Placeholder expansion behind `src/media/`.

use lossmask_media::Request;
use napi_derive::napi;

use crate::error::Issue;

/// Expands the media that `request` (JSON) names; the answer is JSON too.
#[napi(catch_unwind)]
pub fn expand_media(request: String) -> napi::Result<String> {
    let request: Request = serde_json::from_str(&request).map_err(|error| {
        Issue::new("invalid-media-request", error.to_string()).hint("sizes are whole numbers: images: [[640, 480]]")
    })?;
    let answer =
        request.answer().map_err(|error| Issue { path: error.path, ..Issue::new(error.code, error.message) })?;
    serde_json::to_string(&answer).map_err(|error| Issue::new("internal-error", error.to_string()).into())
}
