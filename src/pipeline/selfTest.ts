import { loadConfig } from '../config/index.js'
import { type Issue, LossmaskError } from '../errors.js'
import { PROBE, type SelfTest, type Strategy, selfTest } from '../strategies/index.js'
import { type Compiled, compileConfig, rowSpec } from './compile.js'
import type { CompiledDataset } from './encoder.js'
import { withDataset } from './pipeline.js'
import { openRows } from './rows.js'
import type { DatasetSpec } from './spec.js'

/**
 * Sends the probe conversation through every dataset's own template and boundaries: its answers must be trained, and nothing else.
 *
 * @throws LossmaskError `self-test-failed`, with the sequence that was found instead of a marker.
 */
export async function proveStrategies(compiled: Compiled): Promise<void> {
  const { route } = compiled.config.lossmask
  if (route === 'generation' || route === 'content') return
  const different = new Map(compiled.datasets.map(dataset => [kindOf(dataset), dataset]))
  for (const dataset of different.values()) {
    const test = await probe(compiled, dataset)
    if (test?.passed === false) throw LossmaskError.of(test.issues)
  }
}

/** What {@link proveStrategies} finds, as data. */
export async function strategyFaults(compiled: Compiled): Promise<readonly Issue[]> {
  try {
    await proveStrategies(compiled)
    return []
  } catch (error) {
    if (error instanceof LossmaskError && error.code === 'self-test-failed') return error.issues
    throw error
  }
}

/** The probe on a family and a model: with the model's own chat template, else with the project's for the family. */
export async function proveFamily(strategy: Strategy, model: string): Promise<SelfTest | undefined> {
  const lossmask = { strategy: strategy.name, route: 'boundaries', unsafe_scan: true }
  const compile = async (more: object) =>
    compileConfig(withDataset(await loadConfig({ tokenizer: model, lossmask, ...more })))
  const compiled = await compile({}).catch(error => {
    if (!(error instanceof LossmaskError) || error.code !== 'template-missing' || strategy.template === undefined)
      throw error
    return compile({ chat_template: strategy.template })
  })
  return probe(compiled, compiled.datasets[0] as CompiledDataset)
}

/**
 * The probe through one dataset's encoder, by the boundaries route. `undefined` where there is nothing to prove: segments, everything
 * trained, no boundaries, or a template that refuses the probe.
 */
async function probe(compiled: Compiled, dataset: CompiledDataset): Promise<SelfTest | undefined> {
  const { resolved, template } = dataset
  if (template === undefined || resolved.boundaries.length === 0 || resolved.trainOnInputs) return undefined
  // Messages in the plain form, whatever the data's fields are called; every answer counts, whichever turns are trained.
  const masker = { ...dataset.encoder.masker, turns: 'all' }
  const encoder = { ...dataset.encoder, masker, route: 'boundaries', fields: {} }
  // However long the data's rows may be: the probe is whole.
  const { sequenceLen: _, minSampleLen: __, ...spec } = rowSpec(compiled)
  const rows = await openRows({ ...spec, datasets: [{ ...spec.datasets[0], encoder } as DatasetSpec] })
  const [row] = await rows.rows([JSON.stringify({ messages: PROBE })])
  if (row === undefined || row instanceof LossmaskError) return undefined
  return selfTest(resolved, compiled.tokenizer, { ids: row.inputIds, labels: row.labels })
}

/** What makes two datasets' probes the same. */
function kindOf({ template, resolved }: CompiledDataset): string {
  return JSON.stringify([template?.source, resolved.boundaries, resolved.rolesToTrain])
}
