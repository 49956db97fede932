//! What is wrong with options that nothing can be compiled from.

use std::collections::HashMap;

use crate::error::{BuildError, BuildErrorKind};
use crate::options::{Boundary, MaskerOptions};

const MARKER_TOKEN_LIMIT: usize = 1 << 24;

/// # Errors
/// When a role has no name, a marker has no ids, or an end marker is declared with two kinds.
pub(super) fn validate(options: &MaskerOptions) -> Result<(), BuildError> {
    let mut tokens = 0;
    for (number, boundary) in options.boundaries.iter().enumerate() {
        validate_boundary(number, boundary, &mut tokens)?;
    }
    if let Some(at) = options.roles_to_train.iter().position(String::is_empty) {
        return Err(BuildError::new(format!("rolesToTrain[{at}]"), None, BuildErrorKind::EmptyRole));
    }
    if let Some(at) = options.exclude.iter().position(|exclude| exclude.start.is_empty()) {
        return Err(BuildError::new(format!("exclude[{at}].start"), None, BuildErrorKind::EmptyMarker));
    }
    Ok(())
}

/// `tokens` counts those of all markers so far.
fn validate_boundary(number: usize, boundary: &Boundary, tokens: &mut usize) -> Result<(), BuildError> {
    let fail =
        |field: &str, kind| Err(BuildError::new(format!("boundaries[{number}].{field}"), Some(&boundary.role), kind));
    if boundary.role.is_empty() {
        return Err(BuildError::new(format!("boundaries[{number}].role"), None, BuildErrorKind::EmptyRole));
    }
    let markers = (boundary.starts.iter().enumerate().map(|(at, ids)| ("starts", at, ids)))
        .chain(boundary.tails.iter().enumerate().map(|(at, ids)| ("tails", at, ids)))
        .chain(boundary.ends.iter().enumerate().map(|(at, end)| ("ends", at, &end.ids)));
    for (field, at, ids) in markers {
        if ids.is_empty() {
            return fail(&format!("{field}[{at}]"), BuildErrorKind::EmptyMarker);
        }
        *tokens = tokens.saturating_add(ids.len());
        if *tokens > MARKER_TOKEN_LIMIT {
            return fail(&format!("{field}[{at}]"), BuildErrorKind::TooManyMarkers);
        }
    }
    let mut kinds = HashMap::new();
    for (at, end) in boundary.ends.iter().enumerate() {
        if *kinds.entry(&end.ids).or_insert(end.kind) != end.kind {
            return fail(&format!("ends[{at}]"), BuildErrorKind::AmbiguousEnd);
        }
    }
    Ok(())
}
