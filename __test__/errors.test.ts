import test from 'ava'
import { formatIssue, type Issue, LossmaskError } from '../src/errors.js'

const full: Issue = {
  code: 'config-unknown-key',
  message: 'unknown key',
  hint: 'did you mean `train_on_eos`?',
  path: 'datasets[0].train_on_eoss',
  file: 'config.yml',
  line: 3,
  column: 5,
}

for (const [name, issue, expected] of [
  ['code and message only', { code: 'a', message: 'm' }, 'm [a]'],
  ['file without line', { code: 'a', message: 'm', file: 'x.json' }, 'x.json: m [a]'],
  ['row', { code: 'a', message: 'm', file: 'x.jsonl', line: 8, row: 7 }, 'x.jsonl:8: row 7: m [a]'],
  ['row zero', { code: 'a', message: 'm', row: 0 }, 'row 0: m [a]'],
  [
    'all',
    full,
    'config.yml:3:5: datasets[0].train_on_eoss: unknown key [config-unknown-key]\n  hint: did you mean `train_on_eos`?',
  ],
] as [string, Issue, string][]) {
  test(`formatIssue: ${name}`, t => {
    t.is(formatIssue(issue), expected)
  })
}

test('an error carries the fields of its issue, and no others', t => {
  const { code, message, ...details } = full
  const cause = new Error('why')
  const error = new LossmaskError(code, message, { ...details, cause })
  t.like(error, full)
  t.deepEqual(error.toJSON(), full)
  t.deepEqual(error.issues, [full])
  t.is(error.cause, cause)
  t.false('row' in error)
  t.true(error instanceof Error)
  t.is(error.name, 'LossmaskError')
})

test('an error of several issues keeps them all and shows the first', t => {
  const second: Issue = { code: 'b', message: 'other', row: 2 }
  const error = LossmaskError.of([full, second])
  t.is(error.code, full.code)
  t.is(error.line, 3)
  t.is(error.message, 'unknown key (and 1 more, see error.issues)')
  t.deepEqual(JSON.parse(JSON.stringify(error)), { ...full, issues: [full, second] })
  t.is(error.toString(), `${formatIssue(full)}\n${formatIssue(second)}`)
})
