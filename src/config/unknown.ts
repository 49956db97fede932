/** What to say of a key that does not belong where it stands. */
import type { Issue } from '../errors.js'
import { nearestName } from '../nearest.js'
import { ignoredDatasetKeys, ignoredRootKeys, rowKeys } from './ignored.js'
import { knownKeys } from './schema.js'
import { type Path, pathText, type Source } from './source.js'

/** A part of a config that has keys of its own. */
type Part = keyof typeof knownKeys

/** Where a key belongs, in words, the likeliest place first. */
const PLACES: readonly [Part, (source: Source) => string][] = [
  ['dataset', source => `under datasets[0]${lineOf(source, ['datasets', 0])}`],
  ['root', () => 'at the root of the file'],
  ['lossmask', source => `in the lossmask block${lineOf(source, ['lossmask'])}`],
  ['roleBoundary', source => `in an item of role_boundaries${lineOf(source, ['role_boundaries'])}`],
  ['specialTokens', source => `under special_tokens${lineOf(source, ['special_tokens'])}`],
]

/** The issue for `key`, which the mapping at `parent` does not know. */
export function unknownKey(key: string, parent: Path, source: Source): Issue {
  const part = partOf(parent)
  const path = [...parent, key]
  const place = { path: pathText(path), ...source.keyPlace(path) }
  const home = PLACES.find(([other]) => other !== part && isKnown(other, key))
  if (home !== undefined) {
    const [other, where] = home
    return {
      code: 'config-misplaced-key',
      message: `\`${key}\` does nothing ${parent.length === 0 ? 'at the root' : `under ${pathText(parent)}`}`,
      ...place,
      hint: `write it ${where(source)}${other === 'dataset' && part === 'root' ? ', and under every other dataset it is meant for' : ''}`,
    }
  }
  const near = nearest(key, part)
  return {
    code: 'config-unknown-key',
    message: `unknown key \`${key}\``,
    ...place,
    hint:
      near ?? 'remove it, or correct its name; lossmask knows the keys of axolotl and its own in the lossmask block',
  }
}

function lineOf(source: Source, path: Path): string {
  const { line } = source.valuePlace(path)
  const written = source.value !== undefined && line !== undefined && has(source.value, path)
  return written ? ` (line ${line})` : ''
}

function has(value: unknown, path: Path): boolean {
  const [step, ...rest] = path
  if (step === undefined) return value !== undefined && value !== null
  return typeof value === 'object' && value !== null && has((value as Record<string | number, unknown>)[step], rest)
}

function partOf(parent: Path): Part | undefined {
  if (parent.length === 0) return 'root'
  const [head] = parent
  if (parent.length === 2 && (head === 'datasets' || head === 'test_datasets')) return 'dataset'
  if (parent.length === 1 && head === 'lossmask') return 'lossmask'
  if (parent.length === 2 && head === 'role_boundaries') return 'roleBoundary'
  return parent.length === 1 && head === 'special_tokens' ? 'specialTokens' : undefined
}

function isKnown(part: Part, key: string): boolean {
  return knownKeys[part].includes(key)
}

/** `did you mean ...?`, from the keys of the same part, else of any. */
function nearest(key: string, part: Part | undefined): string | undefined {
  const own = nearestName(snakeCase(key), part === undefined ? [] : namesOf(part))
  if (own !== undefined) return `did you mean \`${own}\`?`
  for (const [other, where] of PLACES) {
    const found = other === part ? undefined : nearestName(snakeCase(key), knownKeys[other])
    if (found !== undefined) return `did you mean \`${found}\`? It stands ${where({ ...NOWHERE })}`
  }
  return undefined
}

const NOWHERE: Source = { value: undefined, issues: [], keyPlace: () => ({}), valuePlace: () => ({}) }

/** Known names first, so that they win a tie against ignored ones. */
function namesOf(part: Part): string[] {
  if (part === 'root') return [...knownKeys.root, ...ignoredRootKeys, ...Object.keys(rowKeys)]
  return part === 'dataset' ? [...knownKeys.dataset, ...ignoredDatasetKeys] : [...knownKeys[part]]
}

/** `rolesToTrain`, `roles-to-train` -> `roles_to_train` */
function snakeCase(key: string): string {
  return key
    .replaceAll(/([a-z])([A-Z])/gu, '$1_$2')
    .replaceAll(/[-\s]+/gu, '_')
    .toLowerCase()
}
