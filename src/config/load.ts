import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { type Issue, LossmaskError } from '../errors.js'
import { conflicts } from './conflicts.js'
import { show, toIssues } from './issues.js'
import { readKeys } from './keys.js'
import { root } from './schema.js'
import { objectSource, type Place, parsePath, type Source, yamlSource } from './source.js'

type Root = z.output<typeof root>

/** One item of `datasets` or `test_datasets`; the older `message_field_role` and `message_field_content` are in the mappings. */
export type DatasetConfig = Omit<Root['datasets'][number], 'messageFieldRole' | 'messageFieldContent'>

/** One item of `role_boundaries`. */
export type RoleBoundaryConfig = Root['roleBoundaries'][number]

/** The `lossmask` block. */
export type LossmaskConfig = Root['lossmask']

/**
 * A config: axolotl's keys that concern masking, in camelCase and with their defaults; keys that are not given and have none are
 * absent. Paths are as written, relative to wherever the caller says.
 */
export interface Config extends Omit<Root, 'datasets' | 'testDatasets'> {
  datasets: DatasetConfig[]
  testDatasets: DatasetConfig[]
  /** The file it was read from, absolute; absent for a config given as an object. */
  file?: string
  /** What is worth knowing and no error: keys of axolotl's that do nothing here. */
  notices: Issue[]
  /** Where `path` (`datasets[0].type`) stands in the file; where it is not written, the nearest place above. */
  place(path: string): Place
}

/**
 * Reads and validates a config.
 *
 * @param config the path of a YAML or JSON file, or what such a file holds as an object.
 * @throws LossmaskError with *all* issues of the config, each with file, line, column and path: `config-not-found`, `config-unreadable`,
 * `config-yaml-syntax`, `config-empty`, `config-not-a-mapping`, `config-unknown-key`, `config-misplaced-key`,
 * `config-missing-key`, `config-invalid-value`, `config-conflict`, `config-unsupported-key`.
 *
 * ```ts
 * const config = await loadConfig('config.yml')
 * config.datasets[0]?.rolesToTrain // => ['assistant']
 * ```
 */
export async function loadConfig(config: string | object): Promise<Config> {
  if (typeof config !== 'string') return validate(objectSource(config), {})
  const file = resolve(config)
  return validate(yamlSource(await read(file, config), config), { file })
}

function validate(source: Source, origin: { file?: string }): Config {
  if (source.issues.length > 0) throw LossmaskError.of(source.issues)
  const place = source.valuePlace([])
  if (source.value === null || source.value === undefined) {
    throw new LossmaskError('config-empty', 'the config is empty', {
      ...place,
      hint: 'it needs at least base_model and datasets',
    })
  }
  if (typeof source.value !== 'object' || Array.isArray(source.value)) {
    throw new LossmaskError('config-not-a-mapping', `expected keys and values, found ${show(source.value)}`, place)
  }
  const { value, notices } = readKeys(source)
  const parsed = root.safeParse(value, { reportInput: true })
  const issues = parsed.success ? [] : toIssues(parsed.error.issues, source, value)
  issues.push(...conflicts({ ...(source.value as Record<string, unknown>), ...value }, source))
  if (!parsed.success || issues.length > 0) throw LossmaskError.of(inFileOrder(issues))
  const { datasets, testDatasets, ...rest } = parsed.data
  return {
    ...rest,
    ...origin,
    datasets: datasets.map(current),
    testDatasets: testDatasets.map(current),
    notices,
    place: path => source.valuePlace(parsePath(path)),
  }
}

/** The dataset in today's words. */
function current({
  messageFieldRole: role,
  messageFieldContent: content,
  ...dataset
}: Root['datasets'][number]): DatasetConfig {
  if (role === undefined && content === undefined) return dataset
  const older = { ...(role === undefined ? {} : { role }), ...(content === undefined ? {} : { content }) }
  return { ...dataset, messagePropertyMappings: { ...older, ...dataset.messagePropertyMappings } }
}

function inFileOrder(issues: Issue[]): Issue[] {
  const lineOf = (issue: Issue) => issue.line ?? 0
  return issues.toSorted((a, b) => lineOf(a) - lineOf(b) || (a.column ?? 0) - (b.column ?? 0))
}

async function read(file: string, shown: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new LossmaskError('config-not-found', 'no such file', { file: shown, cause })
    const reason = code === 'EISDIR' ? 'it is a folder' : (cause as Error).message
    throw new LossmaskError('config-unreadable', `cannot read the config: ${reason}`, { file: shown, cause })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new LossmaskError('config-unreadable', 'the config is not UTF-8', { file: shown, cause })
  }
}
