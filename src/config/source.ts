/** A config's YAML with the place of every key and value. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
} from 'yaml'
import type { Issue } from '../errors.js'

/** Keys and indices from the root of a config to a value in it. */
export type Path = readonly (string | number)[]

/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  file?: string
  line?: number
  column?: number
}

/** A config before it is validated. */
export interface Source {
  /** The plain value, `undefined` when the text is no YAML. */
  value: unknown
  /** What is wrong with the text itself. */
  issues: Issue[]
  /** Keys that the text has more than once: the last one counts, as in PyYAML. */
  repeated: readonly Repeated[]
  /** Where the key at `path` stands; the nearest place above it when the key is not written there. */
  keyPlace(path: Path): Place
  /** Where the value at `path` stands. */
  valuePlace(path: Path): Place
}

/** A key that is written more than once in one mapping. */
export interface Repeated {
  key: string
  /** Where, in the order of the file. */
  places: readonly Place[]
}

/** The source of a config given as an object: it has no places. */
export function objectSource(value: unknown): Source {
  const nowhere = () => ({})
  return { value, issues: [], repeated: [], keyPlace: nowhere, valuePlace: nowhere }
}

/**
 * Reads YAML as axolotl does, by version 1.1: `yes`, `no`, `on`, `off` are booleans, `<<` merges, and of a key written twice the last
 * counts. Every fault of the text is an issue.
 */
export function yamlSource(text: string, file: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.1',
    merge: true,
    prettyErrors: false,
    uniqueKeys: false,
  })
  const at = (offset: number | undefined): Place => {
    if (offset === undefined) return { file }
    const { line, col } = lines.linePos(offset)
    return { file, line, column: col }
  }
  const issues = document.errors.map(error => syntaxIssue(error.code, error.message, at(error.pos[0])))
  let value: unknown
  try {
    value = issues.length === 0 ? document.toJS() : undefined
  } catch (error) {
    issues.push(syntaxIssue('ALIAS', (error as Error).message, { file }))
  }
  return {
    value,
    issues,
    repeated: repeatedKeys(document, at),
    keyPlace: path => at(offsetOf(document, path, 'key')),
    valuePlace: path => at(offsetOf(document, path, 'value')),
  }
}

function syntaxIssue(code: string, message: string, place: Place): Issue {
  const hint =
    code === 'TAB_AS_INDENT'
      ? 'indent with spaces'
      : code === 'MULTIPLE_DOCS'
        ? 'a config is one document: remove the `---` between them'
        : undefined
  return {
    code: 'config-yaml-syntax',
    message: `not valid YAML: ${message}`,
    ...place,
    ...(hint === undefined ? {} : { hint }),
  }
}

function repeatedKeys(document: Document, at: (offset: number | undefined) => Place): Repeated[] {
  const found: Repeated[] = []
  visit(document, {
    Map(_, { items }) {
      const places = new Map<string, Place[]>()
      for (const pair of items) {
        const key = keyText(pair)
        places.set(key, [...(places.get(key) ?? []), at(asNode(pair.key)?.range?.[0])])
      }
      for (const [key, each] of places) if (each.length > 1 && key !== '<<') found.push({ key, places: each })
    },
  })
  return found
}

/** Offset of the key or value at `path`, or of the nearest one above it that is written in the file. */
function offsetOf(document: Document, path: Path, what: 'key' | 'value'): number | undefined {
  let node: Node | null = document.contents
  let offset = node?.range?.[0]
  for (const [index, step] of path.entries()) {
    const found = child(document, node, step)
    if (found === undefined) return offset
    const last = index === path.length - 1
    const key = found.key?.range?.[0]
    const value = found.value?.range?.[0]
    offset = (last && what === 'key' ? (key ?? value) : (value ?? key)) ?? offset
    node = found.value
  }
  return offset
}

/** What stands under `step`; aliases are followed, merged keys are not found. */
function child(
  document: Document,
  parent: Node | null,
  step: string | number,
): { key: Node | null; value: Node | null } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent
  if (isMap(node)) {
    const pair = node.items.findLast(item => keyText(item) === String(step))
    return pair === undefined ? undefined : { key: asNode(pair.key), value: asNode(pair.value) }
  }
  if (!isSeq(node) || typeof step !== 'number' || step >= node.items.length) return undefined
  return { key: null, value: asNode(node.items[step]) }
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key)
}

function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null
}

/** `datasets[0].roles_to_train` */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  )
}

/** The reverse of {@link pathText}. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/gu)].map(match =>
    match[1] === undefined ? (match[2] as string) : Number(match[1]),
  )
}
