//! The facade: compile once, mask many rows.

use std::ops::Range;
use std::sync::Arc;

use crate::batch::{Rows, in_parallel, real_tokens};
use crate::diagnosis::Diagnosis;
use crate::error::{BuildError, ShapeError};
use crate::explain::RowContext;
use crate::ids::{Label, MaskValue, TokenId, as_labels};
use crate::labels;
use crate::near_miss::NearMiss;
use crate::options::MaskerOptions;
use crate::plan::Plan;
use crate::record::{Record, Turn};
use crate::scan;
use crate::search::{Engine, kernels};
use crate::semantics::{self, TemplateWarning};

/// Decides for every token of a row whether a model is trained on it.
///
/// Compiled once from [`MaskerOptions`], it is immutable: share it between threads as it is.
///
/// ```
/// use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions};
///
/// // <|im_start|> 151644, assistant 77091, \n 198, <|im_end|> 151645
/// let masker = Masker::new(&MaskerOptions {
///     boundaries: vec![Boundary {
///         role: "assistant".into(),
///         starts: vec![vec![151644, 77091]],
///         tails: vec![vec![198]],
///         ends: vec![End { ids: vec![151645], kind: EndKind::Consumed }],
///         include_start: false,
///     }],
///     ..MaskerOptions::default()
/// })?;
/// let labels = masker.labels(&[151644, 77091, 198, 9707, 0, 151645, 198]);
/// assert_eq!(labels, [-100, -100, -100, 9707, 0, 151645, -100]);
/// # Ok::<(), lossmask::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Masker {
    plan: Arc<Plan>,
}

impl Masker {
    /// Compiles the options.
    ///
    /// # Errors
    /// When a role has no name, a marker has no ids, or an end marker is declared with two kinds.
    pub fn new(options: &MaskerOptions) -> Result<Masker, BuildError> {
        Ok(Masker::from_plan(Plan::new(options)?))
    }

    pub(crate) fn from_plan(mut plan: Plan) -> Masker {
        plan.decides_as_it_scans = plan.decidable_as_it_scans();
        Masker { plan: Arc::new(plan) }
    }

    /// The instruction set that the inner loops run on: by default the fastest that the machine has.
    pub fn engine(&self) -> Engine {
        self.plan.engine
    }

    /// The options compiled for another instruction set, to compare them.
    ///
    /// # Errors
    /// As [`Masker::new`].
    ///
    /// # Panics
    /// When the engine is not among [`Engine::available`].
    pub fn with_engine(options: &MaskerOptions, engine: Engine) -> Result<Masker, BuildError> {
        let mut plan = Plan::new(options)?;
        plan.kernels = kernels(engine);
        plan.engine = engine;
        Ok(Masker::from_plan(plan))
    }

    /// The role names that [`Turn::role`] points into, in order of declaration.
    pub fn roles(&self) -> &[Arc<str>] {
        &self.plan.roles
    }

    /// The label of a token that is not trained.
    pub fn ignore_index(&self) -> i32 {
        self.plan.ignore_index
    }

    /// The labels of one row.
    pub fn labels<I: TokenId>(&self, ids: &[I]) -> Vec<I::Label> {
        let mut labels = vec![I::Label::from_i32(0); ids.len()];
        labels::write(&self.plan, as_labels(ids), &mut labels);
        labels
    }

    /// The labels of one row, into an array of its length.
    ///
    /// # Errors
    /// When the lengths differ; nothing is written then.
    pub fn labels_into<I: TokenId>(&self, ids: &[I], labels: &mut [I::Label]) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len(), labels.len())?;
        labels::write(&self.plan, as_labels(ids), labels);
        Ok(())
    }

    /// Turns the ids of one row into its labels.
    pub fn labels_in_place<L: Label>(&self, row: &mut [L]) {
        labels::write_in_place(&self.plan, row);
    }

    /// Which tokens of one row are trained, as bits: bit `i % 8` of byte `i / 8` is token `i`, as in Arrow. The bits behind
    /// the row in its last byte are 0.
    ///
    /// # Errors
    /// When `bits` is not `ids.len().div_ceil(8)` bytes long; nothing is written then.
    pub fn mask_into<I: TokenId>(&self, ids: &[I], bits: &mut [u8]) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len().div_ceil(8), bits.len())?;
        labels::write_bits(&self.plan, as_labels(ids), bits);
        Ok(())
    }

    /// The labels of many rows, on several threads where there are a million tokens for each. With an attention mask, padding is what it says by position: a row is scanned from its
    /// first token to its last, and padding is never trained nor read as a marker.
    ///
    /// # Errors
    /// When the arrays do not fit each other or the rows; nothing is written then.
    pub fn labels_batch_into<I: TokenId, M: MaskValue>(
        &self,
        ids: &[I],
        rows: Rows<'_>,
        attention_mask: Option<&[M]>,
        labels: &mut [I::Label],
    ) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len(), labels.len())?;
        check_batch(ids.len(), rows, attention_mask)?;
        let ids = as_labels(ids);
        in_parallel(rows, ids.len(), labels, |group, labels| {
            let first = rows.row(group.start).start;
            for index in group {
                let row = rows.row(index);
                let mask = attention_mask.map(|mask| &mask[row.clone()]);
                self.padded_row(&ids[row.clone()], mask, &mut labels[row.start - first..row.end - first]);
            }
        });
        Ok(())
    }

    /// Turns the ids of many rows into their labels; see [`Masker::labels_batch_into`].
    ///
    /// # Errors
    /// When the arrays do not fit each other or the rows; nothing is written then.
    pub fn labels_batch_in_place<L: Label, M: MaskValue>(
        &self,
        ids: &mut [L],
        rows: Rows<'_>,
        attention_mask: Option<&[M]>,
    ) -> Result<(), ShapeError> {
        check_batch(ids.len(), rows, attention_mask)?;
        let ignore = L::from_i32(self.plan.ignore_index);
        in_parallel(rows, ids.len(), ids, |group, ids| {
            let first = rows.row(group.start).start;
            for index in group {
                let range = rows.row(index);
                let row = &mut ids[range.start - first..range.end - first];
                match attention_mask.map(|mask| &mask[range]) {
                    None => self.labels_in_place(row),
                    Some(mask) => {
                        let tokens = real_tokens(mask);
                        self.labels_in_place(&mut row[tokens.clone()]);
                        mask_padding(mask, tokens, ignore, row);
                    }
                }
            }
        });
        Ok(())
    }

    /// The labels of many rows in an array of their own; see [`Masker::labels_batch_into`].
    ///
    /// # Errors
    /// When the arrays do not fit each other or the rows.
    pub fn labels_batch<I: TokenId, M: MaskValue>(
        &self,
        ids: &[I],
        rows: Rows<'_>,
        attention_mask: Option<&[M]>,
    ) -> Result<Vec<I::Label>, ShapeError> {
        let mut labels = vec![I::Label::from_i32(0); ids.len()];
        self.labels_batch_into(ids, rows, attention_mask, &mut labels)?;
        Ok(labels)
    }

    fn padded_row<L: Label, M: MaskValue>(&self, ids: &[L], mask: Option<&[M]>, labels: &mut [L]) {
        match mask {
            None => labels::write(&self.plan, ids, labels),
            Some(mask) => {
                let tokens = real_tokens(mask);
                labels::write(&self.plan, &ids[tokens.clone()], &mut labels[tokens.clone()]);
                mask_padding(mask, tokens, L::from_i32(self.plan.ignore_index), labels);
            }
        }
    }

    /// Masks labels that exist already: those of untrained tokens become the ignore index, the others stay as they are.
    ///
    /// # Errors
    /// When the lengths differ; nothing is written then.
    pub fn mask_labels<I: TokenId>(&self, ids: &[I], labels: &mut [I::Label]) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len(), labels.len())?;
        labels::mask(&self.plan, as_labels(ids), labels);
        Ok(())
    }

    /// What the tool warns of whose rules the masker follows: see [`Masker::completion_only`]. Empty for role boundaries.
    pub fn template_warnings<I: TokenId>(&self, ids: &[I]) -> Vec<TemplateWarning> {
        semantics::warnings(&self.plan, as_labels(ids))
    }

    /// The turns of one row, in order.
    pub fn turns<I: TokenId>(&self, ids: &[I]) -> Vec<Turn> {
        let found = scan::turns(&self.plan, as_labels(ids));
        let rules = self.plan.row_rules(&found);
        found.iter().enumerate().map(|(index, turn)| self.plan.public_turn(turn, index, &rules)).collect()
    }

    /// The record of one row: its turns, and of every token what it is, whether it is trained, and why. Writing labels from
    /// it gives what [`Masker::labels`] gives.
    ///
    /// # Panics
    /// When `context.tokens` does not lie in the row.
    pub fn record<I: TokenId>(&self, ids: &[I], context: &RowContext<'_>) -> Record {
        self.plan.record(as_labels(ids), context)
    }

    /// The near misses of one row: positions outside a recognised header where a start marker's first tokens stand but no
    /// whole start marker does.
    pub fn near_misses<I: TokenId>(&self, ids: &[I]) -> Vec<NearMiss> {
        self.plan.near_misses(as_labels(ids))
    }

    /// What the ids of one row show to be odd about its turns: `stray-end-marker`, an end marker with text in front of it
    /// that is in no turn. Ids cannot tell a whole turn that was typed into a message from a real one.
    pub fn diagnose<I: TokenId>(&self, ids: &[I]) -> Vec<Diagnosis> {
        self.plan.diagnose(as_labels(ids))
    }
}

fn check_output(ids: usize, expected: usize, actual: usize) -> Result<(), ShapeError> {
    if actual == expected { Ok(()) } else { Err(ShapeError::OutputLength { ids, expected, actual }) }
}

fn check_batch<M>(ids: usize, rows: Rows<'_>, mask: Option<&[M]>) -> Result<(), ShapeError> {
    rows.validate(ids)?;
    match mask {
        Some(mask) if mask.len() != ids => Err(ShapeError::MaskLength { ids, actual: mask.len() }),
        _ => Ok(()),
    }
}

/// Labels the padding: what lies outside `tokens`, and the zeros within.
fn mask_padding<L: Label, M: MaskValue>(mask: &[M], tokens: Range<usize>, ignore: L, labels: &mut [L]) {
    labels[..tokens.start].fill(ignore);
    labels[tokens.end..].fill(ignore);
    for (label, value) in labels[tokens.clone()].iter_mut().zip(&mask[tokens]) {
        if !value.is_token() {
            *label = ignore;
        }
    }
}
