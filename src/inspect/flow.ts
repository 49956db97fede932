import { placeText } from '../cli/rowText.js'
import { count, type Paint, percent, visible } from '../cli/terminal.js'
import type { ShownRow, ShownSpan } from '../pipeline/report.js'
import { pieces } from './pieces.js'

const MARGIN = 12

/** A row as flowing text: roles in the margin, trained text green, and in brackets for those who see no colour. */
export function flowText(row: ShownRow, paint: Paint): string {
  const trained = row.spans.filter(span => span.trained).reduce((sum, { start, end }) => sum + end - start, 0)
  const places = row.sources.map(placeText).join(', ')
  const head = `${row.split} ${row.index}  ${places}  ${row.status}  ${count(trained)} of ${count(row.inputIds.length)} tokens trained (${percent(trained, row.inputIds.length)})`
  // The line break between two turns is nobody's text.
  const blocks = byTurn(row.spans)
    .filter(spans => spans[0]?.turn !== null || !isBlank(row, spans))
    .map(spans => {
      const turn = spans[0]?.turn ?? null
      return marginal(turn === null ? '' : (row.turns[turn]?.role ?? ''), spanTexts(row, spans, paint), paint)
    })
  const found = row.diagnostics.map(({ severity, code, message }) => `${severity}: ${visible(message)} [${code}]`)
  return [paint.bold(head), ...blocks, ...found].join('\n')
}

const isBlank = (row: ShownRow, spans: readonly ShownSpan[]) =>
  spans.every(({ start, end }) => row.tokens.slice(start, end).join('').trim() === '')

function byTurn(spans: readonly ShownSpan[]): ShownSpan[][] {
  const blocks: ShownSpan[][] = []
  for (const span of spans) {
    const last = blocks.at(-1)
    if (last !== undefined && last[0]?.turn === span.turn) last.push(span)
    else blocks.push([span])
  }
  return blocks
}

function spanTexts(row: ShownRow, spans: readonly ShownSpan[], paint: Paint): string {
  return pieces(row, spans)
    .map(({ text, trained }) => (trained ? lines(`[${text}]`, paint.green) : lines(text, paint.dim)))
    .join('')
}

/** Paints each line by itself: a colour that spans lines would paint the margin too. Line breaks stay, other controls are shown. */
function lines(text: string, paint: (text: string) => string): string {
  return text
    .split('\n')
    .map(line => (line === '' ? '' : paint(visible(line))))
    .join('\n')
}

function marginal(role: string, text: string, paint: Paint): string {
  const label = visible(role)
    .slice(0, MARGIN - 2)
    .padStart(MARGIN - 2)
  return text
    .replace(/\n$/u, '')
    .split('\n')
    .map((line, index) => `${index === 0 ? paint.bold(label) : ' '.repeat(MARGIN - 2)}  ${line}`)
    .join('\n')
}
