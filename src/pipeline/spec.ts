/**
 * What a run is made from, as the Rust side reads it: `crates/lossmask-data/src/spec.rs`, `crates/lossmask-chat/src/spec.rs` and
 * `crates/lossmask/src/options.rs` say what each field means and what holds where it is left out.
 */
import type { TokenToAdd } from '../tokenizer/types.js'
import type { OutputFormat } from './report.js'

/** A whole run. Every path is resolved and every name looked up. */
export interface PipelineSpec {
  tokenizer: TokenizerSpec
  datasets: DatasetSpec[]
  testDatasets?: DatasetSpec[]
  output?: { dir: string; format?: OutputFormat; shardBytes?: number; weights?: boolean }
  sequenceLen?: number
  excessLengthStrategy?: 'drop' | 'truncate' | 'raise'
  minSampleLen?: number
  untrainedRows?: 'drop' | 'keep'
  maxUntrainedShare?: number
  valSetSize?: { fraction: number } | { count: number }
  seed?: number
  samplePacking?: { groupSize?: number; binSize?: number; sequentially?: boolean }
  workers?: number
  onError?: 'fail' | 'skip'
  debugRows?: number
  limit?: number
  sample?: number
  maxRowBytes?: number
  findDuplicates?: boolean
  config?: unknown
}

/** A tokenizer file and what is added to it. */
export interface TokenizerSpec {
  path: string
  addedTokens?: TokenToAdd[]
}

/** Files whose rows are encoded alike. */
export interface DatasetSpec {
  name: string
  files: string[]
  format?: DataFormat
  parts?: PartSpec[]
  encoder: EncoderSpec
}

/** Some consecutive rows of some consecutive files. */
export interface PartSpec {
  files: number
  from?: number
  to?: number
  unit?: 'rows' | 'percent'
  rounding?: 'closest' | 'pct1_dropremainder'
}

/** How a data file holds rows. */
export type DataFormat = 'jsonl' | 'json' | 'parquet' | 'arrow' | 'csv' | 'tsv' | 'text'

/** What a row holds. */
export type RowType = 'chat_template' | 'input_output' | 'format'

/** Which declared format the rows have: the dataset's `type`, its keys that a format may read, and the ids that go around texts. */
export interface FormatSpec {
  type: unknown
  options?: Record<string, unknown>
  bosTokenId?: number
  eosTokenId?: number
  sequenceLen?: number
}

/** Everything one dataset's rows are encoded with. */
export interface EncoderSpec {
  rowType: RowType
  format?: FormatSpec
  template?: TemplateSpec
  toolTemplate?: TemplateSpec
  masker: MaskerSpec
  mediaTokenIds?: number[]
  suspectMediaIds?: number[]
  scannable?: boolean
  route?: 'auto' | 'boundaries' | 'ids' | 'generation' | 'content'
  injection?: 'escape' | 'error' | 'allow'
  straddle?: 'exclude' | 'include'
  reasoning?: 'train' | 'mask'
  rows?: 'conversation' | 'split' | 'last'
  scaffold?: 'template' | 'generation-prompt'
  weights?: Record<string, number>
  fields: FieldSpec
  eotTokenIds?: number[]
  eosTokenId?: number
  trainOnEot?: 'turn' | 'all' | 'last' | 'none'
  media?: MediaSpec
  padTokenId?: number
}

/** How the media of a row are found and expanded. */
export interface MediaSpec {
  family?: string
  model?: string
  root?: string
  exifOrientation?: 'apply' | 'ignore'
  allowRemote?: boolean | string[]
}

/** A chat template with its variables. */
export interface TemplateSpec {
  name: string
  source: string
  variables?: Record<string, unknown>
}

/** Where things stand in a row. */
export interface FieldSpec {
  messages?: string
  messageProperties?: Record<string, string>
  roles?: Record<string, string>
  tools?: string
  training?: string
  trainingDetail?: string
  dropSystemMessage?: boolean
  splitThinking?: boolean
  nulls?: 'drop' | 'keep'
  arguments?: 'parse' | 'keep'
}

/** The core's options, ids resolved. */
export interface MaskerSpec {
  boundaries: {
    role: string
    starts: number[][]
    tails?: number[][]
    ends?: { ids: number[]; kind: 'consumed' | 'anchor' | 'before' }[]
    includeStart?: boolean
  }[]
  rolesToTrain: string[]
  trainOnEos: 'turn' | 'all' | 'last' | 'none'
  trainOnInputs: boolean
  trainOnSharedEnd?: boolean
  ignoreTokenIds?: number[]
  ignoreIndex?: number
  exclude?: { start: number[]; end: number[] }[]
  unterminated?: 'run-to-end' | 'mask'
  turns?: 'all' | 'last'
}
