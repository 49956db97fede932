//! What a [`Masker`](crate::Masker) is built from.

#[cfg(feature = "serde")]
use serde::Deserialize;

/// How one role's span is recognised in a row of token ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields))]
pub struct Boundary {
    /// The role's name, as `roles_to_train` spells it.
    pub role: String,
    /// Start markers, none of them empty: any of them opens the turn. Without one the boundary never opens a turn, as
    /// axolotl's with an empty start.
    pub starts: Vec<Vec<i32>>,
    /// Header tails: the longest one right after the start belongs to the header.
    #[cfg_attr(feature = "serde", serde(default))]
    pub tails: Vec<Vec<i32>>,
    /// End markers: the leftmost, then the longest, closes the turn. None: the turn runs to the end of the row.
    #[cfg_attr(feature = "serde", serde(default))]
    pub ends: Vec<End>,
    /// Whether a trained turn's start marker (and tail) is trained too. Default `false`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub include_start: bool,
}

/// One end marker of a [`Boundary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields))]
pub struct End {
    /// The marker's token ids, never empty.
    pub ids: Vec<i32>,
    /// Whose the marker is.
    pub kind: EndKind,
}

/// Whose an end marker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum EndKind {
    /// It belongs to the turn and is consumed: the scan goes on after it. (`<|im_end|>`)
    Consumed,
    /// It belongs to the turn, and is left in place to open the next one. (SmolVLM's `<end_of_utterance>`)
    Anchor,
    /// The turn stops in front of it and it opens the next one. (Mistral's `[INST]`, GLM's role tokens; axolotl's
    /// `include_end: false`)
    Before,
}

/// Which end markers are trained; axolotl's `train_on_eos`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum TrainOnEos {
    /// Those of trained turns.
    #[default]
    Turn,
    /// Those of all turns.
    All,
    /// Only the last one among those of the row's trained turns.
    Last,
    /// None.
    None,
}

/// What ends a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Termination {
    /// The boundary's own end marker; the markers of other turns inside are content. (axolotl)
    #[default]
    EndMarker,
    /// The next start of any role; end markers are not looked for. (TRL's multi-role completion collator)
    NextStart,
}

/// What becomes of a turn whose end marker is not in the row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Unterminated {
    /// It runs to the end of the row and is trained as any other. (axolotl)
    #[default]
    RunToEnd,
    /// It is not trained. A boundary without ends is never unterminated.
    Mask,
}

/// Which of the trained turns are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Turns {
    /// Every one.
    #[default]
    All,
    /// The row's last turn of a trained role only, even where `unterminated` then leaves nothing of it.
    Last,
}

/// A stretch inside trained turns that is not trained: from `start` to the next `end` within the turn, both included.
///
/// It is looked for from the turn's content to the turn's end, its own end marker included; of several that begin at one
/// token the longest start wins, the first declared on a tie. Headers and the ends of untrained turns are not touched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields))]
pub struct Exclude {
    /// What opens the stretch.
    pub start: Vec<i32>,
    /// What closes it; empty: `start` alone is the stretch. Not found: the stretch runs to the end of the turn, its own
    /// end marker included.
    #[cfg_attr(feature = "serde", serde(default))]
    pub end: Vec<i32>,
}

/// Everything a [`Masker`](crate::Masker) is compiled from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", deny_unknown_fields, default))]
pub struct MaskerOptions {
    /// The role boundaries, in order of declaration.
    pub boundaries: Vec<Boundary>,
    /// Roles whose turns are trained. Default `["assistant"]`; empty: nothing is trained.
    pub roles_to_train: Vec<String>,
    /// Which end markers are trained. Default [`TrainOnEos::Turn`].
    pub train_on_eos: TrainOnEos,
    /// Train every token but ignored ids and padding. Default `false`.
    pub train_on_inputs: bool,
    /// Train an [`EndKind::Before`] marker where it ends a trained turn, under the rule of `train_on_eos`. Default `false`.
    pub train_on_shared_end: bool,
    /// Ids that are never trained, in any setting: media tokens, and padding where its position is not known.
    pub ignore_token_ids: Vec<i32>,
    /// The label of a token that is not trained. Default `-100`.
    pub ignore_index: i32,
    /// Stretches inside trained turns that are not trained.
    pub exclude: Vec<Exclude>,
    /// What ends a turn.
    pub termination: Termination,
    /// What becomes of a turn without its end marker.
    pub unterminated: Unterminated,
    /// Which trained turns are trained.
    pub turns: Turns,
}

impl Default for MaskerOptions {
    fn default() -> Self {
        MaskerOptions {
            boundaries: Vec::new(),
            roles_to_train: vec!["assistant".to_owned()],
            train_on_eos: TrainOnEos::default(),
            train_on_inputs: false,
            train_on_shared_end: false,
            ignore_token_ids: Vec::new(),
            ignore_index: -100,
            exclude: Vec::new(),
            termination: Termination::default(),
            unterminated: Unterminated::default(),
            turns: Turns::default(),
        }
    }
}
