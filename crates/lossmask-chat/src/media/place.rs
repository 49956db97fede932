//! Placeholders in a rendered text become what the processor writes there.

use std::ops::Range;

use lossmask_media::{Expansion, MediaKind};

use super::{Measured, MediaStep};
use crate::row::RowError;
use crate::template::{Origin, Origins, Rendered};
use crate::tokenizer::Tokenizer;

/// One item's place in the edited text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) kind: MediaKind,
    pub(crate) reference: String,
    pub(crate) expansion: Expansion,
    /// Bytes that stand in the place of the placeholder.
    pub(crate) bytes: Range<usize>,
    /// Tokens that stand once for many: where they begin, and how often they are meant.
    pub(crate) folded: Vec<(usize, u32)>,
}

/// A text with media in the place of their placeholders.
pub(crate) struct Spliced {
    pub(crate) text: String,
    /// In the order of the text.
    pub(crate) placed: Vec<Placed>,
    edits: Edits,
}

impl Spliced {
    /// Where an offset of the old text stands in the new one. One inside a placeholder moves to its beginning.
    pub(crate) fn offset(&self, at: usize) -> usize {
        self.edits.offset(at)
    }
}

impl MediaStep {
    /// Edits a rendered text, its generation blocks and its origins. What is put in has the origin of the placeholder: the template.
    pub(crate) fn place(
        &self,
        tokenizer: &Tokenizer,
        media: Vec<Measured>,
        rendered: &mut Rendered,
        origins: &mut Origins,
    ) -> Result<Vec<Placed>, RowError> {
        if media.is_empty() {
            return Ok(Vec::new());
        }
        let text = &rendered.text;
        let stands = |bytes: &Range<usize>, kind| from_template(origins, text, bytes, kind);
        let Spliced { text, placed, edits } = self.splice(tokenizer, media, text, "the template wrote", stands)?;
        rendered.text = text;
        rendered.generation_spans.iter_mut().for_each(|span| *span = edits.map(span));
        origins.runs.iter_mut().for_each(|run| run.bytes = edits.map(&run.bytes));
        Ok(placed)
    }

    /// Puts media in the place of the placeholders for which `stands` holds. `who` begins the sentence that tells of a wrong number.
    pub(crate) fn splice(
        &self,
        tokenizer: &Tokenizer,
        media: Vec<Measured>,
        text: &str,
        who: &str,
        stands: impl Fn(&Range<usize>, MediaKind) -> bool,
    ) -> Result<Spliced, RowError> {
        let expansions = self.expand(&media)?;
        let folds = self.folds(tokenizer, &expansions);
        let found = self.find(&media, text, who, stands)?;

        let mut spliced = String::with_capacity(text.len() + 256 * media.len());
        let mut edits = Edits::default();
        let mut placed = Vec::with_capacity(media.len());
        let mut items: Vec<Option<(Measured, Expansion)>> = media.into_iter().zip(expansions).map(Some).collect();
        let mut at = 0;
        for (bytes, item) in found {
            let Some((measured, expansion)) = items[item].take() else { continue };
            spliced.push_str(&text[at..bytes.start]);
            let start = spliced.len();
            let mut folded = Vec::new();
            for (token, count) in &expansion.runs {
                let name = token.to_string();
                if *count > 1 && folds.contains(&name) {
                    folded.push((spliced.len(), *count));
                    spliced.push_str(&name);
                } else {
                    (0..*count).for_each(|_| spliced.push_str(&name));
                }
            }
            edits.push(bytes.clone(), start..spliced.len());
            at = bytes.end;
            let kind = measured.item.kind();
            let bytes = start..spliced.len();
            placed.push(Placed { kind, reference: measured.reference, expansion, bytes, folded });
        }
        spliced.push_str(&text[at..]);
        Ok(Spliced { text: spliced, placed, edits })
    }

    /// Every placeholder that stands for media, in the order of the text, with the item it stands for.
    fn find(
        &self,
        media: &[Measured],
        text: &str,
        who: &str,
        stands: impl Fn(&Range<usize>, MediaKind) -> bool,
    ) -> Result<Vec<(Range<usize>, usize)>, RowError> {
        let mut found = Vec::with_capacity(media.len());
        for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Audio] {
            let items: Vec<usize> = (0..media.len()).filter(|&item| media[item].item.kind() == kind).collect();
            let Some(placeholder) = self.placeholder(kind).filter(|_| !items.is_empty()) else { continue };
            let places = text.match_indices(placeholder).map(|(start, _)| start..start + placeholder.len());
            let places: Vec<Range<usize>> = places.filter(|bytes| stands(bytes, kind)).collect();
            if places.len() != items.len() {
                return Err(RowError {
                    code: "media-placeholders",
                    path: items.first().map(|&item| media[item].path.clone()),
                    message: format!("{who} {placeholder} {} times for {} {}s", places.len(), items.len(), kind.name()),
                    hint: Some(
                        "use the chat template of the multimodal model, and name its family in media.family".to_owned(),
                    ),
                });
            }
            found.extend(places.into_iter().zip(items));
        }
        found.sort_by_key(|(bytes, _)| bytes.start);
        Ok(found)
    }
}

/// Whether the template wrote all of these bytes: a placeholder that somebody typed is text. A template may make it of the part's
/// `type`, which is the kind's own name.
fn from_template(origins: &Origins, text: &str, bytes: &Range<usize>, kind: MediaKind) -> bool {
    let first = origins.runs.partition_point(|run| run.bytes.end <= bytes.start);
    let touching = origins.runs[first..].iter().take_while(|run| run.bytes.start < bytes.end);
    touching.filter(|run| !run.bytes.is_empty()).all(|run| match run.origin {
        Origin::Scaffold => true,
        Origin::Field { field, .. } | Origin::Made { field, .. } => {
            text[run.bytes.clone()].eq_ignore_ascii_case(kind.name()) && origins.path(field).ends_with("].type")
        }
    })
}

/// Replaced stretches, old and new, in order.
#[derive(Default)]
struct Edits(Vec<(Range<usize>, Range<usize>)>);

impl Edits {
    fn push(&mut self, old: Range<usize>, new: Range<usize>) {
        self.0.push((old, new));
    }

    /// Where a stretch of the old text stands in the new one. A border inside a placeholder moves to its beginning.
    fn map(&self, bytes: &Range<usize>) -> Range<usize> {
        self.offset(bytes.start)..self.offset(bytes.end)
    }

    fn offset(&self, at: usize) -> usize {
        let passed = self.0.partition_point(|(old, _)| old.end <= at);
        let base = passed.checked_sub(1).map_or(at, |last| {
            let (old, new) = &self.0[last];
            new.end + (at - old.end)
        });
        match self.0.get(passed) {
            Some((old, new)) if old.start < at => new.start,
            _ => base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_follow_the_edits() {
        let mut edits = Edits::default();
        edits.push(3..5, 3..13);
        edits.push(5..6, 13..13);
        for (old, new) in [(0, 0), (3, 3), (4, 3), (5, 13), (6, 13), (9, 16)] {
            assert_eq!(edits.offset(old), new, "{old}");
        }
    }
}
