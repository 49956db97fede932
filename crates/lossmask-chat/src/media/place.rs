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

impl MediaStep {
    /// Edits the text, its generation blocks and its origins. What is put in has the origin of the placeholder: the template.
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
        let expansions = self.expand(&media)?;
        let folds = self.folds(tokenizer, &expansions);
        let found = self.find(&media, &rendered.text, origins)?;

        let mut text = String::with_capacity(rendered.text.len() + 256 * media.len());
        let mut edits = Edits::default();
        let mut placed: Vec<Option<Placed>> = vec![None; media.len()];
        let mut items: Vec<Option<(Measured, Expansion)>> = media.into_iter().zip(expansions).map(Some).collect();
        let mut at = 0;
        for (bytes, item) in found {
            let Some((measured, expansion)) = items[item].take() else { continue };
            text.push_str(&rendered.text[at..bytes.start]);
            let start = text.len();
            let mut folded = Vec::new();
            for (token, count) in &expansion.runs {
                let name = token.to_string();
                if *count > 1 && folds.contains(&name) {
                    folded.push((text.len(), *count));
                    text.push_str(&name);
                } else {
                    (0..*count).for_each(|_| text.push_str(&name));
                }
            }
            edits.push(bytes.clone(), start..text.len());
            at = bytes.end;
            let kind = measured.item.kind();
            placed[item] =
                Some(Placed { kind, reference: measured.reference, expansion, bytes: start..text.len(), folded });
        }
        text.push_str(&rendered.text[at..]);

        rendered.text = text;
        rendered.generation_spans.iter_mut().for_each(|span| *span = edits.map(span));
        origins.runs.iter_mut().for_each(|run| run.bytes = edits.map(&run.bytes));
        let mut placed: Vec<Placed> = placed.into_iter().flatten().collect();
        placed.sort_by_key(|placed| placed.bytes.start);
        Ok(placed)
    }

    /// Every placeholder that the template wrote, in the order of the text, with the item it stands for.
    fn find(&self, media: &[Measured], text: &str, origins: &Origins) -> Result<Vec<(Range<usize>, usize)>, RowError> {
        let mut found = Vec::with_capacity(media.len());
        for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Audio] {
            let items: Vec<usize> = (0..media.len()).filter(|&item| media[item].item.kind() == kind).collect();
            let Some(placeholder) = self.placeholder(kind).filter(|_| !items.is_empty()) else { continue };
            let mut next = items.iter();
            let mut count = 0;
            for (start, _) in text.match_indices(placeholder) {
                let bytes = start..start + placeholder.len();
                if !from_template(origins, text, &bytes, kind) {
                    continue;
                }
                count += 1;
                if let Some(&item) = next.next() {
                    found.push((bytes, item));
                }
            }
            if count != items.len() {
                let first = items.first().map(|&item| media[item].path.clone());
                return Err(RowError {
                    code: "media-placeholders",
                    path: first,
                    message: format!(
                        "the template wrote {placeholder} {count} times for {} {}s",
                        items.len(),
                        kind.name()
                    ),
                    hint: Some(
                        "use the chat template of the multimodal model, and name its family in media.family".to_owned(),
                    ),
                });
            }
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
