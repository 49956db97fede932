import type { ShownRow, ShownSpan } from '../pipeline/report.js'

/** A stretch of text with one decision. */
export interface Piece {
  text: string
  trained: boolean
}

/** The text of a row, or of some of its spans, in stretches of one decision. */
export function pieces(row: ShownRow, spans: readonly ShownSpan[] = row.spans): Piece[] {
  const out: Piece[] = []
  for (const { start, end, trained } of spans) {
    const text = row.tokens.slice(start, end).join('')
    const last = out.at(-1)
    if (last !== undefined && last.trained === trained) last.text += text
    else out.push({ text, trained })
  }
  return out
}
