//! Readers, writers and the row pipeline of lossmask: data files in, prepared rows and a report out.

mod error;
mod report;
mod spec;

pub use error::DataError;
pub use report::{
    DiagnosisFigures, EndFigures, FileFigures, Lengths, OutputFigures, PackingFigures, Place, Report, RoleFigures,
    ShardFigures, ShownDiagnosis, ShownRow, ShownSpan, ShownTurn, Timing, TokenFigures, TruncationFigures,
};
pub use spec::{
    DatasetSpec, ExcessLength, Format, OnError, OutputFormat, OutputSpec, PackingSpec, PipelineSpec, UntrainedRows,
    ValSetSize,
};
