/** `lossmask mask` as a filter, and the same rows through `Pipeline`. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { LossmaskError, loadConfig, Pipeline } from '../src/index.js'
import { folder, lossmask, quickstartModel, root } from './helpers/cli.js'

const config = `base_model: ${quickstartModel}\ndatasets:\n  - path: unused.jsonl\n`
const data = readFileSync(join(root, 'examples/quickstart/conversations.jsonl'), 'utf8')
const rows = data.trim().split('\n')

interface OutRow {
  input_ids: number[]
  labels: number[]
  attention_mask: number[]
}
const parsed = (text: string) =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as OutRow)

test('mask writes what Pipeline encodes, in order, whatever the pieces are', async t => {
  const cwd = folder(t, { 'config.yml': config })
  const many = data.repeat(40)
  const run = await lossmask(['mask', '--config', 'config.yml'], { cwd, stdin: `${many}\n\n` })
  t.is(run.code, 0, run.stderr)
  const out = parsed(run.stdout)
  t.is(out.length, rows.length * 40)
  const pipeline = await Pipeline.fromConfig(await loadConfig(join(cwd, 'config.yml')))
  let index = 0
  for await (const row of pipeline.encodeAll(rows.map(line => JSON.parse(line)))) {
    for (const repeat of [0, 39]) {
      const other = out[index + repeat * rows.length] as OutRow
      t.deepEqual(other.input_ids, Array.from(row.inputIds))
      t.deepEqual(other.labels, Array.from(row.labels))
      t.deepEqual(other.attention_mask, Array.from(row.attentionMask))
    }
    index += 1
  }
  t.is(index, rows.length)
})

test('mask stops at a bad row with its line, or tells and leaves it out', async t => {
  const cwd = folder(t, { 'config.yml': config })
  const stdin = `${rows[0]}\n{"messages": 1}\n${rows[1]}`
  const failed = await lossmask(['mask', '--config', 'config.yml'], { cwd, stdin })
  t.is(failed.code, 1)
  t.regex(failed.stderr, /<stdin>:2/)
  const skipped = await lossmask(['mask', '--config', 'config.yml', '--on-error', 'skip'], { cwd, stdin })
  t.is(skipped.code, 0)
  t.is(parsed(skipped.stdout).length, 2)
  t.regex(skipped.stderr, /left out: <stdin>:2/)
  t.regex(skipped.stderr, /3 rows read, 2 written, 1 rejected/)
})

test('mask ends in silence when nobody reads on', async t => {
  const cwd = folder(t, { 'config.yml': config, 'data.jsonl': data.repeat(200) })
  const bin = `"${process.execPath}" --import "${import.meta.resolve('tsx')}" "${join(root, 'src/cli/main.ts')}"`
  const child = spawn(
    'bash',
    ['-c', `${bin} mask --config config.yml < data.jsonl | head -n 1 | wc -l; echo "\${PIPESTATUS[0]}"`],
    { cwd },
  )
  let [out, err] = ['', '']
  child.stdout.on('data', text => (out += text))
  child.stderr.on('data', text => (err += text))
  await new Promise(done => child.on('close', done))
  t.is(out.replace(/\s+/g, ' ').trim(), '1 0')
  t.is(err, '')
})

test('Ctrl-C ends preprocess with 130 and leaves nothing', async t => {
  const cwd = folder(t, {
    'config.yml': config.replace('unused.jsonl', 'data.jsonl'),
    'data.jsonl': data.repeat(20_000),
  })
  const run = await lossmask(['preprocess', 'config.yml', '--output', 'out'], {
    cwd,
    started: child => {
      // The run has begun once its temporary folder is there.
      const timer = setInterval(() => {
        if (child.exitCode !== null) clearInterval(timer)
        if (readdirSync(cwd).length === 2) return
        clearInterval(timer)
        child.kill('SIGINT')
      }, 20)
    },
  })
  t.is(run.code, 130, run.stderr)
  t.false(existsSync(join(cwd, 'out')))
  t.deepEqual(readdirSync(cwd).toSorted(), ['config.yml', 'data.jsonl'])
})

test('Pipeline.encode takes messages or a row, and refuses a bad one with its path', async t => {
  const pipeline = await Pipeline.fromConfig(await loadConfig({ base_model: quickstartModel }))
  const messages = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Good morning.' },
  ]
  const row = await pipeline.encode(messages)
  t.deepEqual(row, await pipeline.encode({ messages }))
  t.deepEqual(
    row.turns.map(turn => turn.role),
    ['user', 'assistant'],
  )
  const trained = row.tokens.filter((_, index) => row.labels[index] !== -100).join('')
  t.is(trained, 'Good morning.<|im_end|>')
  const error = await t.throwsAsync<LossmaskError>(pipeline.encode({ messages: 'Hello' }), {
    instanceOf: LossmaskError,
  })
  t.is(error?.path, 'messages')
})

test('Pipeline.encodeAll hands bad rows to onError with their index, and throws without one', async t => {
  const pipeline = await Pipeline.fromConfig(await loadConfig({ base_model: quickstartModel }))
  const good = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
  ]
  const source = Array.from({ length: 200 }, (_, index) => (index % 90 === 7 ? { messages: 0 } : good))
  const bad: number[] = []
  let count = 0
  for await (const _ of pipeline.encodeAll(source, { onError: (_, index) => bad.push(index) })) count += 1
  t.deepEqual(bad, [7, 97, 187])
  t.is(count, 197)
  await t.throwsAsync(
    async () => {
      for await (const _ of pipeline.encodeAll(source)) count += 1
    },
    { instanceOf: LossmaskError },
  )
})
