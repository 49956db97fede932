import type { Config, DatasetConfig } from '../config/index.js'
import { LossmaskError } from '../errors.js'
import type { Notice } from '../strategies/index.js'
import { type LoadedTokenizer, loadTokenizer } from '../tokenizer/index.js'
import { defined } from './defined.js'
import { type CompiledDataset, compileDataset } from './encoder.js'
import { type DatasetSource, findDataFiles } from './files.js'
import { below, besideFiles } from './media.js'
import { firstExisting, lookupBases } from './paths.js'
import type { OutputFormat } from './report.js'
import type { DatasetSpec, PipelineSpec } from './spec.js'

/** What a run does beside what its config says. */
export interface RunOptions {
  /** Where rows go; absent: nothing is written. */
  output?: { dir: string; format?: OutputFormat }
  /** Threads; absent: one per core. */
  workers?: number
  /** What a bad row does. Default `fail`. */
  onError?: 'fail' | 'skip'
  /** How many of the first rows the report holds in full. */
  debugRows?: number
  /** Read no more than this many rows of each dataset. */
  limit?: number
  /** Encode only this many rows of each dataset, drawn by the seed. */
  sample?: number
  /** Count rows that occur more than once. */
  findDuplicates?: boolean
}

/** A config against its tokenizer and templates: nothing is left to be looked up but the data. */
export interface Compiled {
  config: Config
  tokenizer: LoadedTokenizer
  /** The datasets to train on. */
  datasets: CompiledDataset[]
  testDatasets: CompiledDataset[]
  /** What people should be told before the work begins, without repeats. */
  notices: Notice[]
  /** Folders in which relative paths are looked up. */
  bases: string[]
}

/**
 * Loads the tokenizer, chooses templates and strategies, and resolves every marker. `tokenizer` takes the place of the config's.
 *
 * @throws LossmaskError for whatever of it is wrong.
 */
export function compileConfig(config: Config, tokenizer?: string): Promise<Compiled> {
  return placed(config, () => compile(config, tokenizer))
}

async function compile(config: Config, tokenizer: string | undefined): Promise<Compiled> {
  const bases = lookupBases(config.file)
  const loaded = await loadModel(config, bases, tokenizer)
  const each = (list: readonly DatasetConfig[], key: string) =>
    list.map((dataset, index) => compileDataset(config, dataset, `${key}[${index}]`, loaded, bases))
  const datasets = each(config.datasets, 'datasets')
  const testDatasets = each(config.testDatasets, 'test_datasets')
  const notices = [
    ...config.notices,
    ...loaded.notices,
    ...[...datasets, ...testDatasets].flatMap(dataset => dataset.notices),
  ]
  return { config, tokenizer: loaded, datasets, testDatasets, notices: withoutRepeats(notices), bases }
}

/**
 * The spec of a run over the config's data.
 *
 * @throws LossmaskError for data files that cannot be found.
 */
export async function runSpec(compiled: Compiled, options: RunOptions = {}): Promise<PipelineSpec> {
  const { config, tokenizer, bases } = compiled
  if (config.datasets.length === 0) {
    throw new LossmaskError('datasets-missing', 'the config names no datasets', {
      ...config.place('datasets'),
      path: 'datasets',
      hint: 'write a list: `- path: data.jsonl`',
    })
  }
  const find = (list: readonly DatasetConfig[], datasets: readonly CompiledDataset[]) =>
    placed(config, () =>
      Promise.all(datasets.map((dataset, index) => datasetSpec(list[index] as DatasetConfig, dataset, bases))),
    )
  const { output, ...rest } = options
  return {
    tokenizer: { path: tokenizer.spec.path, addedTokens: [...tokenizer.spec.addedTokens] },
    datasets: await find(config.datasets, compiled.datasets),
    testDatasets: await find(config.testDatasets, compiled.testDatasets),
    ...(output === undefined ? {} : { output }),
    ...rowRules(config),
    ...rest,
    config: about(compiled),
  }
}

/** The spec for rows that do not come from files: the first dataset's rules, without its data. Their media stand beside the config. */
export function rowSpec(compiled: Compiled, options: Pick<RunOptions, 'onError'> = {}): PipelineSpec {
  const { config, tokenizer, datasets, bases } = compiled
  const [dataset] = datasets as [CompiledDataset]
  return {
    tokenizer: { path: tokenizer.spec.path, addedTokens: [...tokenizer.spec.addedTokens] },
    datasets: [{ name: config.datasets[0]?.path ?? '', files: [], encoder: below(dataset.encoder, bases.at(-1)) }],
    ...rowRules(config),
    ...options,
  }
}

/** The config's model: a folder below one of the bases, or whatever `loadTokenizer` makes of it. */
function loadModel(config: Config, bases: readonly string[], tokenizer: string | undefined): Promise<LoadedTokenizer> {
  const model = tokenizer ?? config.tokenizer ?? config.tokenizerConfig ?? config.baseModel
  if (model === undefined) {
    throw new LossmaskError('model-missing', 'the config names no model', {
      path: 'base_model',
      hint: 'set base_model or tokenizer to a folder with tokenizer.json, or to a hub id',
    })
  }
  const { additional_special_tokens: more = [], ...special } = config.specialTokens ?? {}
  const named = Object.entries(special).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return loadTokenizer(firstExisting(model, bases) ?? model, {
    specialTokens: Object.fromEntries(named),
    tokens: [...config.tokens, ...more],
    ...(config.revisionOfModel === undefined ? {} : { revision: config.revisionOfModel }),
  })
}

async function datasetSpec(
  dataset: DatasetConfig,
  compiled: CompiledDataset,
  bases: readonly string[],
): Promise<DatasetSpec> {
  const { path, dataFiles, dsType, split } = dataset
  const source = {
    path,
    ...defined({ dsType, split, dataFiles: dataFilesOf(dataFiles) }),
  }
  const found = await findDataFiles(source, bases, compiled.place)
  return besideFiles({ name: path, ...found, encoder: compiled.encoder })
}

/** `data_files` as lists, by split where the config has them so. */
function dataFilesOf(dataFiles: DatasetConfig['dataFiles']): DatasetSource['dataFiles'] {
  if (typeof dataFiles === 'string') return [dataFiles]
  if (dataFiles === undefined || Array.isArray(dataFiles)) return dataFiles
  return Object.fromEntries(Object.entries(dataFiles).map(([split, files]) => [split, [files].flat()]))
}

/** What of the config concerns rows as wholes. */
function rowRules(config: Config): Partial<PipelineSpec> {
  const { valSetSize: size, lossmask } = config
  const packing = defined({
    groupSize: config.samplePackingGroupSize,
    binSize: config.samplePackingBinSize,
    sequentially: config.samplePackingSequentially,
  })
  return {
    excessLengthStrategy: config.excessLengthStrategy,
    seed: config.seed,
    ...(size === 0 ? {} : { valSetSize: size < 1 ? { fraction: size } : { count: size } }),
    ...(config.samplePacking ? { samplePacking: packing } : {}),
    ...defined({
      sequenceLen: config.sequenceLen,
      minSampleLen: config.minSampleLen,
      untrainedRows: lossmask.untrainedRows,
      maxUntrainedShare: lossmask.maxUntrainedShare,
      findDuplicates: lossmask.findDuplicates,
      onError: lossmask.onError,
      workers: config.datasetNumProc ?? config.datasetProcesses,
    }),
  }
}

/** Errors that name a path of the config also say where it stands in the file. */
async function placed<T>(config: Config, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof LossmaskError)) throw error
    const issues = error.issues.map(issue =>
      issue.path === undefined || issue.file !== undefined ? issue : { ...issue, ...config.place(issue.path) },
    )
    throw LossmaskError.of(issues, error.cause)
  }
}

/** What a prepared folder remembers of how it was made. */
function about({ config, tokenizer, datasets }: Compiled): Record<string, unknown> {
  return {
    file: config.file,
    model: config.tokenizer ?? config.baseModel,
    tokenizer: tokenizer.folder,
    datasets: datasets.map(({ place, strategy, template, resolved }) => ({
      place,
      strategy: strategy?.name,
      template: template?.name,
      masking: resolved.lines,
    })),
  }
}

function withoutRepeats(notices: readonly Notice[]): Notice[] {
  return [...new Map(notices.map(notice => [`${notice.code} ${notice.message}`, notice])).values()]
}
