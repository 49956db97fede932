//! The facade: compile once, mask many rows.

mod batch;
mod engine;
mod peers;
mod whole_row;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

pub use batch::Rows;

use crate::compile::Plan;
use crate::diagnosis::Diagnosis;
use crate::error::{BuildError, ShapeError};
use crate::explain::{self, NearMiss, RowContext};
use crate::ids::{Label, MaskValue, TokenId, as_labels};
use crate::label::{Job, Row};
use crate::options::MaskerOptions;
use crate::record::{Record, Turn};
use crate::rules::Rules;
use crate::scan::Found;
use crate::vector::{Available, Engine, Lanes};
use batch::{in_parallel, real_tokens};
use whole_row::WholeRow;

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
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    plan: Plan,
    /// Whose rules find the turns.
    rules: Rules,
    /// What the passes over a row run on; see `engine`.
    engine: Available,
    /// Whether labels are decided on while the row is scanned.
    decides_as_it_scans: bool,
    /// See [`Job::through_bytes`].
    through_bytes: usize,
}

/// Input and output together beyond which stores go past the caches.
const THROUGH_BYTES: usize = 64 << 20;

impl Masker {
    /// Compiles the options.
    ///
    /// # Errors
    /// When a role has no name, a marker has no ids, or an end marker is declared with two kinds.
    pub fn new(options: &MaskerOptions) -> Result<Masker, BuildError> {
        Ok(Masker::compiled(Plan::new(options)?, Rules::Boundaries, Available::fastest()))
    }

    fn compiled(plan: Plan, rules: Rules, engine: Available) -> Masker {
        let decides_as_it_scans = rules.are_those_of_the_scan() && plan.decidable_as_it_scans();
        Masker {
            compiled: Arc::new(Compiled { plan, rules, engine, decides_as_it_scans, through_bytes: THROUGH_BYTES }),
        }
    }

    fn plan(&self) -> &Plan {
        &self.compiled.plan
    }

    /// The instruction set that the inner loops run on: by default the fastest that the machine has.
    pub fn engine(&self) -> Engine {
        self.compiled.engine.engine()
    }

    /// The options compiled for another instruction set, to compare them.
    ///
    /// # Errors
    /// As [`Masker::new`].
    ///
    /// # Panics
    /// When the engine is not among [`Engine::available`].
    ///
    /// ```
    /// use lossmask::{Engine, Masker, MaskerOptions};
    ///
    /// let masker = Masker::with_engine(&MaskerOptions::default(), Engine::Scalar)?;
    /// assert_eq!(masker.engine(), Engine::Scalar);
    /// # Ok::<(), lossmask::BuildError>(())
    /// ```
    pub fn with_engine(options: &MaskerOptions, engine: Engine) -> Result<Masker, BuildError> {
        Ok(Masker::compiled(Plan::new(options)?, Rules::Boundaries, Available::check(engine)))
    }

    /// The role names that [`Turn::role`] points into, in order of declaration.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// assert_eq!(&*masker.roles()[0], "assistant");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn roles(&self) -> &[Arc<str>] {
        &self.plan().roles
    }

    /// The label of a token that is not trained.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// assert_eq!(masker.ignore_index(), -100);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ignore_index(&self) -> i32 {
        self.plan().ignore_index
    }

    /// The labels of one row.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// assert_eq!(masker.labels(&[1, 2, 7, 9, 5]), [-100, -100, 7, 9, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn labels<I: TokenId>(&self, ids: &[I]) -> Vec<I::Label> {
        let mut labels = vec![I::Label::from_i32(0); ids.len()];
        self.write(as_labels(ids), &mut labels);
        labels
    }

    /// The labels of one row, into an array of its length.
    ///
    /// # Errors
    /// When the lengths differ; nothing is written then.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let mut labels = [0; 5];
    /// masker.labels_into(&[1, 2, 7, 9, 5], &mut labels)?;
    /// assert_eq!(labels, [-100, -100, 7, 9, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn labels_into<I: TokenId>(&self, ids: &[I], labels: &mut [I::Label]) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len(), labels.len())?;
        self.write(as_labels(ids), labels);
        Ok(())
    }

    /// Turns the ids of one row into its labels.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let mut row = [1, 2, 7, 9, 5];
    /// masker.labels_in_place(&mut row);
    /// assert_eq!(row, [-100, -100, 7, 9, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn labels_in_place<L: Label>(&self, row: &mut [L]) {
        self.write_in_place(row);
    }

    /// Which tokens of one row are trained, as bits: bit `i % 8` of byte `i / 8` is token `i`, as in Arrow. The bits after
    /// the row in its last byte are 0.
    ///
    /// # Errors
    /// When `bits` is not `ids.len().div_ceil(8)` bytes long; nothing is written then.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let mut bits = [0];
    /// masker.mask_into(&[1, 2, 7, 9, 5], &mut bits)?;
    /// assert_eq!(bits, [0b01100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mask_into<I: TokenId>(&self, ids: &[I], bits: &mut [u8]) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len().div_ceil(8), bits.len())?;
        self.write_bits(as_labels(ids), bits);
        Ok(())
    }

    /// The labels of many rows, on several threads where there are a million tokens for each.
    ///
    /// With an attention mask, padding is known by position: a row is scanned from its first token to its last, and padding is neither
    /// trained nor read as a marker.
    ///
    /// # Errors
    /// When the arrays do not fit each other or the rows; nothing is written then.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let mut labels = [0; 6];
    /// masker.labels_batch_into(&[1, 2, 7, 0, 1, 2], Rows::Length(3), None::<&[u8]>, &mut labels)?;
    /// assert_eq!(labels, [-100, -100, 7, -100, -100, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let mut ids = [1, 2, 7, 0, 1, 2];
    /// masker.labels_batch_in_place(&mut ids, Rows::Offsets(&[0, 3, 6]), None::<&[u8]>)?;
    /// assert_eq!(ids, [-100, -100, 7, -100, -100, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn labels_batch_in_place<L: Label, M: MaskValue>(
        &self,
        ids: &mut [L],
        rows: Rows<'_>,
        attention_mask: Option<&[M]>,
    ) -> Result<(), ShapeError> {
        check_batch(ids.len(), rows, attention_mask)?;
        let ignore = L::from_i32(self.plan().ignore_index);
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
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let labels = masker.labels_batch(&[1, 2, 7, 0, 1, 2], Rows::Length(3), Some(&[1_u8, 1, 1, 0, 1, 1]))?;
    /// assert_eq!(labels, [-100, -100, 7, -100, -100, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
            None => self.write(ids, labels),
            Some(mask) => {
                let tokens = real_tokens(mask);
                self.write(&ids[tokens.clone()], &mut labels[tokens.clone()]);
                mask_padding(mask, tokens, L::from_i32(self.plan().ignore_index), labels);
            }
        }
    }

    /// Masks labels that exist already: those of untrained tokens become the ignore index, the others stay as they are.
    ///
    /// # Errors
    /// When the lengths differ; nothing is written then.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let mut labels = [1, 2, -100, 9, 5];
    /// masker.mask_labels(&[1, 2, 7, 9, 5], &mut labels)?;
    /// assert_eq!(labels, [-100, -100, -100, 9, -100]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mask_labels<I: TokenId>(&self, ids: &[I], labels: &mut [I::Label]) -> Result<(), ShapeError> {
        check_output(ids.len(), ids.len(), labels.len())?;
        let mut bits = vec![0; ids.len().div_ceil(8)];
        self.write_bits(as_labels(ids), &mut bits);
        let ignore = I::Label::from_i32(self.ignore_index());
        for (at, label) in labels.iter_mut().enumerate() {
            if bits[at / 8] >> (at % 8) & 1 == 0 {
                *label = ignore;
            }
        }
        Ok(())
    }

    /// The turns of one row, in order.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let turns = masker.turns(&[5, 1, 2, 7, 9]);
    /// assert_eq!((turns[0].start, turns[0].content_start, turns[0].content_end, turns[0].end), (1, 3, 4, 5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn turns<I: TokenId>(&self, ids: &[I]) -> Vec<Turn> {
        let found = self.found(as_labels(ids));
        let rules = self.plan().row_rules(&found);
        found.iter().enumerate().map(|(index, turn)| self.plan().public_turn(turn, index, &rules)).collect()
    }

    /// The record of one row: its turns, and of every token what it is, whether it is trained, and why. Writing labels from
    /// it gives what [`Masker::labels`] gives.
    ///
    /// # Panics
    /// When `context.tokens` does not lie in the row.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let record = masker.record(&[5, 1, 2, 7, 9], &RowContext::default());
    /// let reasons: Vec<&str> = record.spans.iter().map(|span| span.reason.name()).collect();
    /// assert_eq!(reasons, ["outside", "header", "role", "train-on-eos"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn record<I: TokenId>(&self, ids: &[I], context: &RowContext<'_>) -> Record {
        let ids = as_labels(ids);
        let turns = self.found(&ids[context.tokens(ids.len())]);
        explain::record(self.plan(), ids, &turns, context)
    }

    /// The near misses of one row: positions outside a recognised header where a start marker's first tokens are but no
    /// whole start marker is.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// let misses = masker.near_misses(&[5, 1, 3]);
    /// assert_eq!((misses[0].start, misses[0].matched, misses[0].expected), (1, 1, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn near_misses<I: TokenId>(&self, ids: &[I]) -> Vec<NearMiss> {
        let ids = as_labels(ids);
        explain::near_misses(self.plan(), ids, &self.found(ids))
    }

    /// What the ids of one row show to be odd about its turns: `stray-end-marker`, an end marker with text in front of it
    /// that is in no turn. Ids cannot tell a whole turn that was typed into a message from a real one.
    ///
    /// ```
    /// # use lossmask::{Boundary, End, EndKind, Masker, MaskerOptions, RowContext, Rows};
    /// # let answer = Boundary {
    /// #     role: "assistant".into(),
    /// #     starts: vec![vec![1, 2]],
    /// #     ends: vec![End { ids: vec![9], kind: EndKind::Consumed }],
    /// #     ..Boundary::default()
    /// # };
    /// # let masker = Masker::new(&MaskerOptions { boundaries: vec![answer], ..MaskerOptions::default() })?;
    /// assert_eq!(masker.diagnose(&[5, 9]), [], "with a single role, all else is outside on purpose");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diagnose<I: TokenId>(&self, ids: &[I]) -> Vec<Diagnosis> {
        let ids = as_labels(ids);
        explain::diagnose(self.plan(), ids, &self.found(ids))
    }
}

/// What the public functions come down to.
impl Masker {
    /// The turns of a row, from left to right.
    fn found<L: Lanes>(&self, ids: &[L]) -> Vec<Found> {
        let mut turns = Vec::new();
        self.find_turns(ids, &mut turns);
        turns
    }

    /// Adds the turns of a row, from left to right.
    fn find_turns<L: Lanes>(&self, ids: &[L], turns: &mut Vec<Found>) {
        match self.compiled.rules.turns(self.plan(), ids) {
            Some(found) => turns.extend(found),
            None => engine::turns(self.compiled.engine, self.plan(), ids, turns),
        }
    }

    /// What the engines need to write a row.
    fn job<'a>(&'a self, decided: &'a Option<WholeRow>) -> Job<'a> {
        let ranges = decided.as_ref().map(WholeRow::ranges);
        Job { plan: self.plan(), ranges, through_bytes: self.compiled.through_bytes }
    }

    fn write<L: Lanes>(&self, ids: &[L], labels: &mut [L]) {
        assert_eq!(ids.len(), labels.len());
        let row = Row { ids: ids.as_ptr(), length: ids.len() };
        let decided = WholeRow::decide(self, ids);
        // SAFETY: the slices are valid and, one being borrowed mutably, do not overlap.
        unsafe { engine::labels(self.compiled.engine, self.job(&decided), row, labels.as_mut_ptr()) }
    }

    fn write_in_place<L: Lanes>(&self, row: &mut [L]) {
        let decided = WholeRow::decide(self, row);
        let labels = row.as_mut_ptr();
        let ids = Row { ids: labels, length: row.len() };
        // SAFETY: both pointers are the one mutable borrow.
        unsafe { engine::labels(self.compiled.engine, self.job(&decided), ids, labels) };
    }

    fn write_bits<L: Lanes>(&self, ids: &[L], bits: &mut [u8]) {
        assert_eq!(ids.len().div_ceil(8), bits.len());
        let row = Row { ids: ids.as_ptr(), length: ids.len() };
        let decided = WholeRow::decide(self, ids);
        // SAFETY: the row is borrowed during the call, and `bits`, which has a bit for each of its tokens, is not part of it.
        unsafe { engine::bits(self.compiled.engine, self.job(&decided), row, bits.as_mut_ptr()) }
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
