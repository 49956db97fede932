//! What can go wrong while building, and what while masking.

use std::fmt;

/// Options that no masker can be compiled from. It names the boundary and the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    path: String,
    role: Option<String>,
    kind: BuildErrorKind,
}

/// What is wrong with the options.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildErrorKind {
    /// A role has no name.
    EmptyRole,
    /// A marker holds no ids.
    EmptyMarker,
    /// A boundary declares the same end marker with two kinds.
    AmbiguousEnd,
    /// The classic completion-only collator is given several instruction templates.
    SeveralInstructions,
    /// More marker tokens than the automaton numbers.
    TooManyMarkers,
}

impl BuildError {
    pub(crate) fn new(path: impl Into<String>, role: Option<&str>, kind: BuildErrorKind) -> BuildError {
        BuildError { path: path.into(), role: role.map(str::to_owned), kind }
    }

    /// What is wrong.
    pub fn kind(&self) -> &BuildErrorKind {
        &self.kind
    }

    /// The stable code, in kebab case.
    pub fn code(&self) -> &'static str {
        match self.kind {
            BuildErrorKind::EmptyRole => "empty-role",
            BuildErrorKind::EmptyMarker => "empty-marker",
            BuildErrorKind::AmbiguousEnd => "ambiguous-end",
            BuildErrorKind::SeveralInstructions => "several-instructions",
            BuildErrorKind::TooManyMarkers => "too-many-markers",
        }
    }

    /// The field, as `boundaries[1].starts[0]`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.kind {
            BuildErrorKind::EmptyRole => "name the role as rolesToTrain spells it",
            BuildErrorKind::EmptyMarker => "give the marker's token ids, or leave the marker out",
            BuildErrorKind::AmbiguousEnd => "an end marker either belongs to the turn or stands before the next one",
            BuildErrorKind::SeveralInstructions => "give one instruction template, or leave `classic` out",
            BuildErrorKind::TooManyMarkers => "the markers of all boundaries together may hold 16,777,216 token ids",
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(role) = &self.role {
            write!(f, " (role `{role}`)")?;
        }
        f.write_str(match self.kind {
            BuildErrorKind::EmptyRole => ": the role's name is empty",
            BuildErrorKind::EmptyMarker => ": the marker holds no token ids",
            BuildErrorKind::AmbiguousEnd => ": this end marker is declared twice, with two kinds",
            BuildErrorKind::SeveralInstructions => ": the classic collator takes one instruction template",
            BuildErrorKind::TooManyMarkers => ": the markers hold too many token ids",
        })
    }
}

impl std::error::Error for BuildError {}

/// Arrays that do not fit each other. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// The output is not as long as the ids.
    OutputLength {
        /// Number of ids.
        ids: usize,
        /// Length the output should have.
        expected: usize,
        /// Length it has.
        actual: usize,
    },
    /// The attention mask is not as long as the ids.
    MaskLength {
        /// Number of ids.
        ids: usize,
        /// Length of the mask.
        actual: usize,
    },
    /// The row length is zero, or does not divide the number of ids.
    RowLength {
        /// Number of ids.
        ids: usize,
        /// The row length.
        row_length: usize,
    },
    /// The offsets do not begin at 0, end at the number of ids, and never decrease.
    Offsets {
        /// Number of ids.
        ids: usize,
        /// Index of the first offset that is wrong.
        index: usize,
    },
}

impl ShapeError {
    /// The stable code, in kebab case.
    pub fn code(&self) -> &'static str {
        match self {
            ShapeError::OutputLength { .. } => "output-length",
            ShapeError::MaskLength { .. } => "attention-mask-length",
            ShapeError::RowLength { .. } => "row-length",
            ShapeError::Offsets { .. } => "row-offsets",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            ShapeError::OutputLength { .. } => "give an output as long as the ids",
            ShapeError::MaskLength { .. } => "give one value per id, 0 for padding",
            ShapeError::RowLength { .. } => "pad every row to the same length, or give offsets",
            ShapeError::Offsets { .. } => {
                "give one offset more than there are rows: 0, the rows' ends, the number of ids"
            }
        }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShapeError::OutputLength { ids, expected, actual } => {
                write!(f, "the output for {ids} ids must have length {expected}, not {actual}")
            }
            ShapeError::MaskLength { ids, actual } => {
                write!(f, "the attention mask has {actual} values for {ids} ids")
            }
            ShapeError::RowLength { ids, row_length: 0 } => write!(f, "the row length of {ids} ids is 0"),
            ShapeError::RowLength { ids, row_length } => write!(f, "{ids} ids are not whole rows of {row_length}"),
            ShapeError::Offsets { ids, index } => {
                write!(f, "offset {index} does not fit {ids} ids: offsets begin at 0, end there and never decrease")
            }
        }
    }
}

impl std::error::Error for ShapeError {}
