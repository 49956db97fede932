import { LossmaskError } from '../errors.js'
import { fromNumbers } from '../ids.js'
import { guarded, native } from '../native.js'

/** A row as `Pipeline` and the prepared folder give it; its arrays are of one length. */
export interface RowToCollate {
  readonly inputIds: Int32Array | readonly number[]
  readonly labels: Int32Array | readonly number[]
  /** 0 where a token is not to be attended to. Default: all are. */
  readonly attentionMask?: Int32Array | Uint8Array | readonly number[] | undefined
  /** Positions, as packed rows bring them. Default: counted from 0. */
  readonly positionIds?: Int32Array | readonly number[] | undefined
}

/** Options of {@link collate}. */
export interface CollateOptions {
  /** Length of every row; a longer row is an error, never cut. Default: that of the longest. */
  readonly padTo?: number
  /** The length is made a multiple of this. Default 1. */
  readonly padToMultipleOf?: number
  /** Where padding stands. Default `right`. */
  readonly side?: 'left' | 'right'
  /** Id of padding. Default 0: padding is told by its place, and no model looks at it. */
  readonly padTokenId?: number
  /** Label of padding. Default -100. */
  readonly ignoreIndex?: number
}

/** A batch `[B, L]`, row after row in each array. */
export interface Batch {
  readonly shape: readonly [rows: number, length: number]
  readonly inputIds: Int32Array
  /** Unshifted, as in transformers; `ignoreIndex` on padding. */
  readonly labels: Int32Array
  /** 1 for tokens, 0 for padding. */
  readonly attentionMask: Int32Array
  /** Within each row from 0; 0 on padding. */
  readonly positionIds: Int32Array
}

/**
 * Makes one rectangle of rows of any length. Padding goes by position, so a pad id that is also the stop token masks no stop.
 *
 * ```ts
 * const batch = collate([{ inputIds: [5, 6, 7], labels: [-100, 6, 7] }, { inputIds: [8], labels: [8] }], { padToMultipleOf: 4 })
 * // shape [2, 4], labels [-100, 6, 7, -100, 8, -100, -100, -100]
 * ```
 *
 * @throws LossmaskError `row-too-long`, `length-mismatch`, `invalid-token-id`, `invalid-collate-options`; `path` names the row.
 */
export function collate(rows: readonly RowToCollate[], options: CollateOptions = {}): Batch {
  const { padTo, padToMultipleOf, side = 'right', padTokenId = 0, ignoreIndex = -100 } = options
  const settings = {
    padTokenId: whole('padTokenId', padTokenId, -(2 ** 31)),
    ignoreIndex: whole('ignoreIndex', ignoreIndex, -(2 ** 31)),
    left: side === 'left',
    ...(padTo === undefined ? {} : { padTo: whole('padTo', padTo, 0) }),
    ...(padToMultipleOf === undefined ? {} : { padToMultipleOf: whole('padToMultipleOf', padToMultipleOf, 1) }),
  }
  const typed = rows.map(({ inputIds, labels, attentionMask, positionIds }, row) => ({
    inputIds: int32(inputIds, `rows[${row}].inputIds`),
    labels: int32(labels, `rows[${row}].labels`),
    ...(attentionMask === undefined ? {} : { attentionMask: int32(attentionMask, `rows[${row}].attentionMask`) }),
    ...(positionIds === undefined ? {} : { positionIds: int32(positionIds, `rows[${row}].positionIds`) }),
  }))
  const { rowLength, ...arrays } = guarded(() => native().collateRows(typed, settings))
  return { shape: [rows.length, rowLength], ...arrays }
}

function int32(values: Int32Array | Uint8Array | readonly number[], path: string): Int32Array {
  return values instanceof Int32Array ? values : fromNumbers(values as readonly number[], path)
}

function whole(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value
  throw new LossmaskError('invalid-collate-options', `expected a whole number of at least ${least}, found ${value}`, {
    path: `options.${name}`,
  })
}
