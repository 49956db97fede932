import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { type Issue, LossmaskError } from '../errors.js'
import { ignoredDatasetKeys, ignoredRootKeys, rowKeys } from './ignored.js'
import { show, toIssues } from './issues.js'
import { root } from './schema.js'
import { objectSource, type Path, type Place, parsePath, pathText, type Source, yamlSource } from './source.js'

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
 * `config-yaml-syntax`, `config-duplicate-key`, `config-empty`, `config-not-a-mapping`, `config-unknown-key`, `config-misplaced-key`,
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
  const notices: Issue[] = []
  const parsed = root.safeParse(withoutIgnored(source, notices), { reportInput: true })
  const issues = parsed.success ? [] : toIssues(parsed.error.issues, source)
  issues.push(...conflicts(source))
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

/** The value without axolotl's keys that are none of lossmask's business. */
function withoutIgnored(source: Source, notices: Issue[]): object {
  const strip = (value: object, ignored: ReadonlySet<string>, path: Path) =>
    Object.fromEntries(
      Object.entries(value).filter(([key, item]) => {
        if (ignored.has(key)) return false
        if (!Object.hasOwn(rowKeys, key)) return true
        if (item !== null && item !== false) notices.push(ignoredKey(key, [...path, key], source))
        return false
      }),
    )
  const value = strip(source.value as object, ignoredRootKeys, [])
  for (const list of ['datasets', 'test_datasets']) {
    const items = value[list]
    if (!Array.isArray(items)) continue
    value[list] = items.map((item, index) => (isMapping(item) ? strip(item, ignoredDatasetKeys, [list, index]) : item))
  }
  return value
}

function ignoredKey(key: string, path: Path, source: Source): Issue {
  return {
    code: 'config-ignored-key',
    message: `\`${key}\` does nothing in lossmask`,
    path: pathText(path),
    ...source.keyPlace(path),
    hint: rowKeys[key] as string,
  }
}

/** What no single key says: keys that need or contradict each other. */
function conflicts(source: Source): Issue[] {
  const config = source.value as Record<string, unknown>
  const lists = ['datasets', 'test_datasets'].flatMap(list => {
    const items = config[list]
    return Array.isArray(items) ? items.map((item, index) => [[list, index] as Path, item] as const) : []
  })
  const parts = [[[] as Path, config] as const, ...lists.filter(([, item]) => isMapping(item))]
  return [
    ...unsupportedIssues(config, source),
    ...parts.flatMap(([path, part]) => [...templateIssues(path, part, source), ...mappingIssues(path, part, source)]),
  ]
}

/** Keys that change what a text is tokenized to, and that cannot be followed: left out, every row would be wrong. */
function unsupportedIssues(config: Record<string, unknown>, source: Source): Issue[] {
  const key = 'added_tokens_overrides'
  if (config[key] === undefined || config[key] === null) return []
  return [
    {
      code: 'config-unsupported-key',
      message: `\`${key}\` renames tokens of the model's tokenizer, which lossmask does not do`,
      path: key,
      ...source.keyPlace([key]),
      hint: 'rename them once with axolotl or transformers, save the tokenizer, and name its folder in `tokenizer`',
    },
  ]
}

function templateIssues(path: Path, part: Record<string, unknown>, source: Source): Issue[] {
  if (part.chat_template !== 'jinja' || part.chat_template_jinja || (path.length > 0 && hasRootTemplate(source)))
    return []
  return [
    {
      code: 'config-missing-key',
      message: '`chat_template: jinja` needs `chat_template_jinja`',
      path: pathText([...path, 'chat_template_jinja']),
      ...source.valuePlace([...path, 'chat_template']),
      hint: 'write the template there, or the path of its file',
    },
  ]
}

function hasRootTemplate(source: Source): boolean {
  return Boolean((source.value as Record<string, unknown>).chat_template_jinja)
}

/** axolotl's older `message_field_role` and `message_field_content` may not contradict the mappings. */
function mappingIssues(path: Path, part: Record<string, unknown>, source: Source): Issue[] {
  const mappings = part.message_property_mappings
  return ['role', 'content'].flatMap(property => {
    const older = part[`message_field_${property}`]
    const newer = isMapping(mappings) ? mappings[property] : undefined
    if (older === undefined || older === null || newer === undefined || older === newer) return []
    const place = [...path, `message_field_${property}`]
    return [
      {
        code: 'config-conflict',
        message: `message_field_${property} is ${show(older)}, message_property_mappings.${property} is ${show(newer)}`,
        path: pathText(place),
        ...source.keyPlace(place),
        hint: `keep message_property_mappings.${property}: message_field_${property} is its older name`,
      },
    ]
  })
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

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
