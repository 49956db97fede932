//! Maskers by the rules of other tools.

use crate::error::BuildError;
use crate::ids::{TokenId, as_labels};
use crate::masker::Masker;
use crate::rules::{CompletionOnly, ResponsesOnly, Rules, TemplateWarning};
use crate::vector::Available;

impl Masker {
    /// TRL's completion-only collator over ids.
    ///
    /// Multi-role: what lies between a response template and the next template of any kind is trained; several roles and
    /// several turns of one role in a row are fine. Where templates overlap, the leftmost and then the longest counts.
    ///
    /// Classic: without an instruction template everything after the last response template is trained. With one, the row is
    /// masked from the n-th instruction to the n-th response, whatever lies in between (a first instruction after the
    /// first response is taken to be at the row's beginning), and from the last instruction on when there are more
    /// instructions than responses.
    ///
    /// # Errors
    /// When a template has no ids, or the classic class is given several instruction templates.
    ///
    /// ```
    /// use lossmask::{CompletionOnly, Masker};
    ///
    /// let collator = CompletionOnly { response: vec![1, 3], instructions: vec![vec![1, 2]], ..Default::default() };
    /// let masker = Masker::completion_only(&collator)?;
    /// assert_eq!(masker.labels(&[1, 2, 7, 1, 3, 8, 9]), [-100, -100, -100, -100, -100, 8, 9]);
    /// # Ok::<(), lossmask::BuildError>(())
    /// ```
    pub fn completion_only(options: &CompletionOnly) -> Result<Masker, BuildError> {
        let (plan, rules) = Rules::completion_only(options)?;
        Ok(Masker::compiled(plan, rules, Available::fastest()))
    }

    /// Unsloth's `train_on_responses_only` over ids: a response is trained from the end of its marker to the next instruction
    /// marker or the end of the row, whatever other roles lie in between. Exactly as there, an instruction marker in the
    /// row's last token is trained as part of the response, and the token after an instruction marker opens no response.
    ///
    /// Where labels exist already, [`Masker::mask_labels`] keeps theirs, as `train_on_responses_only` does.
    ///
    /// # Errors
    /// When a marker has no ids.
    ///
    /// ```
    /// use lossmask::{Masker, ResponsesOnly};
    ///
    /// let masker = Masker::responses_only(&ResponsesOnly { instruction: vec![1, 2], response: vec![1, 3], ..Default::default() })?;
    /// assert_eq!(masker.labels(&[1, 2, 7, 1, 3, 8, 9]), [-100, -100, -100, -100, -100, 8, 9]);
    /// # Ok::<(), lossmask::BuildError>(())
    /// ```
    pub fn responses_only(options: &ResponsesOnly) -> Result<Masker, BuildError> {
        let (plan, rules) = Rules::responses_only(options)?;
        Ok(Masker::compiled(plan, rules, Available::fastest()))
    }

    /// What the tool whose rules the masker follows would warn of: see [`Masker::completion_only`]. Empty for role boundaries.
    ///
    /// ```
    /// use lossmask::{CompletionOnly, Masker, TemplateWarning};
    ///
    /// let masker = Masker::completion_only(&CompletionOnly { response: vec![1, 3], ..Default::default() })?;
    /// assert_eq!(masker.template_warnings(&[7, 8]), [TemplateWarning::ResponseNotFound]);
    /// # Ok::<(), lossmask::BuildError>(())
    /// ```
    pub fn template_warnings<I: TokenId>(&self, ids: &[I]) -> Vec<TemplateWarning> {
        self.compiled.rules.warnings(as_labels(ids))
    }
}
