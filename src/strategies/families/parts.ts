/** Pieces that several families are made of. */
import type { EndMarker, RoleMarkers } from '../types.js'

/** An end that belongs to its turn. */
export const end = (text: string): EndMarker => ({ text, kind: 'consumed' })

/** An end that belongs to its turn and is also the beginning of the next one's start. */
export const anchor = (text: string): EndMarker => ({ text, kind: 'anchor' })

/** What begins something else and so ends the turn in front of it. */
export const before = (text: string): EndMarker => ({ text, kind: 'before' })

/** The tokenizer's EOS; `fallback` is its usual name in this family. */
export const eos = (fallback: string): EndMarker => ({ text: 'eos_token', kind: 'consumed', fallback })

/** One role's markers. */
export function role(
  name: string,
  start: string | readonly string[],
  tails: readonly string[],
  ends: readonly EndMarker[],
): RoleMarkers {
  return { role: name, starts: typeof start === 'string' ? [start] : start, tails, ends }
}

/** ChatML turns, `<|im_start|>ROLE\n...<|im_end|>`; `thinking` is what the template itself may put before an answer. */
export function chatmlRoles(roles: readonly string[], thinking: readonly string[] = []): RoleMarkers[] {
  return roles.map(name => {
    const tails = name === 'assistant' ? [...thinking.map(block => `\n${block}`), '\n'] : ['\n']
    return role(name, `<|im_start|>${name}`, tails, [end('<|im_end|>')])
  })
}

/** The control tokens of ChatML. */
export const CHATML_CONTROL = ['<|im_start|>', '<|im_end|>'] as const

/** An empty think block as Qwen's templates write it before answers without reasoning. */
export const EMPTY_THINK = '<think>\n\n</think>\n\n'

/** `row_1_col_1`-like tags in every combination, made by `tag`. */
export function grid(rows: number, columns: number, tag: (row: number, column: number) => string): string[] {
  return Array.from({ length: rows * columns }, (_, index) =>
    tag(Math.floor(index / columns) + 1, (index % columns) + 1),
  )
}
