import test from 'ava'
import { ProgressLine, progressText } from '../src/cli/progress.js'
import { rowText } from '../src/cli/rowText.js'
import { summaryText } from '../src/cli/summary.js'
import { duration, paintFor, percent, short, visible } from '../src/cli/terminal.js'
import type { Report, ShownRow } from '../src/pipeline/report.js'

const plain = paintFor({ isTTY: false }, {})
const colours = paintFor({ isTTY: true }, {})

test('colours: on a terminal, unless NO_COLOR or a dumb one; anywhere with FORCE_COLOR', t => {
  const shown = (isTTY: boolean, env: NodeJS.ProcessEnv) => paintFor({ isTTY }, env).red('x') !== 'x'
  t.deepEqual(
    [
      shown(true, {}),
      shown(false, {}),
      shown(true, { NO_COLOR: '1' }),
      shown(true, { NO_COLOR: '' }),
      shown(true, { TERM: 'dumb' }),
      shown(false, { FORCE_COLOR: '1' }),
      shown(true, { FORCE_COLOR: '0' }),
    ],
    [true, false, false, true, false, true, false],
  )
})

test('text of data cannot drive the terminal', t => {
  t.is(visible('a\n\t\u001b[31mred\u0007\u2028é🫖'), 'a\\n\\t\\u001b[31mred\\u0007\\u2028é🫖')
})

test('figures: shares and durations never round to what they are not', t => {
  t.deepEqual(
    [percent(0, 10), percent(1, 100_000), percent(1, 3), percent(99_999, 100_000), percent(3, 3), percent(0, 0)],
    ['0.0 %', '<0.1 %', '33.3 %', '>99.9 %', '100.0 %', '0.0 %'],
  )
  t.deepEqual([short(999), short(1234), short(123_456), short(45_600_000)], ['999', '1.23 k', '123 k', '45.6 M'])
  t.deepEqual([duration(3.14), duration(65), duration(3725)], ['3.1 s', '1:05', '1:02:05'])
})

const row: ShownRow = {
  split: 'train',
  index: 0,
  sources: [{ file: 'a.jsonl', line: 3, row: 2 }],
  status: 'certain',
  inputIds: [1, 70, 10, 80, 2],
  labels: [-100, -100, -100, 80, 2],
  tokens: ['<|im_start|>', 'assistant', '\n', 'Hi', '<|im_end|>'],
  turns: [],
  spans: [
    { start: 0, end: 3, turn: 0, kind: 'header', trained: false, reason: 'header', weight: 0 },
    { start: 3, end: 4, turn: 0, kind: 'content', trained: true, reason: 'role', weight: 1 },
    { start: 4, end: 5, turn: 0, kind: 'end', trained: true, reason: 'train-on-eos', weight: 1 },
  ],
  diagnostics: [{ code: 'near-miss', severity: 'warning', message: 'almost a start' }],
}

test('a row is shown as axolotl shows it: token(label, id), then the counts', t => {
  t.is(
    rowText(row, plain),
    [
      'train 0 (a.jsonl:3; certain)',
      '<|im_start|>(-100, 1) assistant(-100, 70) \\n(-100, 10) Hi(80, 80) <|im_end|>(2, 2)',
      'Total input len: 5',
      'Count of labels: 2',
      'warning: almost a start [near-miss]',
    ].join('\n'),
  )
})

test('masked tokens are red, trained ones green, whatever the ids are', t => {
  const text = rowText({ ...row, inputIds: [1, 70, 10, -100, 2], labels: [-100, -100, -100, -100, 2] }, colours)
  t.true(text.includes('\u001b[31massistant\u001b[39m'))
  t.true(text.includes('\u001b[32mHi\u001b[39m'))
})

const report: Report = {
  rowsRead: 1010,
  rowsAdded: 0,
  rowsWritten: 1000,
  splits: { train: 900, test: 100 },
  dropped: { 'too-long': 6, 'too-short': 0, 'no-trained-token': 3 },
  rejected: { 'row-not-json': 1 },
  tokens: 20_000,
  trainedTokens: 5000,
  roles: {
    user: { turns: 1000, trainedTurns: 0, tokens: 12_000, trained: 0, kinds: {} },
    assistant: { turns: 1000, trainedTurns: 1000, tokens: 8000, trained: 5000, kinds: {} },
  },
  kinds: {},
  reasons: {},
  rowsWithoutTrainedTokens: 3,
  rowsFullyTrained: 0,
  ends: { trained: 990, turns: 1000, tokens: { 2: 990 } },
  first: {},
  unterminatedTurns: 10,
  truncation: { rows: 0, turns: 0, tokens: 0, trainedTokens: 0 },
  statuses: { certain: 998, single: 2 },
  diagnostics: [
    {
      code: 'near-miss',
      severity: 'warning',
      count: 4,
      rows: 2,
      first: { file: 'a.jsonl', line: 7, row: 6 },
      message: 'm',
      hint: 'h',
    },
  ],
  duplicateRows: null,
  lengths: { min: 2, max: 90, mean: 20, histogram: [] },
  packing: null,
  files: [],
  timing: { wall: 2, read: 0, parse: 0, render: 0, tokenize: 0, mask: 0, write: 0 },
  output: { dir: 'out', format: 'arrow', files: [], bytes: 123_456 },
  debug: [],
  config: {},
}

test('the summary holds every figure of a run', t => {
  t.is(
    summaryText(report, plain),
    `rows read       1,010
rows written    1,000 (train 900, test 100)
rows dropped    6 longer than sequence_len, 3 no trained token
rows rejected   1 row-not-json (see rejected.jsonl)
tokens          20,000
trained tokens  5,000 (25.0 %)
  user       0 of 12,000 tokens trained (0.0 %), 1,000 turns
  assistant  5,000 of 8,000 tokens trained (62.5 %), 1,000 turns
end markers     trained in 990 of 1,000 turns
nothing trained 3 rows
unterminated    10
proof           998 certain, 2 single
warning: m [near-miss], 2 rows, first at a.jsonl:7
  hint: h
time            2.0 s, 10.0 k tokens/s
written to      out (arrow, 123 kB)`,
  )
})

test('progress: rows, speed, share and time left', t => {
  t.is(
    progressText({ rows: 1200, tokens: 3_000_000, bytesRead: 25, bytesTotal: 100 }, 2),
    ' 25 % [#####...............] 1,200 rows, 1.50 M tokens/s, 6.0 s left',
  )
  t.is(progressText({ rows: 1, tokens: 0, bytesRead: 0, bytesTotal: 0 }, 1), '1 row, 0 tokens/s, 1.0 s')
})

test('progress is silent for a second, then one line on a terminal and few lines in a log', t => {
  for (const [isTTY, expected] of [
    [true, 40],
    [false, 1],
  ] as const) {
    let now = 0
    const written: string[] = []
    const line = new ProgressLine({ isTTY, columns: 40, write: text => written.push(text) }, () => now)
    for (; now < 5000; now += 10) {
      line.update({ rows: 1, tokens: 1, bytesRead: 1, bytesTotal: 10 })
      if (now < 1000) t.is(written.length, 0)
    }
    t.is(written.length, expected)
    t.true(written.every(text => (isTTY ? text.length < 50 && !text.includes('\n') : text.endsWith('\n'))))
  }
})
