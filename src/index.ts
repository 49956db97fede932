export {
  type Config,
  type DatasetConfig,
  type LossmaskConfig,
  loadConfig,
  type Place,
  type RoleBoundaryConfig,
} from './config/index.js'
export { type ErrorDetails, formatIssue, type Issue, LossmaskError } from './errors.js'
export {
  type BatchIntoOptions,
  type BatchOptions,
  type LabelArray,
  type LabelsOf,
  Masker,
  type Rows,
  type StrategyMaskerOptions,
  type TokenIds,
  type Turn,
} from './masker.js'
export type {
  CompletionOnlyOptions,
  Markers,
  MaskerOptions,
  ResponsesOnlyOptions,
  RoleBoundary,
} from './maskerOptions.js'
export {
  type Batch,
  type CollateOptions,
  collate,
  type ExpandedMedia,
  type ExpandMediaOptions,
  expandMedia,
  type RowToCollate,
  type TokenRun,
  type VideoFrames,
} from './media/index.js'
export { type EncodeAllOptions, type Message, Pipeline } from './pipeline/pipeline.js'
export type { RowDiagnosis, ShownSpan, ShownTurn, Status } from './pipeline/report.js'
export type { EncodedRow } from './pipeline/rows.js'
export { listStrategies, type Strategy } from './strategies/index.js'
export type { AnyTokenizer } from './tokenizer/adapt.js'
export { type AddedToken, type LoadedTokenizer, loadTokenizer, type TokenizerOptions } from './tokenizer/index.js'
