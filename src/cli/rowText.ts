import type { Place, ShownRow } from '../pipeline/report.js'
import { count, type Paint, visible } from './terminal.js'

/** `data.jsonl:3`, or `data.parquet row 2` where there are no lines. */
export function placeText({ file, line, row }: Place): string {
  return line === undefined ? `${file} row ${row}` : `${file}:${line}`
}

/**
 * A row as axolotl's `--debug` prints it: `token(label, id)` each, masked tokens red, trained ones green, and the two counts below.
 */
export function rowText(row: ShownRow, paint: Paint): string {
  const cells = row.inputIds.map((id, index) => {
    const label = row.labels[index] as number
    const text = visible(row.tokens[index] ?? '')
    return `${isTrained(row, index) ? paint.green(text) : paint.red(text)}${paint.dim(`(${label}, ${id})`)}`
  })
  const trained = row.inputIds.filter((_, index) => isTrained(row, index)).length
  return [
    paint.bold(`${row.split} ${row.index}`) + paint.dim(` (${row.sources.map(placeText).join(', ')}; ${row.status})`),
    cells.join(' '),
    `Total input len: ${count(row.inputIds.length)}`,
    `Count of labels: ${count(trained)}`,
    ...row.diagnostics.map(({ severity, code, message }) => `${severity}: ${message} [${code}]`),
  ].join('\n')
}

/** By the spans, which cover the row in order: a label alone cannot tell when the ignore index is also an id. */
function isTrained(row: ShownRow, index: number): boolean {
  let low = 0
  let high = row.spans.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((row.spans[middle]?.start ?? 0) <= index) low = middle
    else high = middle - 1
  }
  return row.spans[low]?.trained === true
}
