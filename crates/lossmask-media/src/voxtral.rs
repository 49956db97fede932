//! Voxtral: audio in chunks of half a minute.

use crate::arith::count;
use crate::expander::{Place, Prompt, Rules};
use crate::expansion::{Expansion, MediaKind};
use crate::params::{Params, ParamsError};

/// Absent keys: the released checkpoints.
pub(crate) fn voxtral(params: &Params) -> Result<Rules, ParamsError> {
    let reader = params.reader(MediaKind::Audio);
    let rate = f64::from(reader.uint("sampling_rate", &[], 16_000, 1..=1 << 20)?);
    let seconds = reader.float("chunk_length_s", 30.0, 1.0..=3600.0)?;
    let hop = u64::from(reader.uint("hop_length", &[], 160, 1..=1 << 16)?);
    let per_token = u64::from(reader.uint("audio_length_per_tok", &[], 8, 1..=1 << 16)?);
    let chunk = (rate * seconds) as u64;
    Ok(Rules::default().audios(Prompt::bare("[AUDIO]"), move |samples, _: Place| {
        let padded = samples.div_ceil(chunk) * chunk;
        let tokens = (padded / hop).div_ceil(per_token);
        let mut expansion = Expansion::with_capacity(2);
        expansion.token("[BEGIN_AUDIO]");
        expansion.placeholders("[AUDIO]", count(tokens as f64)?);
        Ok(expansion)
    }))
}
