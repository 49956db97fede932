/** Marker strings to ids, in every form in which the tokenizer at hand can write them. */
import type { MarkerTokenizer } from './types.js'

/** A role's header against one tokenizer. */
export interface HeaderIds {
  starts: number[][]
  tails: number[][]
  /** How many of `tails` end in a token that is fused with the content's first white space. */
  fused: number
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
  const starts = known ? [core, ...inContext(tokenizer, start, core)] : []
  const plain: number[][] = []
  const fused: number[][] = []
  for (const tail of tails) {
    const whole = encodeMarker(tokenizer, start + tail)
    if (isUnknown(tokenizer, whole)) continue
    if (!known || !startsWith(whole, core)) {
      starts.push(whole)
      continue
    }
    const ids = whole.slice(core.length)
    if (ids.length === 0) continue
    plain.push(ids)
    fused.push(...fusedTails(tokenizer, start, tail, ids))
  }
  const all = distinct([...plain, ...fused])
  return { starts: distinct(starts), tails: all, fused: all.length - distinct(plain).length }
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

/** The forms a marker takes behind other text, where they differ from `ids`. */
function inContext(tokenizer: MarkerTokenizer, marker: string, ids: readonly number[]): number[][] {
  const found: number[][] = []
  for (const context of CONTEXTS) {
    const before = encodeMarker(tokenizer, context)
    const whole = encodeMarker(tokenizer, context + marker)
    if (before.length === 0 || !startsWith(whole, before)) continue
    const form = whole.slice(before.length)
    if (form.length > 0 && !equal(form, ids) && tokenizer.decode(form).trim() === marker.trim()) found.push(form)
  }
  return found
}

/** `ids` of a tail, its last token replaced by each token in which the tail's white space goes on in more of it. */
function fusedTails(tokenizer: MarkerTokenizer, start: string, tail: string, ids: readonly number[]): number[][] {
  if (!/\s$/u.test(tail)) return []
  const last = ids[ids.length - 1] as number
  const rest = ids.slice(0, -1)
  const tokens =
    tokenizer.vocabulary === undefined
      ? probedContinuations(tokenizer, start + tail, ids, last)
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

function probedContinuations(
  tokenizer: MarkerTokenizer,
  header: string,
  tail: readonly number[],
  last: number,
): number[] {
  const whole = encodeMarker(tokenizer, header)
  const at = whole.length - 1
  const tokens = new Set<number>()
  if (whole[at] !== last || tail.length === 0) return []
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
  for (let spaces = 1; spaces <= 16; spaces++) {
    for (let lines = 1; lines <= 4; lines++) {
      runs.push(' '.repeat(spaces) + '\n'.repeat(lines), '\n'.repeat(lines) + ' '.repeat(spaces))
      runs.push('\t'.repeat(spaces) + '\n'.repeat(lines), `${'\n'.repeat(lines)}${' '.repeat(spaces)}\n`)
    }
  }
  return runs
}

function startsWith(ids: readonly number[], prefix: readonly number[]): boolean {
  return ids.length >= prefix.length && prefix.every((id, index) => ids[index] === id)
}

function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && startsWith(a, b)
}

/** The lists without repetitions, in order. */
export function distinct(lists: readonly number[][]): number[][] {
  return [...new Map(lists.map(list => [list.join(), list])).values()]
}
