import type { Report } from '../pipeline/report.js'
import { placeText } from './rowText.js'
import { count, counted, duration, type Paint, percent, short, visible } from './terminal.js'

const droppedFor: Record<string, string> = {
  'too-long': 'longer than sequence_len',
  'too-short': 'too short to learn from',
  'no-trained-token': 'no trained token',
  empty: 'without text',
}

/** The figures of a run on one screen. */
export function summaryText(report: Report, paint: Paint): string {
  return [
    ...rowLines(report),
    ...tokenLines(report),
    ...turnLines(report, paint),
    ...diagnosisLines(report, paint),
    ...outputLines(report),
  ].join('\n')
}

function line(name: string, value: string): string {
  return `${name.padEnd(16)}${value}`
}

function rowLines(report: Report): string[] {
  const splits = Object.entries(report.splits)
  const shown = splits.length > 1 ? ` (${splits.map(([name, rows]) => `${name} ${count(rows)}`).join(', ')})` : ''
  const lines = [
    line('rows read', count(report.rowsRead)),
    ...(report.rowsAdded > 0 ? [line('rows added', `${count(report.rowsAdded)} (long texts in several rows)`)] : []),
    line('rows written', `${count(report.rowsWritten)}${shown}`),
  ]
  const reasons = (record: Record<string, number>, name: (code: string) => string) =>
    Object.entries(record)
      .filter(([, rows]) => rows > 0)
      .map(([code, rows]) => `${count(rows)} ${name(code)}`)
      .join(', ')
  const dropped = reasons(report.dropped, code => droppedFor[code] ?? code)
  if (dropped !== '') lines.push(line('rows dropped', dropped))
  const rejected = reasons(report.rejected, code => code)
  if (rejected !== '') lines.push(line('rows rejected', `${rejected} (see rejected.jsonl)`))
  if (report.packing) {
    const { sequences, efficiency } = report.packing
    lines.push(line('packed', `${counted(sequences, 'sequence')}, ${percent(efficiency, 1)} full`))
  }
  const { truncation } = report
  if (truncation.rows > 0) {
    const lost = `${counted(truncation.tokens, 'token')} lost, ${count(truncation.trainedTokens)} of them trained`
    lines.push(line('rows truncated', `${count(truncation.rows)} (${lost})`))
  }
  if (report.duplicateRows) lines.push(line('duplicate rows', count(report.duplicateRows)))
  return lines
}

function tokenLines({ tokens, trainedTokens, roles }: Report): string[] {
  const lines = [
    line('tokens', count(tokens)),
    line('trained tokens', `${count(trainedTokens)} (${percent(trainedTokens, tokens)})`),
  ]
  const width = Math.max(0, ...Object.keys(roles).map(role => role.length))
  for (const [role, { tokens: all, trained, turns }] of Object.entries(roles)) {
    lines.push(
      `  ${visible(role).padEnd(width)}  ${count(trained)} of ${counted(all, 'token')} trained (${percent(trained, all)}), ${counted(turns, 'turn')}`,
    )
  }
  return lines
}

function turnLines(report: Report, paint: Paint): string[] {
  const { ends } = report
  const markers = `${count(ends.trained)} of ${counted(ends.turns, 'turn')}`
  const lines = [line('end markers', `trained in ${ends.trained < ends.turns ? paint.yellow(markers) : markers}`)]
  const warn = (name: string, rows: number) => {
    if (rows > 0) lines.push(line(name, paint.yellow(count(rows))))
  }
  lines.push(line('nothing trained', rowsOf(report.rowsWithoutTrainedTokens, paint)))
  warn('all trained', report.rowsFullyTrained)
  warn('unterminated', report.unterminatedTurns)
  const statuses = Object.entries(report.statuses).filter(([, rows]) => rows > 0)
  if (statuses.length > 0) {
    lines.push(line('proof', statuses.map(([status, rows]) => `${count(rows)} ${status}`).join(', ')))
  }
  return lines
}

function rowsOf(rows: number, paint: Paint): string {
  const text = counted(rows, 'row')
  return rows > 0 ? paint.yellow(text) : text
}

function diagnosisLines({ diagnostics }: Report, paint: Paint): string[] {
  return diagnostics.flatMap(({ code, severity, rows, first, message, hint }) => {
    const colour = severity === 'error' ? paint.red : severity === 'warning' ? paint.yellow : paint.dim
    const head = `${colour(severity)}: ${visible(message)} [${code}], ${counted(rows, 'row')}, first at ${placeText(first)}`
    return hint === undefined ? [head] : [head, `  hint: ${visible(hint)}`]
  })
}

function outputLines({ output, timing, tokens }: Report): string[] {
  const speed = timing.wall > 0 ? `, ${short(tokens / timing.wall)} tokens/s` : ''
  const lines = [line('time', `${duration(timing.wall)}${speed}`)]
  if (output) lines.push(line('written to', `${output.dir} (${output.format}, ${short(output.bytes)}B)`))
  return lines
}
