import test from 'ava'
import { judge } from '../src/audit/audit.js'
import { auditText } from '../src/audit/text.js'
import type { AuditInput } from '../src/audit/types.js'
import { paintFor } from '../src/cli/terminal.js'
import type { Report } from '../src/pipeline/report.js'

/** A run with nothing to complain about: 10 rows, 20 answers, all ends trained. */
function cleanReport(): Report {
  return {
    rowsRead: 10,
    rowsAdded: 0,
    rowsWritten: 10,
    splits: { train: 10 },
    dropped: {},
    rejected: {},
    tokens: 1000,
    trainedTokens: 400,
    roles: {
      user: { turns: 20, trainedTurns: 0, tokens: 500, trained: 0, kinds: {} },
      assistant: {
        turns: 20,
        trainedTurns: 20,
        tokens: 500,
        trained: 400,
        kinds: { content: { tokens: 380, trained: 380 }, end: { tokens: 20, trained: 20 } },
      },
    },
    kinds: { content: { tokens: 800, trained: 380 }, media: { tokens: 40, trained: 0 } },
    reasons: {},
    rowsWithoutTrainedTokens: 0,
    rowsFullyTrained: 0,
    ends: { trained: 20, turns: 20, tokens: { 2: 20 } },
    first: {},
    unterminatedTurns: 0,
    truncation: { rows: 0, turns: 0, tokens: 0, trainedTokens: 0 },
    statuses: { certain: 10 },
    diagnostics: [],
    duplicateRows: 0,
    lengths: { min: 100, max: 100, mean: 100, histogram: [] },
    packing: null,
    files: [],
    timing: { wall: 1, read: 0, parse: 0, render: 0, tokenize: 0, mask: 0, write: 0 },
    output: null,
    debug: [],
    config: null,
  }
}

function input(change: (report: Report) => void = () => {}, rest: Partial<AuditInput> = {}): AuditInput {
  const report = cleanReport()
  change(report)
  return {
    report,
    notices: [],
    rolesToTrain: ['assistant'],
    trainOnEos: 'turn',
    trainOnInputs: false,
    stopTokens: [{ id: 2, text: '<|im_end|>' }],
    stopTokensDeclared: true,
    ownEnds: true,
    endsApart: true,
    ...rest,
  }
}

const first = { file: 'data.jsonl', line: 7, row: 6 }

test('a clean run passes every check', t => {
  const audit = judge(input())
  t.false(audit.failed)
  t.deepEqual(
    audit.findings.filter(({ verdict }) => verdict !== 'pass').map(({ code }) => code),
    [],
  )
  t.true(audit.findings.length >= 15)
})

type Case = [code: string, verdict: 'fail' | 'warn' | 'info', AuditInput]

const broken: Case[] = [
  [
    'no-rows',
    'fail',
    input(report => Object.assign(report, { rowsRead: 0, roles: {}, ends: { trained: 0, turns: 0, tokens: {} } })),
  ],
  ['no-trained-token', 'fail', input(report => Object.assign(report, { rowsWithoutTrainedTokens: 1 }))],
  ['everything-trained', 'fail', input(report => Object.assign(report, { rowsFullyTrained: 3 }))],
  [
    'everything-trained',
    'info',
    input(report => Object.assign(report, { rowsFullyTrained: 3 }), { trainOnInputs: true }),
  ],
  ['role-never-trained', 'fail', input(() => {}, { rolesToTrain: ['model'] })],
  ['role-never-trained', 'warn', input(() => {}, { rolesToTrain: ['assistant', 'tool'] })],
  [
    'end-not-trained',
    'fail',
    input(report => Object.assign(report, { ends: { trained: 19, turns: 20, tokens: { 2: 19 } } })),
  ],
  [
    'end-not-trained',
    'info',
    input(report => Object.assign(report, { ends: { trained: 0, turns: 20, tokens: {} } }), { trainOnEos: 'none' }),
  ],
  ['stop-token-never-trained', 'fail', input(() => {}, { stopTokens: [{ id: 9, text: '<|user|>' }] })],
  [
    'stop-token-never-trained',
    'warn',
    input(() => {}, { stopTokens: [{ id: 9, text: '<eos>' }], stopTokensDeclared: false }),
  ],
  ...(
    [
      [4, 'warn'],
      [9, 'fail'],
    ] as const
  ).map(
    ([trainedTokens, verdict]): Case => [
      'truncated-trained-tokens',
      verdict,
      input(report => Object.assign(report, { truncation: { rows: 1, turns: 1, tokens: 30, trainedTokens } })),
    ],
  ),
  ['rows-too-long', 'warn', input(report => Object.assign(report, { dropped: { 'too-long': 2 } }))],
  ['unterminated-turn', 'fail', input(report => Object.assign(report, { unterminatedTurns: 1 }))],
  ['unterminated-turn', 'warn', input(report => Object.assign(report, { unterminatedTurns: 1 }), { ownEnds: false })],
  ['routes-differ', 'fail', input(report => Object.assign(report, { statuses: { certain: 9, conflict: 1 } }))],
  ['duplicate-rows', 'fail', input(report => Object.assign(report, { duplicateRows: 4 }))],
  ['duplicate-rows', 'warn', input(report => Object.assign(report, { rowsRead: 1000, duplicateRows: 4 }))],
  ['rows-rejected', 'fail', input(report => Object.assign(report, { rejected: { 'json-syntax': 1 } }))],
  ['pad-is-eos', 'warn', input(() => {}, { notices: [{ code: 'pad-is-eos', message: 'the pad id is the EOS id' }] })],
  [
    'typed-marker',
    'warn',
    input(report => {
      report.diagnostics.push({ code: 'typed-marker', severity: 'warning', count: 2, rows: 1, first, message: 'typed' })
    }),
  ],
  [
    'a-code-of-tomorrow',
    'fail',
    input(report => {
      report.diagnostics.push({
        code: 'a-code-of-tomorrow',
        severity: 'error',
        count: 1,
        rows: 1,
        first,
        message: 'new',
      })
    }),
  ],
]

for (const [index, [code, verdict, broke]] of broken.entries()) {
  test(`${index}: ${code} is a ${verdict} of its own`, t => {
    const audit = judge(broke)
    const finding = audit.findings.find(each => each.code === code)
    t.is(finding?.verdict, verdict)
    t.is(audit.failed, verdict === 'fail')
    t.not(finding?.message, '')
    t.is(audit.findings[0]?.code, code, 'the worst finding is read first')
  })
}

test('a threshold lets a share of the rows pass, and only that', t => {
  const one = (report: Report) => Object.assign(report, { rowsWithoutTrainedTokens: 1 })
  t.false(judge(input(one), { 'no-trained-token': 0.1 }).failed)
  t.true(judge(input(one), { 'no-trained-token': 0.09 }).failed)
})

test('a threshold makes a gate of what only warns, and lets a notice of the config pass', t => {
  const long = (report: Report) => Object.assign(report, { dropped: { 'too-long': 2 } })
  t.false(judge(input(long)).failed)
  t.true(judge(input(long), { 'rows-too-long': 0.1 }).failed)
  const pad = input(() => {}, { notices: [{ code: 'pad-is-end-marker', message: 'one id' }] })
  t.true(judge(pad).failed)
  t.false(judge(pad, { 'pad-is-end-marker': 1 }).failed)
})

test('the text shows place and advice of what is not right, and one line of what is', t => {
  const broke = input(report => {
    report.rowsWithoutTrainedTokens = 1
    report.diagnostics.push({
      code: 'no-trained-token',
      severity: 'error',
      count: 1,
      rows: 1,
      first,
      message: 'nothing',
    })
  })
  const text = auditText(judge(broke), broke.report, paintFor({}))
  t.true(
    text.includes(
      'FAIL  rows with nothing trained: 1 of 10 rows; the first: nothing [no-trained-token]\n      first at data.jsonl:7\n',
    ),
  )
  t.regex(text, /assistant .* 400 of +500 +80\.0 %/)
  t.regex(text, /ok {4}markers typed in content +none/)
  t.regex(text, /the audit fails: 1 failed, 0 warned of, \d+ passed$/)
})
