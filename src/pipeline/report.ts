import type { RowDiagnosis, Severity } from '../diagnosis.js'
import type { TokenToAdd } from '../tokenizer/types.js'

export type { RowDiagnosis, Severity }

/** What a run found: the JSON of `crates/lossmask-data/src/report.rs`, which says what each figure means. */
export interface Report {
  /** Rows found in the data files. */
  rowsRead: number
  /** Rows beyond one for each row read: the chunks of long texts. */
  rowsAdded: number
  /** Rows written (of all splits), before packing. */
  rowsWritten: number
  /** Split -> rows in its files; sequences, when rows are packed. */
  splits: Record<string, number>
  /** Reason -> rows dropped: `too-long`, `too-short`, `no-trained-token`, `empty`. */
  dropped: Record<string, number>
  /** Code -> rows rejected under `onError: 'skip'`. */
  rejected: Record<string, number>
  /** Tokens of the rows written. */
  tokens: number
  /** Those that are trained. */
  trainedTokens: number
  /** Role -> what became of its turns. */
  roles: Record<string, RoleFigures>
  /** Kind of token -> figures. */
  kinds: Record<string, TokenFigures>
  /** Reason -> tokens. */
  reasons: Record<string, number>
  /** Rows without a trained token, dropped or not. */
  rowsWithoutTrainedTokens: number
  /** Rows of which every token is trained. */
  rowsFullyTrained: number
  /** End markers trained, and turns of trained roles that have one; token id -> turns in whose trained end marker it stands. */
  ends: { trained: number; turns: number; tokens: Record<number, number> }
  /** Turns of trained roles without an end marker, truncated ones not counted. */
  unterminatedTurns: number
  /** What `excess_length_strategy: truncate` cost. */
  truncation: { rows: number; turns: number; tokens: number; trainedTokens: number }
  /** Rows by `certain`, `single`, `conflict`. */
  statuses: Record<string, number>
  /** Diagnoses by code, the most frequent first. */
  diagnostics: DiagnosisFigures[]
  /** Code -> the first row behind a figure that is no diagnosis of a row: `end-not-trained`, `unterminated-turn`, `rows-too-long`. */
  first: Record<string, Place>
  /** Rows that occurred before, when they were looked for. */
  duplicateRows: number | null
  /** Lengths of the rows written, in tokens; `histogram[i]`: rows of `2^i` to `2^(i+1) - 1` tokens. */
  lengths: { min: number; max: number; mean: number; histogram: number[] }
  /** What packing made, when rows are packed. */
  packing: { sequences: number; rows: number; efficiency: number; firstTokensMasked: number } | null
  /** The files read. */
  files: { dataset: string; file: string; rows: number; bytes: number }[]
  /** Seconds over all threads while they worked; `wall` by the clock. */
  timing: Timing
  /** What was written. */
  output: OutputFigures | null
  /** The first rows in full, as many as were asked for. */
  debug: ShownRow[]
  /** The tokenizer that made the ids. */
  tokenizer?: { path: string; addedTokens: TokenToAdd[] } | null
  /** The resolved config of the run. */
  config: unknown
}

/** Tokens of one kind. */
export interface TokenFigures {
  tokens: number
  trained: number
}

/** Turns of one role. */
export interface RoleFigures extends TokenFigures {
  turns: number
  /** Turns of which some token is trained. */
  trainedTurns: number
  /** The same by kind of token. */
  kinds: Record<string, TokenFigures>
}

/** Where a row stands in its source: line from 1, row from 0. */
export interface Place {
  file: string
  line?: number
  row: number
}

/** One diagnosis code over the whole run. */
export interface DiagnosisFigures {
  code: string
  severity: Severity
  count: number
  /** Rows it was made for. */
  rows: number
  /** The first of these rows. */
  first: Place
  message: string
  hint?: string
}

/** Seconds over all threads while they worked; `wall` by the clock. */
export interface Timing {
  wall: number
  read: number
  parse: number
  render: number
  tokenize: number
  mask: number
  write: number
}

/** What was written. */
export interface OutputFigures {
  dir: string
  format: OutputFormat
  files: { split: string; file: string; rows: number }[]
  bytes: number
}

/** The format of a prepared folder's files. */
export type OutputFormat = 'arrow' | 'parquet' | 'jsonl'

/** How far a row's labels are proven. */
export type Status = 'certain' | 'single' | 'conflict'

/** A row in full, for people to look at. */
export interface ShownRow {
  split: string
  /** Number in the split, from 0. */
  index: number
  /** Where it comes from; several places when rows are packed. */
  sources: Place[]
  status: Status
  inputIds: number[]
  labels: number[]
  /** Weight of each token in the loss; absent where every trained token weighs 1. */
  weights?: number[]
  /** Text of each token; a token that holds part of a character shows U+FFFD. */
  tokens: string[]
  turns: ShownTurn[]
  spans: ShownSpan[]
  diagnostics: RowDiagnosis[]
}

/** One turn of a row, in token indices. */
export interface ShownTurn {
  role: string
  start: number
  contentStart: number
  contentEnd: number
  end: number
  trained: boolean
  terminated: boolean
}

/** Tokens of one kind with one decision. */
export interface ShownSpan {
  start: number
  end: number
  turn: number | null
  kind: string
  trained: boolean
  reason: string
  weight: number
}
