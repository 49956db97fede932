import type { Issue, LossmaskError } from '../errors.js'
import { fromNative, guardedAsync, native } from '../native.js'
import type { Report, RowDiagnosis, ShownRow, ShownSpan, ShownTurn, Status } from './report.js'
import type { PipelineSpec } from './spec.js'

/** One row, ready for training, with how it came about. */
export interface EncodedRow {
  inputIds: Int32Array
  /** The id where a token is trained, -100 elsewhere. Unshifted, as in transformers. */
  labels: Int32Array
  /** 1 for each token: a row alone has no padding. */
  attentionMask: Uint8Array
  /** Weight of each token in the loss; absent where every trained token weighs 1. */
  weights?: Float32Array
  turns: ShownTurn[]
  /** What each stretch of tokens is, whether it is trained, and why. */
  spans: ShownSpan[]
  /** Text of each token. */
  tokens: string[]
  /** How far the labels are proven. */
  status: Status
  diagnostics: RowDiagnosis[]
}

/** What became of some lines of JSON. */
export interface EncodedLines {
  /** JSON lines with `input_ids`, `labels` and `attention_mask`. */
  lines: Uint8Array
  lineCount: number
  /** Why rows cannot be encoded, in their order. */
  rejected: Issue[]
  report: Report
}

/** Encodes rows that do not come from files, off the JavaScript thread. */
export interface RowEncoder {
  /** Encodes rows, given as JSON; a bad one is the error in its place. */
  rows(rows: string[]): Promise<(EncodedRow | LossmaskError)[]>
  /** Encodes whole lines; `name` is what messages call their source, `firstLine` counts from 1. */
  lines(bytes: Buffer, name: string, firstLine: number): Promise<EncodedLines>
}

/** Loads what the spec's first dataset needs. */
export async function openRows(spec: PipelineSpec): Promise<RowEncoder> {
  const rows = await guardedAsync(() => native().openRows(JSON.stringify(spec)))
  return {
    rows: async texts => (await guardedAsync(() => rows.encode(texts))).map(decode),
    async lines(bytes, name, firstLine) {
      const out = await guardedAsync(() => rows.lines(bytes, name, firstLine))
      return { ...out, rejected: JSON.parse(out.rejected) as Issue[], report: JSON.parse(out.report) as Report }
    },
  }
}

function decode(
  row: Awaited<ReturnType<Awaited<ReturnType<ReturnType<typeof native>['openRows']>>['encode']>>[number],
) {
  const { inputIds, labels, weights, about, error } = row
  if (error !== undefined && error !== null) return fromNative(new Error(error))
  const { turns, spans, tokens, status, diagnostics } = JSON.parse(about) as ShownRow
  const attentionMask = new Uint8Array(inputIds.length).fill(1)
  return { inputIds, labels, attentionMask, ...(weights ? { weights } : {}), turns, spans, tokens, status, diagnostics }
}
