/**
 * A real message for each code that can be brought about here: `docs/diagnostics.md` shows them. `npm run docs:diagnostics` writes them
 * there, a test compares.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { formatIssue, LossmaskError } from '../../src/errors.js'
import { loadConfig, loadTokenizer, Masker, Pipeline } from '../../src/index.js'
import { collate } from '../../src/media/collate.js'
import { BROKEN } from './broken.js'
import { inFolder, runCli } from './inProcess.js'
import { SMALL_MODEL, smallTokenizer } from './smallModel.js'
import { CALLS } from './toolCalls.js'
import { assistant, CHATML, type Run, user, written } from './wholeRun.js'

/** Brings a message about and answers with the text in which it stands. */
export type Example = () => Promise<string>

const good = { messages: [user('Is it open?'), assistant('Yes.')] }
const goodLine = `${JSON.stringify(good)}\n`
const lines = (...rows: object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('')

type Files = Readonly<Record<string, string | Buffer>>

/** A command in a folder with these files. */
function command(files: Files, ...args: string[]): Example {
  return () =>
    inFolder(async folder => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), content)
      }
      return ran(folder, args)
    })
}

/** `preprocess` or `audit` of a run. */
function run(name: 'preprocess' | 'audit', what: Run, ...args: string[]): Example {
  return () =>
    inFolder(async folder => {
      written(folder, what)
      return ran(folder, [name, 'config.yml', ...(name === 'preprocess' ? ['--output', 'prepared'] : []), ...args])
    })
}

/** A command in the folder, told apart from this process only by its paths. */
async function ran(folder: string, args: readonly string[]): Promise<string> {
  const before = process.cwd()
  process.chdir(folder)
  try {
    const { stdout, stderr } = await runCli(args)
    return `${stderr}\n${stdout}`.replaceAll(`${folder}/`, '').replaceAll(folder, '.').replaceAll(SMALL_MODEL, 'model')
  } finally {
    process.chdir(before)
  }
}

/** A config of these lines beside a good data file, through `preprocess`. */
const config = (text: string, files: Files = {}) =>
  command({ 'data.jsonl': goodLine, 'config.yml': text, ...files }, 'preprocess', 'config.yml', '--output', 'prepared')

const yaml = (root = '', dataset = '') =>
  `base_model: ${SMALL_MODEL}\n${root}datasets:\n  - path: data.jsonl\n    type: chat_template\n${dataset}`

/** The same with another data file. */
const data = (content: string | Buffer, root = '', dataset = '') =>
  config(yaml(root, dataset), { 'data.jsonl': content })

/** A row through `preprocess --on-error fail`. */
const row = (...messages: object[]) => data(`${goodLine}${lines({ messages })}`)

const jinja = (source: string) => ({ chat_template: 'jinja', chat_template_jinja: source })

/** A call that is refused. */
function call(work: () => unknown): Example {
  return async () => {
    try {
      await work()
    } catch (error) {
      if (error instanceof LossmaskError) return error.issues.map(formatIssue).join('\n')
      throw error
    }
    throw new Error('the call was not refused')
  }
}

const boundary = { role: 'assistant', start: [1], end: [2] }
const masker = () => new Masker({ boundaries: [boundary] })
const ids = Int32Array.of(1, 5, 2)
// Callers in JavaScript pass what no type allows.
// biome-ignore lint/suspicious/noExplicitAny: that is the point
const wrong = (value: unknown): any => value

/** Media of one row through a model that expands them. */
const media = (part: object, root?: string) =>
  run('preprocess', {
    rows: [{ messages: [user([part, { type: 'text', text: 'What is it?' }]), assistant('A harbour.')] }],
    config: { lossmask: { media: { family: 'qwen2_vl', ...(root === undefined ? {} : { root }) } } },
    model: { files: { 'preprocessor_config.json': { processor_class: 'Qwen2VLProcessor' } } },
  })

const expand = (...args: string[]) => command({}, 'expand', ...args)
const prepared =
  (...args: string[]): Example =>
  () =>
    inFolder(async folder => {
      written(folder, { rows: [good] })
      await ran(folder, ['preprocess', 'config.yml', '--output', 'prepared'])
      return ran(folder, ['inspect', 'prepared', ...args])
    })

const broken = Object.fromEntries(BROKEN.map(({ code, ...what }): [string, Example] => [code, run('audit', what)]))

export const EXAMPLES: Readonly<Record<string, Example>> = {
  ...broken,

  'unsupported-column': run('preprocess', {
    rows: [],
    files: { 'duration.parquet': readFileSync(new URL('../columns/duration.parquet', import.meta.url)) },
    dataset: { path: 'duration.parquet' },
  }),
  'unread-keys': run('audit', { rows: [{ messages: [user('q'), assistant('Yes.', { quality: 3 })] }] }),
  'unknown-part': row(user([{ type: 'hologram', data: '' }]), assistant('Yes.')),
  'flag-count': data(`${JSON.stringify({ ...good, loss_mask: [1, 1, 1] })}\n`),
  'nulls-dropped': run('audit', {
    rows: [
      { messages: [user('q'), assistant('', { tool_calls: [{ function: { name: 'f', arguments: { a: null } } }] })] },
    ],
    config: CALLS,
  }),

  'config-not-found': command({}, 'preprocess', 'nowhere.yml'),
  'config-unreadable': config('\xff', { 'config.yml': Buffer.from([0x61, 0x3a, 0xff]) }),
  'config-yaml-syntax': config('base_model: a\n\tdatasets: []\n'),
  'config-duplicate-key': config(yaml('seed: 1\nseed: 2\n')),
  'config-unknown-keys-ignored': config(yaml('report_too: none\ncutoff_len: 4096\n')),
  'config-renamed-key': config(yaml('model_revision: main\n')),
  'config-empty': config(''),
  'config-not-a-mapping': config('[a]\n'),
  'config-unknown-key': config(yaml('train_on_inptus: true\n')),
  'config-misplaced-key': config(yaml('roles_to_train: [assistant]\n')),
  'config-missing-key': config(yaml('role_boundaries:\n  - role: assistant\n')),
  'config-invalid-value': config(yaml('', '    train_on_eos: always\n')),
  'config-conflict': config(
    yaml('', '    message_field_role: from\n    message_property_mappings:\n      role: speaker\n'),
  ),
  'config-ignored-key': config(yaml('streaming: true\n')),
  'config-unsupported-key': config(yaml('added_tokens_overrides:\n  12: "<image>"\n')),
  'model-missing': config('datasets:\n  - path: data.jsonl\n'),
  'datasets-missing': config(`base_model: ${SMALL_MODEL}\n`),
  'eot-token-unknown': config(yaml('eot_tokens: ["<|stop|>"]\n')),

  'dataset-type-unknown': config(yaml().replace('chat_template', 'alpaca:bogus')),
  'dataset-type-invalid': config(yaml().replace('chat_template', '{no_input_format: "{0}"}')),
  'dataset-not-found': command({ 'config.yml': yaml() }, 'preprocess', 'config.yml'),
  'dataset-not-local': config(yaml().replace('data.jsonl', 'owner/name')),
  'dataset-without-files': config(yaml().replace('data.jsonl', './data'), { 'data/notes.md': '' }),
  'dataset-is-folder': config(yaml('', '    data_files: [folder]\n').replace('data.jsonl', './'), {
    'folder/x.txt': '',
  }),
  'split-not-found': config(yaml('', '    split: validation\n').replace('data.jsonl', './data'), {
    'data/train.jsonl': goodLine,
    'data/test.jsonl': goodLine,
  }),
  'split-unsupported': config(yaml('', '    split: "train[:10%"\n')),
  'empty-file': data(''),
  'unknown-format': config(yaml().replace('data.jsonl', 'notes.md'), { 'notes.md': 'Just words.\n' }),
  'wrong-format': config(yaml('', '    ds_type: parquet\n')),
  'corrupt-file': config(yaml().replace('data.jsonl', 'data.jsonl.gz'), {
    'data.jsonl.gz': gzipSync(goodLine).subarray(0, 40),
  }),
  'output-not-replaceable': config(yaml(), { 'prepared/notes.txt': 'mine' }),
  'val-set-too-large': config(yaml('val_set_size: 1\n')),
  'no-rows': config(yaml('', '    roles_to_train: []\n')),
  'too-many-untrained-rows': data(
    lines({ messages: [user('Anybody?')] }, good),
    'lossmask:\n  max_untrained_share: 0.1\n',
  ),

  'invalid-json': data(`${goodLine}{"messages": [{"role": "user", "content": "Hel\n`),
  'invalid-utf8': data(Buffer.concat([Buffer.from(goodLine), Buffer.from([0x7b, 0xff, 0x7d, 0x0a])])),
  'row-not-an-object': data(`${goodLine}[1, 2]\n`),
  'tokens-invalid': config(yaml().replace('chat_template', 'tokens'), {
    'data.jsonl': '{"input_ids": [1, 2, 3], "labels": [-100, 2]}\n',
  }),
  'not-one-row': call(async () => {
    const pipeline = await Pipeline.fromConfig(
      await loadConfig({ base_model: SMALL_MODEL, datasets: [{ path: 'data.jsonl', type: 'completion' }] }),
    )
    await pipeline.encode({ text: '' })
  }),
  'format-failed': config(yaml().replace('chat_template', '{no_input_format: "{instruction} {input}"}'), {
    'data.jsonl': '{"instruction": "Say yes.", "output": "Yes."}\n',
  }),
  'missing-field': data('{"chat": []}\n'),
  'wrong-type': data('{"messages": 1}\n'),
  'no-messages': data('{"messages": []}\n'),
  'unknown-role': row({ role: 'usr', content: 'Hello' }, assistant('Hi')),
  'invalid-weight': row(user('Hello'), assistant('Hi', { weight: -1 })),
  'detail-out-of-range': data(
    lines({
      messages: [user('Hello'), assistant('Hi', { train_detail: [{ begin_offset: 0, end_offset: 90, train: true }] })],
    }),
    '',
    '    message_field_training_detail: train_detail\n',
  ),
  'row-too-long': data(goodLine, 'sequence_len: 8\nexcess_length_strategy: raise\n'),
  'row-truncated': run('preprocess', {
    rows: [{ messages: [user('Tell me all.'), assistant('The harbour is old. '.repeat(20))] }],
    config: { sequence_len: 40, excess_length_strategy: 'truncate' },
  }),
  'weights-not-written': data(lines({ messages: [user('Hello'), assistant('Hi', { weight: 0.5 })] })),
  'stray-end-marker': run('preprocess', {
    rows: [{ messages: [user('What does <|im_end|> mean?'), assistant('The end.')] }],
    config: { lossmask: { injection: 'allow', route: 'boundaries' } },
  }),

  'template-missing': config(yaml().replace(SMALL_MODEL, './bare'), {
    'bare/tokenizer.json': readFileSync(join(SMALL_MODEL, 'tokenizer.json')),
  }),
  'template-unknown': config(yaml('chat_template: no_such_template\n')),
  'template-of-model': run('audit', {
    rows: [good],
    config: { chat_template: 'internvl', lossmask: { strategy: 'chatml' } },
  }),
  'template-syntax': config(yaml('chat_template_jinja: "{% if %}"\n')),
  'template-raised': run('preprocess', {
    rows: [good, { messages: [user('One?'), user('Two?')] }],
    config: jinja(
      `{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}${CHATML}`,
    ),
  }),
  'template-failed': run('preprocess', {
    rows: [good, { messages: [user('One?', { name: 1 }), assistant('First.')] }],
    config: jinja(CHATML.replace('m.content', "m.content + (m.name or '')")),
  }),

  'tokenizer-not-found': config(yaml().replace(SMALL_MODEL, './nowhere')),
  'tokenizer-file-invalid': config(yaml().replace(SMALL_MODEL, './broken'), { 'broken/tokenizer.json': '{"model": ' }),
  'tokenizer-format-unsupported': config(yaml().replace(SMALL_MODEL, './pieces'), { 'pieces/tokenizer.model': 'x' }),
  'tokenizer-invalid': call(() => Masker.forStrategy('chatml', wrong({}))),
  'invalid-argument': call(() => loadTokenizer('')),

  'strategy-unknown': config(yaml('lossmask:\n  strategy: chatlm\n')),
  'strategy-unsafe-for-scanning': call(async () => Masker.forStrategy('llava', await smallTokenizer())),
  'role-boundary-incomplete': call(async () =>
    Masker.forStrategy(undefined, await smallTokenizer(), { roleBoundaries: [wrong({ role: 'user' })] }),
  ),
  'no-eos-token': run('preprocess', {
    rows: [good],
    config: { role_boundaries: [{ role: 'assistant', start: '<|im_start|>assistant', end: 'eos_token' }] },
    model: { files: { 'tokenizer_config.json': { eos_token: null } } },
  }),
  'unknown-train-on-eos': call(async () =>
    Masker.forStrategy('chatml', await smallTokenizer(), { trainOnEos: wrong('sometimes') }),
  ),
  'legacy-fallback': run('preprocess', {
    rows: [good],
    config: { lossmask: { route: 'boundaries', legacy_fallback: true } },
    model: {
      tokens: { '<|im_start|>': '<begin>', '<|im_end|>': '<end>' },
      files: { 'chat_template.jinja': CHATML.replaceAll('<|im_start|>', '<begin>').replaceAll('<|im_end|>', '<end>') },
    },
  }),
  'pad-is-marker': config(yaml('special_tokens:\n  pad_token: "<|im_start|>"\n')),
  'pad-is-eos': config(yaml('special_tokens:\n  pad_token: "<|endoftext|>"\n  eos_token: "<|endoftext|>"\n')),
  'media-token-not-found': config(yaml('lossmask:\n  media: ["<no such token>"]\n')),

  'rows-too-long': run('audit', { rows: [good], config: { sequence_len: 8 } }),

  'not-prepared': command({ 'data/notes.txt': '' }, 'inspect', 'data'),
  'unknown-split': prepared('--split', 'dev'),
  'row-out-of-range': prepared('--row', '90'),

  'media-family': expand('--family', 'qwen9', '--size', '640x480'),
  'media-params': expand('--family', 'qwen2_vl', '--params', 'none.json', '--size', '640x480'),
  'media-refused': expand('--family', 'qwen2_vl', '--size', '1x2000'),
  'media-unsupported': expand('--family', 'qwen2_vl', '--samples', '100'),
  'invalid-media-request': expand('--family', 'qwen2_vl'),
  'media-count': media({ type: 'image' }),
  'media-missing': media({ type: 'image', path: 'a.png' }),
  'media-outside-root': media({ type: 'image', path: '../rows.jsonl' }, './model'),
  'media-remote': media({ type: 'image', url: 'https://example.org/a.png' }),
  'media-base64': media({ type: 'image', url: 'data:image/png;base64,???' }),
  'media-not-expanded': run('preprocess', {
    rows: [{ messages: [user([{ type: 'image' }]), assistant('A harbour.')] }],
  }),
  'media-root': config(yaml('lossmask:\n  media:\n    family: qwen2_vl\n    root: images\n')),

  'invalid-ids': call(() => masker().labels(wrong('1 2 3'))),
  'invalid-token-id': call(() => masker().labels([1.5])),
  'invalid-output': call(() => masker().labelsInto(ids, wrong(new Float32Array(3)))),
  'output-length': call(() => masker().labelsInto(ids, new Int32Array(2))),
  'invalid-attention-mask': call(() => masker().labelsBatch(ids, { rowLength: 3 }, { attentionMask: wrong('111') })),
  'attention-mask-length': call(() => masker().labelsBatch(ids, { rowLength: 3 }, { attentionMask: [1] })),
  'row-length': call(() => masker().labelsBatch(ids, { rowLength: 2 })),
  'row-offsets': call(() => masker().labelsBatch(ids, { offsets: [0, 1] })),
  'overlapping-arrays': call(() => {
    const memory = new ArrayBuffer(16)
    masker().labelsInto(new Int32Array(memory, 0, 3), new Int32Array(memory, 4, 3))
  }),
  'shared-buffer': call(() => masker().labels(new Int32Array(new SharedArrayBuffer(12)))),
  'unknown-option': call(() => new Masker(wrong({ boundaries: [boundary], trainOnEoss: 'turn' }))),
  'missing-option': call(() => new Masker(wrong({}))),
  'invalid-option': call(() => new Masker({ boundaries: [boundary], trainOnEos: wrong('always') })),
  'ambiguous-end': call(() => new Masker({ boundaries: [{ ...boundary, endBefore: [[2]] }] })),
  'invalid-collate-options': call(() => collate([], { padToMultipleOf: 0 })),
  'length-mismatch': call(() => collate([{ inputIds: [1, 2], labels: [1] }])),
}

/** The lines of a text that show a code: the one that names it, and its continuation. */
export function excerpt(text: string, code: string): string {
  const all = text.split('\n')
  let at = all.findIndex(line => line.includes(`[${code}]`))
  if (at < 0) throw new Error(`nothing says ${code}:\n${text}`)
  const rest = all.slice(at + 1)
  const end = rest.findIndex(line => !/^ {2,}\S/.test(line))
  const behind = rest.slice(0, end < 0 ? undefined : end)
  // A template's error shows its place in lines of their own, before the code.
  const last = at
  while (at > 0 && /^ /.test(all[at] ?? '')) at -= 1
  return [...all.slice(at, last + 1), ...behind].join('\n').replace(/^lossmask: /, '')
}

/** What `docs/diagnostics.md` shows of a code; `undefined` where nobody brings it about here. */
export async function exampleOf(code: string): Promise<string | undefined> {
  const example = EXAMPLES[code]
  return example === undefined ? undefined : excerpt(await example(), code)
}

/** The document with each example as it is. */
export async function withExamples(doc: string): Promise<string> {
  const sections = doc.split(/^(?=### )/m)
  const out: string[] = []
  for (const section of sections) {
    const code = /^### `([a-z0-9-]+)`/.exec(section)?.[1]
    const text = code === undefined ? undefined : await exampleOf(code)
    out.push(
      text === undefined ? section : section.replace(/```text\n[\s\S]*?```/, () => `\`\`\`text\n${text}\n\`\`\``),
    )
  }
  return out.join('')
}
