import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { type Issue, LossmaskError, loadConfig } from '../src/index.js'
import { vectors } from './helpers/vectors.js'

const folder = mkdtempSync(join(tmpdir(), 'lossmask-config-'))
let files = 0

function written(content: string | Uint8Array): string {
  const file = join(folder, `${++files}.yml`)
  writeFileSync(file, content)
  return file
}

/** Everything that is wrong with a config, the file left out of it. */
async function issuesOf(content: string | Uint8Array): Promise<Omit<Issue, 'file' | 'message'>[]> {
  const file = written(content)
  const error = await loadConfig(file).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error === undefined) return []
  if (!(error instanceof LossmaskError)) throw error
  return error.issues.map(({ file: at, message, ...issue }) => {
    if (at !== file || message === '') throw new Error(`no file or message: ${JSON.stringify(issue)}`)
    return issue
  })
}

type Row = [
  name: string,
  yaml: string,
  expected: [code: string, path: string | undefined, line?: number, column?: number, hint?: RegExp][],
]

const chat = 'base_model: m\ndatasets:\n  - path: a.jsonl\n'
const faults: Row[] = [
  [
    'a knob of datasets at the root',
    `${chat}roles_to_train: [assistant]\n`,
    [['config-misplaced-key', 'roles_to_train', 4, 1, /under datasets\[0\] \(line 3\)/]],
  ],
  [
    'train_on_eos at the root',
    'train_on_eos: turn\n',
    [['config-misplaced-key', 'train_on_eos', 1, 1, /under datasets\[0\]/]],
  ],
  [
    'a root key in a dataset',
    `${chat}    sequence_len: 5\n`,
    [['config-misplaced-key', 'datasets[0].sequence_len', 4, 5, /at the root/]],
  ],
  [
    'train_on_inputs in a dataset',
    `${chat}    train_on_inputs: true\n`,
    [['config-misplaced-key', 'datasets[0].train_on_inputs', 4, 5, /at the root/]],
  ],
  [
    'a key of the lossmask block at the root',
    'straddle: include\n',
    [['config-misplaced-key', 'straddle', 1, 1, /in the lossmask block/]],
  ],
  [
    'a key of a dataset in the lossmask block',
    'lossmask:\n  roles_to_train: [a]\n',
    [['config-misplaced-key', 'lossmask.roles_to_train', 2, 3, /under datasets/]],
  ],
  [
    'include_end outside of role_boundaries',
    'include_end: false\n',
    [['config-misplaced-key', 'include_end', 1, 1, /item of role_boundaries/]],
  ],
  [
    'a special token at the root',
    'pad_token: <pad>\n',
    [['config-misplaced-key', 'pad_token', 1, 1, /under special_tokens/]],
  ],
  [
    'a misspelt root key',
    'train_on_inptus: true\n',
    [['config-unknown-key', 'train_on_inptus', 1, 1, /`train_on_inputs`/]],
  ],
  [
    'camelCase in a dataset',
    `${chat}    rolesToTrain: [a]\n`,
    [['config-unknown-key', 'datasets[0].rolesToTrain', 4, 5, /`roles_to_train`/]],
  ],
  [
    'a misspelt key at the wrong place',
    'roles_too_train: [a]\n',
    [['config-unknown-key', 'roles_too_train', 1, 1, /`roles_to_train`.*under datasets\[0\]/]],
  ],
  [
    'an unknown key of the lossmask block',
    'lossmask: {quux_frobnicate: 1}\n',
    [['config-unknown-key', 'lossmask.quux_frobnicate', 1, 12, /remove it/]],
  ],
  [
    'pairs asked for, and rows of single answers',
    `rl: dpo\n${chat}    type: chat_template\n`,
    [['config-conflict', 'datasets[0].type', 5, 11, /preference type/]],
  ],
  ['a trainer that samples its own answers', 'rl: grpo\n', [['config-unsupported-key', 'rl', 1, 5]]],
  [
    'pretraining and datasets',
    `${chat}pretraining_dataset: [{path: c4}]\n`,
    [['config-conflict', 'pretraining_dataset', 4, 1, /keep one/]],
  ],
  [
    'a split that is none',
    `${chat}    split: train[:20%\n`,
    [['split-unsupported', 'datasets[0].split', 4, 12, /train\[:20%\]/]],
  ],
  [
    'a misspelt lossmask key',
    'lossmask: {unterminted: mask}\n',
    [['config-unknown-key', 'lossmask.unterminted', 1, 12, /`unterminated`/]],
  ],
  [
    'train_on_eos of another value',
    `${chat}    train_on_eos: bogus\n`,
    [['config-invalid-value', 'datasets[0].train_on_eos', 4, 19]],
  ],
  [
    'a role instead of a list',
    `${chat}    roles_to_train: assistant\n`,
    [['config-invalid-value', 'datasets[0].roles_to_train', 4, 21, /\[assistant\]/]],
  ],
  ['a text for a truth', 'train_on_inputs: maybe\n', [['config-invalid-value', 'train_on_inputs', 1, 18]]],
  ['a length below 1', 'sequence_len: 0\n', [['config-invalid-value', 'sequence_len', 1, 15]]],
  ['a length that is no number', 'sequence_len: long\n', [['config-invalid-value', 'sequence_len', 1, 15]]],
  ['a fraction of rows', 'val_set_size: 1.5\n', [['config-invalid-value', 'val_set_size', 1, 15]]],
  [
    'sharegpt',
    `${chat}    type: sharegpt\n`,
    [['config-invalid-value', 'datasets[0].type', 4, 11, /type: chat_template, field_messages: conversations/]],
  ],
  [
    'sharegpt with a prompter',
    `${chat}    type: sharegpt.load_multirole\n`,
    [['config-invalid-value', 'datasets[0].type', 4, 11, /chat_template/]],
  ],
  [
    'a type with a letter too many',
    `${chat}    type: alpacca\n`,
    [['config-invalid-value', 'datasets[0].type', 4, 11, /did you mean alpaca\?/]],
  ],
  [
    'a prompt of its own with a key that is none',
    `${chat}    type:\n      field_inputs: a\n`,
    [['config-unknown-key', 'datasets[0].type.field_inputs', 5, 7]],
  ],
  [
    'a dataset without path',
    'datasets:\n  - type: chat_template\n',
    [['config-missing-key', 'datasets[0].path', 2, 5]],
  ],
  ['datasets that are a path', 'datasets: a.jsonl\n', [['config-invalid-value', 'datasets', 1, 11, /- path/]]],
  [
    'a boundary without start',
    'role_boundaries:\n  - role: assistant\n',
    [['config-missing-key', 'role_boundaries[0].start', 2, 5]],
  ],
  [
    'a boundary without role',
    'role_boundaries:\n  - start: a\n',
    [['config-missing-key', 'role_boundaries[0].role', 2, 5]],
  ],
  [
    'a boundary with an empty start',
    'role_boundaries:\n  - {role: a, start: ""}\n',
    [['config-invalid-value', 'role_boundaries[0].start', 2, 22]],
  ],
  [
    'a boundary with a number as end',
    'role_boundaries:\n  - {role: a, start: b, end: 5}\n',
    [['config-invalid-value', 'role_boundaries[0].end', 2, 30]],
  ],
  [
    'a boundary with ids',
    'role_boundaries:\n  - {role: a, start: [1, 2]}\n',
    [['config-invalid-value', 'role_boundaries[0].start', 2, 22]],
  ],
  ['jinja without a template', 'chat_template: jinja\n', [['config-missing-key', 'chat_template_jinja', 1, 16]]],
  [
    'jinja without a template in a dataset',
    `${chat}    chat_template: jinja\n`,
    [['config-missing-key', 'datasets[0].chat_template_jinja', 4, 20]],
  ],
  [
    'a role field that contradicts the mappings',
    `${chat}    message_field_role: from\n    message_property_mappings: {role: speaker}\n`,
    [['config-conflict', 'datasets[0].message_field_role', 4, 5, /message_property_mappings/]],
  ],
  [
    'tokens renamed',
    'added_tokens_overrides: {128010: <x>}\n',
    [['config-unsupported-key', 'added_tokens_overrides', 1, 1, /save the tokenizer/]],
  ],
  [
    'a weight below 0',
    'lossmask:\n  weights: {assistant: -1}\n',
    [['config-invalid-value', 'lossmask.weights.assistant', 2, 24]],
  ],
  [
    'a threshold above 1',
    'lossmask:\n  audit: {near-misses: 5}\n',
    [['config-invalid-value', 'lossmask.audit.near-misses', 2, 24]],
  ],
  ['a route nobody knows', 'lossmask:\n  route: scan\n', [['config-invalid-value', 'lossmask.route', 2, 10]]],
  ['a tab', 'datasets:\n\t- path: a\n', [['config-yaml-syntax', undefined, 2, 1, /spaces/]]],
  ['two documents', 'seed: 1\n---\nseed: 2\n', [['config-yaml-syntax', undefined, 2, 1, /one document/]]],
  ['an open bracket', 'datasets: [\n', [['config-yaml-syntax', undefined, 2, 1]]],
  ['an anchor nobody set', 'seed: *nowhere\n', [['config-yaml-syntax', undefined]]],
  ['a list', '- 1\n', [['config-not-a-mapping', undefined, 1, 1]]],
  ['a text', 'hello\n', [['config-not-a-mapping', undefined, 1, 1]]],
  ['nothing', '', [['config-empty', undefined]]],
  ['comments only', '# nothing\n', [['config-empty', undefined]]],
]

for (const [name, yaml, expected] of faults) {
  test(`refused: ${name}`, async t => {
    const found = await issuesOf(yaml)
    t.deepEqual(
      found.map(({ code, path }) => [code, path]),
      expected.map(([code, path]) => [code, path]),
    )
    for (const [index, [, , line, column, hint]] of expected.entries()) {
      if (line !== undefined) t.deepEqual([found[index]?.line, found[index]?.column], [line, column])
      if (hint !== undefined) t.regex(found[index]?.hint ?? '', hint)
    }
  })
}

test('all faults of a file are told at once, in the order in which they stand there', async t => {
  const found = await issuesOf(`roles_to_train: [a]
sequence_len: -1
datasets:
  - path: 5
    type: sharegpt
    train_on_eoss: turn
role_boundaries:
  - role: a
lossmask:
  injection: shout
`)
  t.deepEqual(
    found.map(({ line, code }) => [line, code]),
    [
      [1, 'config-misplaced-key'],
      [2, 'config-invalid-value'],
      [4, 'config-invalid-value'],
      [5, 'config-invalid-value'],
      [6, 'config-unknown-key'],
      [8, 'config-missing-key'],
      [10, 'config-invalid-value'],
    ],
  )
})

test('a file that is not there, a folder, and bytes that are no text', async t => {
  const code = async (path: string) => (await t.throwsAsync(loadConfig(path), { instanceOf: LossmaskError }))?.code
  t.is(await code(join(folder, 'nowhere.yml')), 'config-not-found')
  t.is(await code(folder), 'config-unreadable')
  t.is(await code(written(Uint8Array.of(0x61, 0x3a, 0x20, 0xff, 0xfe))), 'config-unreadable')
})

test('aliases that blow up are refused', async t => {
  const bomb = [
    'a0: &a0 [x, x]',
    ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
  ].join('\n')
  t.deepEqual(
    (await issuesOf(bomb)).map(({ code }) => code),
    ['config-yaml-syntax'],
  )
})

test('defaults are axolotl’s', async t => {
  const config = await loadConfig({ base_model: 'm', datasets: [{ path: 'a.jsonl' }] })
  t.like(config, {
    baseModel: 'm',
    trainOnInputs: false,
    excessLengthStrategy: 'drop',
    samplePacking: false,
    valSetSize: 0,
    seed: 42,
  })
  t.deepEqual(config.roleBoundaries, [])
  t.like(config.datasets[0], { path: 'a.jsonl', type: 'chat_template', dropSystemMessage: false, splitThinking: false })
  t.like(config.lossmask, {
    route: 'auto',
    injection: 'escape',
    unterminated: 'run-to-end',
    turns: 'all',
    reasoning: 'train',
  })
  t.deepEqual(config.notices, [])
})

test('every key is read, in camelCase', async t => {
  const file = written(`
base_model: m
chat_template: tokenizer_default_fallback_chatml
chat_template_kwargs: {enable_thinking: no}
train_on_inputs: yes
eot_tokens: [<|eot_id|>]
special_tokens: {pad_token: <pad>}
role_boundaries:
  - {role: assistant, start: "<|a|>\\n", end: eos_token, tail: "\\n", include_end: false}
  - {role: user, start: [a, b], end: [c, d], end_before: e, include_start: true}
  - {role: tool, start: t, end: null}
datasets:
  - path: a
    data_files: [x.jsonl, y.jsonl]
    ds_type: json
    type: input_output
    field_messages: conversations
    message_field_role: from
    message_property_mappings: {content: value}
    roles: {assistant: [gpt, model]}
    roles_to_train: []
    train_on_eos: last
    train_on_eot: none
    message_field_training: train
    message_field_training_detail: detail
test_datasets: [{path: b, split: test}]
sequence_len: 4096
val_set_size: 100
lossmask:
  straddle: include
  exclude: [</think>, {start: <t>, end: </t>}]
  weights: {tool: 0.5}
  media: [<image>, 7]
  audit: {near-misses: 0.1}
`)
  const config = await loadConfig(file)
  t.is(config.file, file)
  t.like(config, { trainOnInputs: true, sequenceLen: 4096, valSetSize: 100, eotTokens: ['<|eot_id|>'] })
  t.deepEqual(config.chatTemplateKwargs, { enable_thinking: false }, 'YAML 1.1, as axolotl reads it')
  t.deepEqual(config.roleBoundaries, [
    { role: 'assistant', start: '<|a|>\n', end: 'eos_token', tail: '\n', includeStart: false, includeEnd: false },
    { role: 'user', start: ['a', 'b'], end: ['c', 'd'], endBefore: 'e', includeStart: true, includeEnd: true },
    { role: 'tool', start: 't', end: null, includeStart: false, includeEnd: true },
  ] as unknown as typeof config.roleBoundaries)
  t.like(config.datasets[0], {
    dataFiles: ['x.jsonl', 'y.jsonl'],
    dsType: 'json',
    type: 'input_output',
    fieldMessages: 'conversations',
    messagePropertyMappings: { role: 'from', content: 'value' },
    roles: { assistant: ['gpt', 'model'] },
    rolesToTrain: [],
    trainOnEos: 'last',
    trainOnEot: 'none',
    messageFieldTraining: 'train',
    messageFieldTrainingDetail: 'detail',
  })
  t.like(config.testDatasets[0], { path: 'b', split: 'test' })
  t.like(config.lossmask, { straddle: 'include', weights: { tool: 0.5 }, audit: { 'near-misses': 0.1 } })
  t.deepEqual(JSON.parse(JSON.stringify(config.lossmask.exclude)), [
    { start: '</think>' },
    { start: '<t>', end: '</t>' },
  ])
  t.deepEqual(config.lossmask.media.tokens, ['<image>', 7])
})

test('keys of axolotl that have no bearing on masking pass without a word, those that choose rows with a notice', async t => {
  const config = await loadConfig(
    written(`${chat}    trust_remote_code: false
    shards: 4
adapter: qlora
learning_rate: 2e-5
lora_target_modules: [q_proj]
wandb_project:
liger_rope: true
plugins: [axolotl.integrations.liger.LigerPlugin]
default_system_message: You help.
streaming: false
`),
  )
  t.deepEqual(
    config.notices.map(({ code, path, line }) => [code, path, line]),
    [
      ['config-ignored-key', 'default_system_message', 12],
      ['config-ignored-key', 'datasets[0].shards', 5],
    ],
  )
})

test('keys that decide no rows are one notice, with what was meant; the run goes on', async t => {
  const config = await loadConfig(
    written(`${chat}    max_tokens: 3
learning_rat: 1
quux_frobnicate: 1
cutoff_len: 4096
name: a run
`),
  )
  t.deepEqual(
    config.notices.map(({ code, path, line, message }) => [code, path, line, message.replace(/^.*?: /u, '')]),
    [
      [
        'config-unknown-keys-ignored',
        'learning_rat',
        5,
        '`learning_rat` (line 5, did you mean `learning_rate`?), `quux_frobnicate` (line 6), `cutoff_len` (line 7, did you mean `sequence_len`?), `name` (line 8), `datasets[0].max_tokens` (line 4)',
      ],
    ],
  )
})

test('of a key written twice the last counts, and a notice names both places', async t => {
  const config = await loadConfig(
    written('seed: 1\nbase_model: m\nseed: 2\ndatasets:\n  - {path: a, path: b}\n  - path: c\n'),
  )
  t.is(config.seed, 2)
  t.is(config.datasets[0]?.path, 'b')
  t.deepEqual(
    config.notices.map(({ code, line, message }) => [code, line, message]),
    [
      ['config-duplicate-key', 3, '`seed` is written twice: line 3:1 counts, 1:1 does not'],
      ['config-duplicate-key', 5, '`path` is written twice: line 5:15 counts, 5:6 does not'],
    ],
  )
  t.like(config.place('seed'), { line: 3 }, 'faults are placed where the value is from')
})

test('older names are read as today’s, with a notice', async t => {
  const config = await loadConfig(
    written(`${chat}    train_on_split: validation
model_revision: abc
tokens: {pad_token: <p>, eos_token: <e>}
special_tokens: {eos_token: </s>}
`),
  )
  t.is(config.datasets[0]?.split, 'validation')
  t.is(config.revisionOfModel, 'abc')
  t.like(config.specialTokens, { pad_token: '<p>', eos_token: '</s>' })
  t.deepEqual(
    config.notices.map(({ code, path, line }) => [code, path, line]),
    [
      ['config-renamed-key', 'model_revision', 5],
      ['config-renamed-key', 'tokens', 6],
      ['config-renamed-key', 'datasets[0].train_on_split', 4],
    ],
  )
  const error = await t.throwsAsync(loadConfig({ model_revision: 1 }), { instanceOf: LossmaskError })
  t.is(error?.code, 'config-invalid-value', 'a wrong value is wrong by the older name too')
})

test('anchors and merges work, and their faults still have a place', async t => {
  const base = 'x: &base\n  path: a\n'
  t.deepEqual(
    (await issuesOf(`${base}datasets:\n  - <<: *base\n    type: nope\n`)).map(({ path, line }) => [path, line]),
    [['datasets[0].type', 5]],
  )
  const config = await loadConfig(
    written('datasets:\n  - &first {path: a, roles_to_train: [tool]}\n  - {<<: *first, path: b}\n'),
  )
  t.deepEqual(
    config.datasets.map(({ path, rolesToTrain }) => [path, rolesToTrain]),
    [
      ['a', ['tool']],
      ['b', ['tool']],
    ],
  )
})

test('a place is found for what later steps find wrong', async t => {
  const config = await loadConfig(written(`${chat}    type: chat_template\n`))
  t.like(config.place('datasets[0].type'), { line: 4, column: 11 })
  t.like(config.place('datasets[0].chat_template'), { line: 3, column: 5 }, 'not written: the dataset')
  t.like(config.place('role_boundaries[0].start'), { line: 1, column: 1 }, 'not written at all: the file')
})

test('an object is validated as a file is, without places', async t => {
  const error = await t.throwsAsync(loadConfig({ roles_to_train: ['a'], sequence_len: 'x' }), {
    instanceOf: LossmaskError,
  })
  t.deepEqual(
    error?.issues.map(({ code, path, line, file }) => [code, path, line, file]),
    [
      ['config-invalid-value', 'sequence_len', undefined, undefined],
      ['config-misplaced-key', 'roles_to_train', undefined, undefined],
    ],
  )
})

test('what axolotl refuses when it starts, the config or the strategy refuses', async t => {
  const cases = vectors('axolotl_cases.jsonl').filter(({ kind }) => kind === 'init_error')
  t.is(cases.length, 4)
  const codes = new Map<string, string>()
  for (const { id, knobs } of cases) {
    const config = {
      role_boundaries: knobs.role_boundaries_override,
      datasets: [{ path: 'a', train_on_eos: knobs.train_on_eos }],
    }
    const error = await loadConfig(config).then(
      () => undefined,
      error => error as LossmaskError,
    )
    codes.set(id, error === undefined ? 'none' : `${error.code} ${error.path}`)
  }
  t.deepEqual(Object.fromEntries(codes), {
    'axolotl_cases-00010': 'config-invalid-value datasets[0].train_on_eos',
    // A marker that encodes to nothing, and a processor without media ids, are found when a tokenizer is at hand.
    'axolotl_cases-00071': 'none',
    'axolotl_cases-00122': 'config-missing-key role_boundaries[0].start',
    'axolotl_cases-00124': 'none',
  })
})

test('the quick start’s config is one', async t => {
  const file = new URL('../examples/quickstart/config.yml', import.meta.url)
  const config = await loadConfig(file.pathname)
  t.is(config.datasets.length, 1)
  t.true(readFileSync(file, 'utf8').length > 0)
})
