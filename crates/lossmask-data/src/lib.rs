//! Readers, writers and the row pipeline of lossmask: data files in, prepared rows and a report out.

mod error;
mod figures;
mod packing;
mod page;
mod pipeline;
mod prepared;
mod report;
mod row;
mod settle;
mod source;
mod spec;
mod split;
mod stream;
mod writer;

pub use error::{DataError, ErrorData};
pub use page::Page;
pub use pipeline::{Control, DatasetEncoder, OnProgress, Progress, RowEncoder, run, run_with};
pub use prepared::{Prepared, RowFilter};
pub use report::{
    DiagnosisFigures, EndFigures, FileFigures, Lengths, OutputFigures, PackingFigures, Place, Report, RoleFigures,
    ShardFigures, ShownDiagnosis, ShownRow, ShownSpan, ShownTurn, Timing, TokenFigures, TokenizerUsed,
    TruncationFigures,
};
pub use spec::{
    DatasetSpec, ExcessLength, Format, OnError, OutputFormat, OutputSpec, PackingSpec, PartRounding, PartSpec,
    PartUnit, PipelineSpec, UntrainedRows, ValSetSize,
};
pub use stream::{LinesOut, RowStream};
pub use writer::abandon_all;
