import { LossmaskError } from '../errors.js'
import { PROBE, type SelfTest, selfTest } from '../strategies/index.js'
import { type Compiled, rowSpec } from './compile.js'
import { openRows } from './rows.js'
import type { DatasetSpec } from './spec.js'

/**
 * Sends the probe conversation through the first dataset's own encoder: its answers must be trained, and nothing else.
 * `undefined` where there is nothing to prove: segments, everything trained, no boundaries, or a template that refuses the probe.
 *
 * @throws LossmaskError `self-test-failed`, with the sequence that was found instead of a marker.
 */
export async function proveStrategy(compiled: Compiled): Promise<SelfTest | undefined> {
  const [dataset] = compiled.datasets
  if (dataset?.template === undefined || dataset.resolved.boundaries.length === 0) return undefined
  if (dataset.resolved.trainOnInputs) return undefined
  const spec = rowSpec(compiled)
  // The probe's messages are in the plain form, whatever the data's fields are called, and all its answers are looked for.
  const encoder = { ...dataset.encoder, masker: { ...dataset.encoder.masker, turns: 'all' }, fields: {} }
  const rows = await openRows({
    ...spec,
    datasets: [{ ...spec.datasets[0], encoder } as DatasetSpec],
  })
  const [row] = await rows.rows([JSON.stringify({ messages: PROBE })])
  if (row === undefined || row instanceof LossmaskError) return undefined
  const test = selfTest(dataset.resolved, compiled.tokenizer, { ids: row.inputIds, labels: row.labels })
  if (!test.passed) throw LossmaskError.of(test.issues)
  return test
}
