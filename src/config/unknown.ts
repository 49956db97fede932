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

/** Words that other parts of a training setup use for things of their own: away from their place they are no mistake about labels. */
const COMMON_WORDS = new Set(
  'audit data_dir end field media mix name path revision role rows seed shards skip split start strategy tail tokenizer tokens type weights'.split(
    ' ',
  ),
)

/** What other tools call a key of axolotl's. */
const FOREIGN: Readonly<Record<string, string>> = {
  cutoff_len: 'sequence_len',
  max_seq_length: 'sequence_len',
  model_max_length: 'sequence_len',
  packing: 'sample_packing',
  eval_dataset: 'test_datasets',
  eval_datasets: 'test_datasets',
  epochs: 'num_epochs',
}

/** What to make of a key that the mapping at `parent` does not know. */
type Verdict =
  /** It is one that decides labels or rows, misspelt or misplaced: left out in silence, the labels would be others than were meant. */
  | { kind: 'error'; issue: Issue }
  /** It is some other tool's, or an old one. */
  | { kind: 'unrelated'; meant?: string }

/** Judges `key`, which the mapping at `parent` does not know. */
export function judgeUnknownKey(key: string, parent: Path, source: Source): Verdict {
  const part = partOf(parent)
  const path = [...parent, key]
  const place = { path: pathText(path), ...source.keyPlace(path) }
  const home = COMMON_WORDS.has(key) ? undefined : PLACES.find(([other]) => other !== part && isKnown(other, key))
  if (home !== undefined) {
    const [other, where] = home
    const issue = {
      code: 'config-misplaced-key',
      message: `\`${key}\` does nothing ${parent.length === 0 ? 'at the root' : `under ${pathText(parent)}`}`,
      ...place,
      hint: `write it ${where(source)}${other === 'dataset' && part === 'root' ? ', and under every other dataset it is meant for' : ''}`,
    }
    return { kind: 'error', issue }
  }
  const near = FOREIGN[key] === undefined ? nearest(key, part) : undefined
  const open = part === 'root' || part === 'dataset'
  if (open && !near?.decides) {
    const meant = FOREIGN[key] ?? near?.name
    return { kind: 'unrelated', ...(meant === undefined ? {} : { meant }) }
  }
  return {
    kind: 'error',
    issue: {
      code: 'config-unknown-key',
      message: `unknown key \`${key}\``,
      ...place,
      hint: near === undefined ? REMOVE : `did you mean \`${near.name}\`?${near.where}`,
    },
  }
}

const REMOVE = 'remove it, or correct its name'

/** One notice for all keys that have no bearing on rows. */
export function unrelatedNotice(keys: readonly { path: Path; meant?: string }[], source: Source): Issue[] {
  const [first] = keys
  if (first === undefined) return []
  const names = keys.map(({ path, meant }) => {
    const { line } = source.keyPlace(path)
    const notes = [
      ...(line === undefined ? [] : [`line ${line}`]),
      ...(meant === undefined ? [] : [`did you mean \`${meant}\`?`]),
    ]
    return `\`${pathText(path)}\`${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`
  })
  return [
    {
      code: 'config-unknown-keys-ignored',
      message: `unknown here, and without effect on rows and labels: ${names.join(', ')}`,
      path: pathText(first.path),
      ...source.keyPlace(first.path),
    },
  ]
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

interface Near {
  name: string
  /** Where it belongs, when that is elsewhere. */
  where: string
  /** lossmask reads it: it decides rows or labels. */
  decides: boolean
}

/** The name that was meant, of the keys of the same part, else of any. */
function nearest(key: string, part: Part | undefined): Near | undefined {
  const own = nearEnough(snakeCase(key), part === undefined ? [] : namesOf(part))
  if (own !== undefined && part !== undefined) return { name: own, where: '', decides: isKnown(part, own) }
  for (const [other, where] of PLACES) {
    if (other === part) continue
    const names = knownKeys[other].filter(name => !COMMON_WORDS.has(name))
    const found = nearEnough(snakeCase(key), names)
    if (found !== undefined) return { name: found, where: ` Its place is ${where(NOWHERE)}`, decides: true }
  }
  return undefined
}

/** Short keys of other tools are soon near to some name: they must be nearer than a hint would need. */
function nearEnough(key: string, names: readonly string[]): string | undefined {
  return nearestName(key, names, key.length > 12 ? 3 : key.length > 5 ? 2 : 1)
}

const NOWHERE: Source = {
  value: undefined,
  issues: [],
  repeated: [],
  keyPlace: () => ({}),
  valuePlace: () => ({}),
}

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
