import type { Place, Report } from '../pipeline/report.js'
import type { Notice, TrainOnEos } from '../strategies/types.js'

/** What a check says: `pass`, worth knowing (`info`), probably unwanted (`warn`), would train wrongly (`fail`). */
export type Verdict = 'pass' | 'info' | 'warn' | 'fail'

/** What the checks judge. */
export interface AuditInput {
  /** A run over the data, with or without output. */
  report: Report
  /** What was noticed before the run. */
  notices: readonly Notice[]
  /** Of the datasets of conversations; empty where there are none. */
  rolesToTrain: readonly string[]
  trainOnEos: TrainOnEos
  trainOnInputs: boolean
  /** Tokens at which the model stops when it generates. */
  stopTokens: readonly { id: number; text: string }[]
  /** Whether the model or the config says so; else the tokenizer's EOS is all that is known. */
  stopTokensDeclared: boolean
  /** Whether answers have end markers of their own, as opposed to those that the next turn opens with. */
  ownEnds: boolean
  /** Whether an answer's end is told apart from its words, and is not what the next turn opens with. */
  endsApart: boolean
}

/** A verdict with its figures; the same in text, JSON and the page. */
export interface Finding {
  /** Stable code, documented in `docs/diagnostics.md`. */
  code: string
  verdict: Verdict
  /** What was looked at, in a few words. */
  title: string
  /** How often it was found. */
  count: number
  /** Of how many. */
  of?: number
  /** What was found, in one sentence. */
  message: string
  /** What to change. */
  hint?: string
  /** The first place it was found at. */
  first?: Place
}

/**
 * Shares (0 to 1) by code: a finding passes up to its share and fails above it, whatever it would say by itself. A code that is not
 * listed keeps its own rule.
 */
export type Thresholds = Readonly<Record<string, number>>

/** All findings of a run, the worst first, and whether any of them fails. */
export interface Audit {
  failed: boolean
  findings: Finding[]
}
