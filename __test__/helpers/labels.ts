import { Masker } from '../../src/masker.js'
import type { ResolvedStrategy } from '../../src/strategies/types.js'
import { resolvedOptions } from '../../src/strategyMasker.js'

/** The labels of one row by the native masker of a resolved strategy. */
export function labelsOf(ids: readonly number[], resolved: ResolvedStrategy): number[] {
  return Array.from(maskerOf(resolved).labels(Int32Array.from(ids)))
}

const MASKERS = new WeakMap<ResolvedStrategy, Masker>()

/** The native masker of a resolved strategy. */
export function maskerOf(resolved: ResolvedStrategy): Masker {
  let masker = MASKERS.get(resolved)
  if (masker === undefined) {
    masker = new Masker(resolvedOptions(resolved))
    MASKERS.set(resolved, masker)
  }
  return masker
}
