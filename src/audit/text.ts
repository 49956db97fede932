import { placeText } from '../cli/rowText.js'
import { count, type Paint, percent, visible } from '../cli/terminal.js'
import type { Report } from '../pipeline/report.js'
import { noticeChecks, rowChecks, runChecks } from './checks.js'
import type { Audit, Finding, Verdict } from './types.js'

const widest = Math.max(...[...runChecks, ...rowChecks, ...noticeChecks].map(({ title }) => title.length))
const signs: Record<Verdict, string> = { fail: 'FAIL', warn: 'warn', info: 'info', pass: 'ok' }

/** An audit on one screen: what would be trained, then a line per check, with place and advice where one is needed. */
export function auditText(audit: Audit, report: Report, paint: Paint): string {
  const tally = (verdict: Verdict) => audit.findings.filter(finding => finding.verdict === verdict).length
  const last = audit.failed ? paint.red('the audit fails') : paint.green('nothing would train wrongly')
  return [
    ...trainedTable(report, paint),
    '',
    ...audit.findings.flatMap(finding => findingLines(finding, paint)),
    '',
    `${last}: ${tally('fail')} failed, ${tally('warn')} warned of, ${tally('pass')} passed`,
  ].join('\n')
}

/** Trained share per role and kind of token. */
function trainedTable({ tokens, trainedTokens, roles }: Report, paint: Paint): string[] {
  const rows = Object.entries(roles).flatMap(([role, figures]) => [
    [visible(role), '', figures.trained, figures.tokens] as const,
    ...Object.entries(figures.kinds).map(([kind, { trained, tokens }]) => ['', kind, trained, tokens] as const),
  ])
  const widths = [0, 1].map(column => Math.max(...rows.map(row => String(row[column]).length), 4))
  const digits = count(tokens).length
  const line = (name: string, kind: string, trained: number, all: number) =>
    `  ${name.padEnd(widths[0] ?? 0)}  ${kind.padEnd(widths[1] ?? 0)}  ${count(trained).padStart(digits)} of ${count(all).padStart(digits)}  ${percent(trained, all).padStart(8)}`
  return [
    paint.bold('trained tokens'),
    ...rows.map(([name, kind, trained, all]) =>
      name === '' ? paint.dim(line(name, kind, trained, all)) : line(name, kind, trained, all),
    ),
    line('all', '', trainedTokens, tokens),
  ]
}

function findingLines({ verdict, title, code, message, hint, first }: Finding, paint: Paint): string[] {
  const colour = { fail: paint.red, warn: paint.yellow, info: paint.dim, pass: paint.green }[verdict]
  const sign = colour(signs[verdict].padEnd(4))
  if (verdict === 'pass') return [`${sign}  ${title.padEnd(widest)}  ${paint.dim(visible(message))}`]
  const lines = [`${sign}  ${paint.bold(title)}: ${visible(message)} ${paint.dim(`[${code}]`)}`]
  if (first !== undefined) lines.push(`      first at ${placeText(first)}`)
  if (hint !== undefined) lines.push(`      ${visible(hint)}`)
  return lines
}
