/**
 * The catalogue of `__test__/failures`: ways in which masks fail elsewhere, each as data and a config of ours. A case goes through `preprocess`
 * and `audit`, is checked, and says what came out; `docs/failures.md` is made from that.
 */
import assert from 'node:assert/strict'
import { auditRun, type Preprocessed, preprocessRun, type Run, trainedTexts } from './wholeRun.js'

/** One dataset and config, and what must come out. */
export interface FailureCase extends Run {
  /** The trained text of each row that is written, stretch by stretch. */
  trained?: readonly (readonly string[])[]
  /** What `audit` must name, and its verdict; `refused`: both commands end with it and nothing is written. */
  says?: Readonly<Record<string, 'fail' | 'warn' | 'info' | 'refused'>>
  /** Codes that must not be named. */
  silent?: readonly string[]
  /** Further checks of what `preprocess` wrote; where nothing else is declared, of its labels. */
  check?: (prepared: Preprocessed) => void
}

/** A case that no file can tell: a call of the API, a view. It says in a few words what came out. */
export type FailureCall = () => Promise<string> | string

/** A row of PEERS' catalogue, or a part of one. */
export interface Failure {
  /** Its letter. */
  row: string
  /** What goes wrong elsewhere. */
  wrong: string
  /** Where somebody found out. */
  threads: readonly string[]
  /** What lossmask does about it. */
  here: string
  cases: Readonly<Record<string, FailureCase | FailureCall>>
}

/** What came out of one case: right labels, codes with their verdicts, or words of its own. */
export type Said = readonly string[]

/** Runs a case. @throws AssertionError when something else comes out than it declares. */
export async function outcomeOf(one: FailureCase | FailureCall): Promise<Said> {
  if (typeof one === 'function') return [await one()]
  const { trained, says = {}, silent = [], check, ...run } = one
  const said: string[] = []
  const [prepared, audited] = [await preprocessRun(run), await auditRun(run)]
  const refusals = Object.keys(says).filter(code => says[code] === 'refused')
  for (const code of refusals) {
    for (const outcome of [prepared, audited]) {
      assert.notEqual(outcome.code, 0)
      assert.deepEqual(outcome.issues.map(issue => issue.code).slice(0, 1), [code])
    }
    said.push(`\`${code}\`: refused`)
  }
  if (trained !== undefined) {
    assert.deepEqual(prepared.rows.map(trainedTexts), trained, prepared.stderr)
  }
  check?.(prepared)
  if (trained !== undefined || Object.keys(says).length === 0) said.push('right labels')
  const verdicts = new Map(audited.findings.map(({ code, verdict }) => [code, verdict]))
  for (const [code, verdict] of Object.entries(says).filter(([code]) => !refusals.includes(code))) {
    assert.equal(verdicts.get(code), verdict, `${code}\n${audited.stdout.slice(0, 4000)}${audited.stderr}`)
    said.push(`\`${code}\`: ${verdict === 'fail' ? 'the audit fails' : verdict === 'warn' ? 'a warning' : 'mentioned'}`)
  }
  const failed = [...verdicts]
    .filter(([code, verdict]) => verdict === 'fail' && says[code] !== 'fail')
    .map(([code]) => code)
  if (Object.values(says).every(verdict => verdict !== 'fail')) assert.deepEqual(failed, [], 'nothing else fails')
  for (const code of silent) assert.notEqual(verdicts.get(code) ?? 'pass', 'fail', code)
  assert.ok(said.length > 0, 'a case ends in right labels or a named diagnosis')
  return said
}

/** What came out of all cases of a failure, each thing once, in order. */
export function summed(outcomes: readonly Said[]): string {
  const counts = new Map<string, number>()
  for (const said of outcomes.flat()) counts.set(said, (counts.get(said) ?? 0) + 1)
  return [...counts]
    .map(([said, count]) => (said === 'right labels' && count > 1 ? `${said} (${count} cases)` : said))
    .join('; ')
}

/** A file of the catalogue with what came out of it. */
export interface Told {
  file: string
  failure: Failure
  outcomes: readonly Said[]
}

const HEAD = `# How masks fail elsewhere, and what happens here

Each row is a way in which training data went wrong in silence, with the threads where people found out. Each file in \`__test__/failures/\` holds
data and a config of our own that go wrong elsewhere; they go through \`preprocess\` and \`audit\`, and end in the right labels or a named
diagnosis ([diagnostics.md](diagnostics.md)). \`npm run docs:failures\` writes this table from what came out; a test compares it.

| | what goes wrong elsewhere | threads | here | what came out | file |
|---|---|---|---|---|---|
`

/** Z comes before AA. */
const order = ({ failure: { row } }: Told): string => row.padStart(2)

/** The text of `docs/failures.md`. */
export function failuresDoc(told: readonly Told[]): string {
  const rows = told
    .toSorted((a, b) => order(a).localeCompare(order(b)) || a.file.localeCompare(b.file))
    .map(({ file, failure: { row, wrong, threads, here }, outcomes }) =>
      [row, wrong, threads.join(', '), here, summed(outcomes), `\`${file}\``]
        .map(cell => cell.replaceAll('|', '\\|'))
        .join(' | '),
    )
  return `${HEAD}${rows.map(row => `| ${row} |\n`).join('')}`
}
