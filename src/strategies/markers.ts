/** Marker strings to ids, in every form in which the tokenizer at hand can write them. */
import type { MarkerTokenizer } from './types.js'

/** A role's header against one tokenizer. */
export interface HeaderIds {
  starts: number[][]
  tails: number[][]
}

/** What a plain-text marker may stand behind. Control tokens are cut out before the text is, so they never change. */
const CONTEXTS = ['a', '.', ' ', '\n', 'a\n', '.\n\n'] as const

/** Runs of white space that content may begin with, for tokenizers that do not list their vocabulary. */
const RUNS = whiteSpaceRuns()

/** The ids of a marker; empty when the tokenizer knows no such text. */
export function encodeMarker(tokenizer: MarkerTokenizer, marker: string): number[] {
  return Array.from(tokenizer.encode(marker), Number)
}

/** Whether the vocabulary holds `token` only in pieces, or not at all. */
export function isInPieces(tokenizer: MarkerTokenizer, token: string): boolean {
  return encodeMarker(tokenizer, token).length > 1
}

/** Whether the tokenizer answers to `marker` with nothing, or with nothing but unknown tokens. */
export function isUnknown(tokenizer: MarkerTokenizer, ids: readonly number[]): boolean {
  return ids.every(id => id === tokenizer.unkTokenId)
}

/**
 * Starts and tails as ids.
 *
 * A tail's ids are what encoding `start + tail` adds to those of the start, so they are the tail's ids *there*. Where the two
 * cannot be told apart (the tail fuses into the start, or the start alone is no text the tokenizer knows), both together
 * are one more start. A tail that the start swallows (a token that strips white space to its right) leaves nothing.
 */
export function resolveHeader(tokenizer: MarkerTokenizer, start: string, tails: readonly string[]): HeaderIds {
  const core = encodeMarker(tokenizer, start)
  const known = !isUnknown(tokenizer, core)
  const starts = known ? startForms(tokenizer, start, core) : []
  const plain: number[][] = []
  const fused: number[][] = []
  for (const tail of tails) {
    const whole = encodeMarker(tokenizer, start + tail)
    if (isUnknown(tokenizer, whole)) continue
    if (!known || !startsWith(whole, core)) {
      starts.push(...startForms(tokenizer, start + tail, whole))
      continue
    }
    const ids = whole.slice(core.length)
    if (ids.length === 0) continue
    plain.push(ids)
    fused.push(...fusedForms(tokenizer, start + tail, ids))
  }
  return { starts: distinct(starts), tails: distinct([...plain, ...fused]) }
}

/** The ids of an end marker, in every context; empty when the tokenizer knows no such text. */
export function resolveEnd(tokenizer: MarkerTokenizer, end: string): number[][] {
  const ids = encodeMarker(tokenizer, end)
  return isUnknown(tokenizer, ids) ? [] : distinct([ids, ...inContext(tokenizer, end, ids)])
}

/** `text` without its trailing white space, and that white space. */
export function splitTrailingWhiteSpace(text: string): { core: string; tail: string } {
  const core = text.trimEnd()
  return { core, tail: text.slice(core.length) }
}

/** The forms a marker takes behind other text, where they differ from `ids`; white space before it may be part of its first token. */
function inContext(tokenizer: MarkerTokenizer, marker: string, ids: readonly number[]): number[][] {
  const found: number[][] = []
  for (const context of CONTEXTS) {
    const before = encodeMarker(tokenizer, context)
    const whole = encodeMarker(tokenizer, context + marker)
    const apart = before.length > 0 && startsWith(whole, before)
    if (!apart && context.trim() !== '') continue
    const form = apart ? whole.slice(before.length) : whole
    // A form that ends in one known already would only take more of the text before the marker.
    if ([ids, ...found].some(known => endsWith(form, known))) continue
    if (tokenizer.decode(form).trim() === marker.trim()) found.push(form)
  }
  return found
}

/** A start in every form: alone, behind other text, and with its own trailing white space fused with that of the content. */
function startForms(tokenizer: MarkerTokenizer, start: string, ids: number[]): number[][] {
  return [ids, ...inContext(tokenizer, start, ids)].flatMap(form => [form, ...fusedForms(tokenizer, start, form)])
}

/**
 * `ids`, the end of what `header` encodes to, its last token replaced by each token in which the header's white space goes on in more of
 * it: the content's. Such a token belongs to the header.
 */
function fusedForms(tokenizer: MarkerTokenizer, header: string, ids: readonly number[]): number[][] {
  if (!/\s$/u.test(header)) return []
  const last = ids[ids.length - 1] as number
  const rest = ids.slice(0, -1)
  const tokens =
    tokenizer.vocabulary === undefined
      ? probedContinuations(tokenizer, header, last)
      : listedContinuations(tokenizer, last)
  return tokens.map(token => [...rest, token])
}

function listedContinuations(tokenizer: MarkerTokenizer, last: number): number[] {
  const ending = tokensEndingInWhiteSpace(tokenizer)
  const text = ending.get(last)
  if (text === undefined) return []
  const tokens: number[] = []
  for (const [id, other] of ending) {
    if (id !== last && other.startsWith(text) && other.length > text.length && other.slice(text.length).trim() === '') {
      tokens.push(id)
    }
  }
  return tokens
}

function probedContinuations(tokenizer: MarkerTokenizer, header: string, last: number): number[] {
  const whole = encodeMarker(tokenizer, header)
  const at = whole.length - 1
  const tokens = new Set<number>()
  if (whole[at] !== last) return []
  for (const run of RUNS) {
    const ids = encodeMarker(tokenizer, header + run)
    const token = ids[at]
    if (token !== undefined && token !== last && startsWith(ids, whole.slice(0, at))) tokens.add(token)
  }
  return [...tokens]
}

const ENDING = new WeakMap<MarkerTokenizer, Map<number, string>>()

/** The vocabulary's tokens that end in white space, read once per tokenizer. */
function tokensEndingInWhiteSpace(tokenizer: MarkerTokenizer): Map<number, string> {
  let ending = ENDING.get(tokenizer)
  if (ending === undefined) {
    ending = new Map()
    for (const [text, id] of tokenizer.vocabulary?.() ?? []) {
      if (text !== '' && text.trimEnd().length < text.length) ending.set(id, text)
    }
    ENDING.set(tokenizer, ending)
  }
  return ending
}

function whiteSpaceRuns(): string[] {
  const runs: string[] = []
  for (const character of ['\n', ' ', '\t', '\r', '\r\n']) {
    for (let length = 1; length <= 32; length++) runs.push(character.repeat(length))
  }
  for (let spaces = 1; spaces <= 24; spaces++) {
    const blanks = ' '.repeat(spaces)
    for (let lines = 1; lines <= 4; lines++) {
      const breaks = '\n'.repeat(lines)
      runs.push(blanks + breaks, breaks + blanks, '\t'.repeat(spaces) + breaks, `${breaks}${blanks}\n`)
    }
    runs.push(`${blanks}\n${blanks}\n`)
  }
  return runs
}

function startsWith(ids: readonly number[], prefix: readonly number[]): boolean {
  return ids.length >= prefix.length && prefix.every((id, index) => ids[index] === id)
}

function endsWith(ids: readonly number[], suffix: readonly number[]): boolean {
  return ids.length >= suffix.length && suffix.every((id, index) => ids[ids.length - suffix.length + index] === id)
}

/** The lists without repetitions, in order. */
export function distinct(lists: readonly number[][]): number[][] {
  return [...new Map(lists.map(list => [list.join(), list])).values()]
}
