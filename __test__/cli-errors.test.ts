/** Every way in which a run can be given something wrong, through the command line: code, place, hint, and nothing left behind. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import type { Issue } from '../src/errors.js'
import { folder, lossmask, quickstartModel } from './helpers/cli.js'

const good = '{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Good morning."}]}\n'

const config = (lines = '', dataset = '') =>
  `base_model: ${quickstartModel}\n${lines}datasets:\n  - path: data.jsonl\n    type: chat_template\n${dataset}`

interface Case {
  name: string
  files: Record<string, string | Buffer>
  /** Arguments behind `preprocess`; default the config. */
  args?: string[]
  exit: 1 | 2
  issue: Omit<Issue, 'message' | 'hint'> & { message: RegExp; hint: RegExp }
}

const withData = (data: string | Buffer, extra: Record<string, string | Buffer> = {}) => ({
  'config.yml': config(),
  'data.jsonl': data,
  ...extra,
})

const cases: Case[] = [
  {
    name: 'a corrupt line',
    files: withData(`${good}{"messages": [{"role": "user", "content": "Hel\n${good}`),
    exit: 1,
    issue: {
      code: 'invalid-json',
      file: 'data.jsonl',
      line: 2,
      row: 1,
      message: /JSON/,
      hint: /one whole JSON object/,
    },
  },
  {
    name: 'a line that is no object',
    files: withData(`${good}[1, 2]\n`),
    exit: 1,
    issue: { code: 'row-not-an-object', file: 'data.jsonl', line: 2, row: 1, message: /an array/, hint: /"messages"/ },
  },
  {
    name: 'a missing field',
    files: withData('{"chat": []}\n'),
    exit: 1,
    issue: {
      code: 'missing-field',
      file: 'data.jsonl',
      line: 1,
      row: 0,
      path: 'messages',
      message: /messages/,
      hint: /field_messages/,
    },
  },
  {
    name: 'a role nobody declared',
    files: withData(`${good}{"messages":[{"role":"usr","content":"Hello"},{"role":"assistant","content":"Hi"}]}\n`),
    exit: 1,
    issue: {
      code: 'unknown-role',
      file: 'data.jsonl',
      line: 2,
      row: 1,
      path: 'messages[0].role',
      message: /usr/,
      hint: /roles/,
    },
  },
  {
    name: 'an empty file',
    files: withData(''),
    exit: 1,
    issue: { code: 'empty-file', file: 'data.jsonl', message: /no rows/, hint: /written to its end/ },
  },
  {
    name: 'invalid UTF-8',
    files: withData(Buffer.concat([Buffer.from(good), Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a])])),
    exit: 1,
    issue: { code: 'invalid-utf8', file: 'data.jsonl', line: 2, column: 2, row: 1, message: /0xff/, hint: /UTF-8/ },
  },
  {
    name: 'a line of 50 MB',
    files: withData(`${good}{"messages":[{"role":"user","content":"${'x'.repeat(50_000_000)}"}]}\n`),
    exit: 1,
    issue: { code: 'row-too-large', file: 'data.jsonl', line: 2, row: 1, message: /bytes/, hint: /line break/ },
  },
  {
    name: 'a folder instead of a file',
    files: { 'config.yml': config('', '    data_files: [folder]\n').replace('data.jsonl', './'), 'folder/x.txt': '' },
    exit: 2,
    issue: {
      code: 'dataset-is-folder',
      file: 'config.yml',
      line: 5,
      column: 18,
      path: 'datasets[0].data_files[0]',
      message: /is a folder/,
      hint: /folder\/\*\.jsonl/,
    },
  },
  {
    name: 'a file that is not there',
    files: { 'config.yml': config() },
    exit: 2,
    issue: {
      code: 'dataset-not-found',
      file: 'config.yml',
      line: 3,
      column: 11,
      path: 'datasets[0].path',
      message: /data\.jsonl/,
      hint: /looked up/,
    },
  },
  {
    name: 'a compressed file that is cut off',
    files: withData(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab])),
    exit: 1,
    issue: { code: 'corrupt-file', file: 'data.jsonl', message: /cut off or damaged/, hint: /incomplete/ },
  },
  {
    name: 'a key at the wrong place',
    files: { ...withData(good), 'config.yml': config('roles_to_train: [assistant]\n') },
    exit: 2,
    issue: {
      code: 'config-misplaced-key',
      file: 'config.yml',
      line: 2,
      column: 1,
      path: 'roles_to_train',
      message: /roles_to_train/,
      hint: /datasets/,
    },
  },
  {
    name: 'a misspelt key',
    files: { ...withData(good), 'config.yml': config('sequence_length: 100\n') },
    exit: 2,
    issue: {
      code: 'config-unknown-key',
      file: 'config.yml',
      line: 2,
      column: 1,
      path: 'sequence_length',
      message: /sequence_length/,
      hint: /sequence_len/,
    },
  },
  {
    name: 'a value of the wrong kind',
    files: { ...withData(good), 'config.yml': config('sequence_len: many\n') },
    exit: 2,
    issue: {
      code: 'config-invalid-value',
      file: 'config.yml',
      line: 2,
      column: 15,
      path: 'sequence_len',
      message: /many/,
      hint: /^/,
    },
  },
  {
    name: 'no config',
    files: {},
    exit: 2,
    issue: { code: 'config-not-found', file: 'config.yml', message: /no such file/, hint: /^/ },
  },
  {
    name: 'no datasets',
    files: { 'config.yml': `base_model: ${quickstartModel}\n` },
    exit: 2,
    issue: {
      code: 'datasets-missing',
      file: 'config.yml',
      line: 1,
      column: 1,
      path: 'datasets',
      message: /no datasets/,
      hint: /- path/,
    },
  },
  {
    name: 'a model folder without a tokenizer',
    files: { ...withData(good), 'config.yml': config().replace(quickstartModel, './model'), 'model/config.json': '{}' },
    exit: 2,
    issue: { code: 'tokenizer-not-found', message: /tokenizer/, hint: /^/ } as Case['issue'],
  },
  {
    name: 'a template nobody knows',
    files: { ...withData(good), 'config.yml': config('chat_template: no_such_template\n') },
    exit: 2,
    issue: {
      code: 'template-unknown',
      file: 'config.yml',
      line: 2,
      column: 16,
      path: 'chat_template',
      message: /no_such_template/,
      hint: /tokenizer_default/,
    },
  },
  {
    name: 'a template that is no template',
    files: { ...withData(good), 'config.yml': config('chat_template_jinja: "{% if %}"\n') },
    exit: 2,
    issue: { code: 'template-syntax', message: /chat_template_jinja|block/, hint: /^/ } as Case['issue'],
  },
  {
    name: 'boundaries that are no text of the tokenizer',
    files: {
      ...withData(good),
      'config.yml': config('role_boundaries:\n  - {role: assistant, start: "", end: "<|im_end|>"}\n'),
    },
    exit: 2,
    issue: {
      code: 'config-invalid-value',
      file: 'config.yml',
      line: 3,
      message: /not empty/,
      hint: /^/,
    } as Case['issue'],
  },
  {
    name: 'rows of which none has a trained token',
    files: { ...withData(good), 'config.yml': config('', '    roles_to_train: []\n') },
    exit: 1,
    issue: { code: 'no-rows', message: /no row/i, hint: /^/ } as Case['issue'],
  },
]

for (const { name, files, args = ['config.yml'], exit, issue } of cases) {
  test.serial(`preprocess: ${name}`, async t => {
    const cwd = folder(t, files)
    const before = readdirSync(cwd).toSorted()
    const run = await lossmask(['preprocess', ...args, '--output', 'out', '--json'], { cwd })
    t.is(run.code, exit, run.stderr)
    const { error } = JSON.parse(run.stdout) as { error: Issue }
    const { message, hint, ...place } = issue
    t.like(error, place)
    t.regex(error.message, message)
    t.regex(error.hint ?? '', hint)
    t.true(run.stderr.includes(`[${issue.code}]`))
    t.deepEqual(readdirSync(cwd).toSorted(), before, 'nothing is left behind')
  })
}

const usage: [name: string, args: string[], says: RegExp][] = [
  ['an unknown command', ['preproces', 'config.yml'], /Did you mean preprocess/],
  ['an unknown option', ['preprocess', 'config.yml', '--formt', 'arrow'], /Did you mean --format/],
  ['no config', ['preprocess'], /missing required argument 'config'/],
  ['a format nobody knows', ['preprocess', 'config.yml', '--format', 'csv'], /arrow, parquet, jsonl/],
  ['a number that is none', ['preprocess', 'config.yml', '--workers', '0'], /at least 1/],
]

for (const [name, args, says] of usage) {
  test.serial(`the command line: ${name}`, async t => {
    const run = await lossmask(args)
    t.is(run.code, 2)
    t.regex(run.stderr, says)
    t.is(run.stdout, '')
  })
}

test.serial('with --on-error skip bad rows go to rejected.jsonl and are counted', async t => {
  const cwd = folder(t, withData(`${good}{"messages": 1}\nnot json\n${good}`))
  const run = await lossmask(['preprocess', 'config.yml', '--output', 'out', '--on-error', 'skip', '--json'], { cwd })
  t.is(run.code, 0, run.stderr)
  const report = JSON.parse(run.stdout)
  t.is(report.rowsRead, 4)
  t.is(report.rowsWritten, 2)
  t.is(
    Object.values<number>(report.rejected).reduce((sum, rows) => sum + rows),
    2,
  )
  t.true(existsSync(join(cwd, 'out/rejected.jsonl')))
})

test.serial('help goes to stdout and names every command', async t => {
  const run = await lossmask(['--help'])
  t.is(run.code, 0)
  for (const command of ['preprocess', 'mask', 'strategies']) t.regex(run.stdout, new RegExp(`^  ${command}`, 'm'))
})

test.serial('--debug without a number in front of the config shows rows all the same', async t => {
  const cwd = folder(t, withData(good))
  const run = await lossmask(['preprocess', '--debug', 'config.yml', '--output', 'out'], { cwd })
  t.is(run.code, 0, run.stderr)
  t.regex(run.stdout, /Count of labels: \d+/)
})
