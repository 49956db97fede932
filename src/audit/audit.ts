import type { Severity } from '../pipeline/report.js'
import { type Check, failingNotices, noticeChecks, rowChecks, runChecks } from './checks.js'
import type { Audit, AuditInput, Finding, Thresholds, Verdict } from './types.js'

const severityVerdict: Record<Severity, Exclude<Verdict, 'pass'>> = { error: 'fail', warning: 'warn', info: 'info' }
const rank: Record<Verdict, number> = { fail: 0, warn: 1, info: 2, pass: 3 }

/** Judges a run. Every check that applies gives one finding; a diagnosis or notice without a check of its own gives one too. */
export function judge(input: AuditInput, thresholds: Thresholds = {}): Audit {
  const named = new Set(runChecks.map(check => check.code))
  const findings = [
    ...runChecks.flatMap(check => runFinding(check, input, thresholds)),
    ...noticeFindings(input, thresholds).filter(({ code }) => !named.has(code)),
    ...rowFindings(input, thresholds).filter(({ code }) => !named.has(code)),
  ]
  // The order of the checks is the order of reading; only the verdict goes before it.
  findings.sort((a, b) => rank[a.verdict] - rank[b.verdict])
  return { failed: findings.some(({ verdict }) => verdict === 'fail'), findings }
}

/** A threshold of the user's decides alone: up to it all is well, above it the check fails. */
function verdictOf(count: number, of: number | undefined, own: Exclude<Verdict, 'pass'>, threshold?: number): Verdict {
  if (count === 0) return 'pass'
  if (threshold === undefined) return own
  return count / (of || count) > threshold ? 'fail' : 'pass'
}

function runFinding(check: Check, input: AuditInput, thresholds: Thresholds): Finding[] {
  const measure = check.measure(input)
  if (measure === undefined) return []
  const { failsAbove = 0, verdict = 'fail', count, of, message, hint, first } = measure
  const tolerated = verdict === 'fail' && count / (of || 1) <= failsAbove
  const judged = verdictOf(count, of, tolerated ? 'warn' : verdict, thresholds[check.code])
  const found = judged !== 'pass'
  return [
    {
      code: check.code,
      verdict: judged,
      title: check.title,
      count,
      ...(of === undefined ? {} : { of }),
      message,
      ...(found && hint !== undefined ? { hint } : {}),
      ...(found && first !== undefined ? { first } : {}),
    },
  ]
}

function noticeFindings({ notices }: AuditInput, thresholds: Thresholds): Finding[] {
  const made = notices.map(({ code, severity = 'warning', message, hint }) => ({
    code,
    verdict: verdictOf(1, undefined, failingNotices.has(code) ? 'fail' : severityVerdict[severity], thresholds[code]),
    title: titleOf(noticeChecks, code),
    count: 1,
    message,
    ...(hint === undefined ? {} : { hint }),
  }))
  return [...made, ...passed(noticeChecks, made)]
}

function rowFindings({ report }: AuditInput, thresholds: Thresholds): Finding[] {
  const made = report.diagnostics.map(
    ({ code, severity, rows, first, message, hint }): Finding => ({
      code,
      verdict: verdictOf(rows, report.rowsRead, severityVerdict[severity], thresholds[code]),
      title: titleOf(rowChecks, code),
      count: rows,
      of: report.rowsRead,
      message: `${rows} of ${report.rowsRead} rows; the first: ${message}`,
      ...(hint === undefined ? {} : { hint }),
      first,
    }),
  )
  return [...made, ...passed(rowChecks, made)]
}

function titleOf(checks: readonly { code: string; title: string }[], code: string): string {
  return checks.find(check => check.code === code)?.title ?? code.replaceAll('-', ' ')
}

/** The checks that nothing was found for. */
function passed(checks: readonly { code: string; title: string }[], made: readonly Finding[]): Finding[] {
  return checks
    .filter(({ code }) => made.every(finding => finding.code !== code))
    .map(({ code, title }) => ({ code, verdict: 'pass', title, count: 0, message: 'none' }))
}
