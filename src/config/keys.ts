/** A config's keys, sorted: what lossmask reads, what other tools read, and what has older names. */
import type { Issue } from '../errors.js'
import { ignoredDatasetKeys, ignoredRootKeys, rowKeys } from './ignored.js'
import { knownKeys } from './schema.js'
import { type Path, type Place, pathText, type Source } from './source.js'
import { judgeUnknownKey, unrelatedNotice } from './unknown.js'

type Mapping = Record<string, unknown>

/** What is left of a config to be validated. */
export interface Keys {
  /** Keys that lossmask reads, by today's names, and those that are wrong. */
  value: Mapping
  /** What is worth knowing of the others. */
  notices: Issue[]
}

/** Sorts the keys of a config, which is a mapping. */
export function readKeys(source: Source): Keys {
  const notices: Issue[] = source.repeated.map(repeatedNotice)
  const unrelated: { path: Path; meant?: string }[] = []
  const sorted = (part: Mapping, known: readonly string[], ignored: ReadonlySet<string>, path: Path): Mapping => {
    const current = withCurrentNames(part, path, source, notices)
    const entries = Object.entries(current).filter(([key, item]) => {
      if (known.includes(key)) return true
      if (ignored.has(key)) return false
      if (Object.hasOwn(rowKeys, key)) {
        if (item !== null && item !== false) notices.push(ignoredKey(key, [...path, key], source))
        return false
      }
      const verdict = judgeUnknownKey(key, path, source)
      if (verdict.kind === 'error') return true
      unrelated.push({ path: [...path, key], ...(verdict.meant === undefined ? {} : { meant: verdict.meant }) })
      return false
    })
    return Object.fromEntries(entries)
  }
  const value = sorted(source.value as Mapping, knownKeys.root, ignoredRootKeys, [])
  for (const list of ['datasets', 'test_datasets']) {
    const items = value[list]
    if (!Array.isArray(items)) continue
    value[list] = items.map((item, index) =>
      isMapping(item) ? sorted(item, knownKeys.dataset, ignoredDatasetKeys, [list, index]) : item,
    )
  }
  return { value, notices: [...notices, ...unrelatedNotice(unrelated, source)] }
}

/** Names that axolotl once gave to keys that it has today. */
const RENAMED: readonly { from: string; to: string; at: 'root' | 'dataset'; applies?: (value: unknown) => boolean }[] =
  [
    { from: 'train_on_split', to: 'split', at: 'dataset' },
    { from: 'model_revision', to: 'revision_of_model', at: 'root' },
    { from: 'tokens', to: 'special_tokens', at: 'root', applies: isMapping },
  ]

/** The mapping with today's names; a key that is there by both names keeps the newer one's value. */
function withCurrentNames(part: Mapping, path: Path, source: Source, notices: Issue[]): Mapping {
  const at = path.length === 0 ? 'root' : 'dataset'
  const out = { ...part }
  for (const { from, to, at: home, applies } of RENAMED) {
    const value = part[from]
    if (home !== at || value === undefined || (applies !== undefined && !applies(value))) continue
    delete out[from]
    if (value === null) continue
    const both = part[to] !== undefined && part[to] !== null
    out[to] = both ? merged(value, part[to]) : value
    notices.push({
      code: 'config-renamed-key',
      message: `\`${from}\` is read as \`${to}\`, its name in axolotl today${both ? `; what \`${to}\` says comes first` : ''}`,
      path: pathText([...path, from]),
      ...source.keyPlace([...path, from]),
    })
  }
  return out
}

function merged(older: unknown, newer: unknown): unknown {
  return isMapping(older) && isMapping(newer) ? { ...older, ...newer } : newer
}

function repeatedNotice({ key, places }: Source['repeated'][number]): Issue {
  const last = places.at(-1) as Place
  const others = places.slice(0, -1).map(({ line, column }) => `${line}:${column}`)
  return {
    code: 'config-duplicate-key',
    message: `\`${key}\` is written ${places.length === 2 ? 'twice' : `${places.length} times`}: line ${last.line}:${last.column} counts, ${others.join(', ')} does not`,
    path: key,
    ...last,
    hint: 'keep one of them',
  }
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

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
