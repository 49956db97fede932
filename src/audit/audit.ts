import type { Severity } from '../pipeline/report.js'
import { type Check, noticeChecks, rowChecks, runChecks } from './checks.js'
import type { Audit, AuditInput, Finding, Thresholds, Verdict } from './types.js'

const severityVerdict: Record<Severity, Exclude<Verdict, 'pass'>> = { error: 'fail', warning: 'warn', info: 'info' }
const rank: Record<Verdict, number> = { fail: 0, warn: 1, info: 2, pass: 3 }

/** Judges a run. Every check that applies gives one finding; a diagnosis or notice without a check of its own gives one too. */
export function judge(input: AuditInput, thresholds: Thresholds = {}): Audit {
  const own = runChecks.flatMap(check => runFinding(check, input, thresholds))
  const named = new Set(runChecks.map(check => check.code))
  const findings = [
    ...own,
    ...noticeFindings(input).filter(({ code }) => !named.has(code)),
    ...rowFindings(input, thresholds).filter(({ code }) => !named.has(code)),
  ]
  // The order of the checks is the order of reading; only the verdict goes before it.
  findings.sort((a, b) => rank[a.verdict] - rank[b.verdict])
  return { failed: findings.some(({ verdict }) => verdict === 'fail'), findings }
}

function runFinding(check: Check, input: AuditInput, thresholds: Thresholds): Finding[] {
  const measure = check.measure(input)
  if (measure === undefined) return []
  const { threshold = 0, verdict = 'fail', count, of, message, hint, first } = measure
  const exceeded = exceeds(count, of, thresholds[check.code] ?? threshold)
  return [
    {
      code: check.code,
      verdict: exceeded ? verdict : 'pass',
      title: check.title,
      count,
      ...(of === undefined ? {} : { of }),
      message,
      ...(exceeded && hint !== undefined ? { hint } : {}),
      ...(exceeded && first !== undefined ? { first } : {}),
    },
  ]
}

function exceeds(count: number, of: number | undefined, threshold: number): boolean {
  if (count === 0) return false
  return of === undefined || of === 0 ? true : count / of > threshold
}

function noticeFindings({ notices }: AuditInput): Finding[] {
  const made = notices.map(({ code, severity = 'warning', message, hint }) => ({
    code,
    verdict: severityVerdict[severity],
    title: noticeChecks.find(check => check.code === code)?.title ?? code.replaceAll('-', ' '),
    count: 1,
    message,
    ...(hint === undefined ? {} : { hint }),
  }))
  return [...made, ...passed(noticeChecks, made)]
}

function rowFindings({ report }: AuditInput, thresholds: Thresholds): Finding[] {
  const made = report.diagnostics.map(({ code, severity, rows, first, message, hint }): Finding => {
    const exceeded = exceeds(rows, report.rowsRead, thresholds[code] ?? 0)
    return {
      code,
      verdict: exceeded ? severityVerdict[severity] : 'pass',
      title: rowChecks.find(check => check.code === code)?.title ?? code.replaceAll('-', ' '),
      count: rows,
      of: report.rowsRead,
      message,
      ...(hint === undefined ? {} : { hint }),
      first,
    }
  })
  return [...made, ...passed(rowChecks, made)]
}

/** The checks that nothing was found for. */
function passed(checks: readonly { code: string; title: string }[], made: readonly Finding[]): Finding[] {
  return checks
    .filter(({ code }) => made.every(finding => finding.code !== code))
    .map(({ code, title }) => ({ code, verdict: 'pass', title, count: 0, message: 'none' }))
}
