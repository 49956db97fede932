import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'ava'
import { printable, visible } from '../src/cli/terminal.js'
import { collate } from '../src/index.js'

const bin = resolve('bin/lossmask.js')
const model = resolve('examples/quickstart/model')
const row = `${JSON.stringify({
  messages: [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
  ],
})}\n`

function project(files: Record<string, string>, extra = '') {
  const dir = mkdtempSync(join(tmpdir(), 'lossmask-hostile-'))
  const config = `base_model: ${model}\nchat_template: chatml\ndatasets:\n  - path: rows.jsonl\n    type: chat_template\n${extra}`
  for (const [name, text] of Object.entries({ 'config.yml': config, 'rows.jsonl': row, ...files })) {
    writeFileSync(join(dir, name), text)
  }
  return dir
}

interface Ended {
  code: number | null
  err: string
}

/** Runs a command; with `interrupt`, Ctrl-C is sent once it has said how it masks and has had time to begin reading. */
function command(dir: string, args: string[], { interrupt = false } = {}): Promise<Ended> {
  return new Promise(done => {
    const child = spawn(process.execPath, [bin, ...args], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
    let err = ''
    let sent = false
    child.stderr.on('data', chunk => {
      err += chunk
      if (!interrupt || sent || !err.includes('train_on_eos=')) return
      sent = true
      setTimeout(() => child.kill('SIGINT'), 3000)
    })
    child.on('exit', code => done({ code, err }))
  })
}

test('a signal ends a run that waits for a pipe nobody writes to, and nothing is left', async t => {
  const dir = project({})
  execFileSync('rm', [join(dir, 'rows.jsonl')])
  execFileSync('mkfifo', [join(dir, 'rows.jsonl')])
  const { code, err } = await command(dir, ['preprocess', 'config.yml', '-o', 'out'], { interrupt: true })
  t.is(code, 130, err)
  t.deepEqual(readdirSync(dir).sort(), ['config.yml', 'rows.jsonl'])
})

test('an output folder that holds the dataset is refused, and the dataset stays', async t => {
  const dir = project({})
  const { code, err } = await command(dir, ['preprocess', 'config.yml', '-o', '.'])
  t.not(code, 0)
  t.regex(err, /output-holds-input|output-not-replaceable/)
  t.is(readFileSync(join(dir, 'rows.jsonl'), 'utf8'), row)
})

test('a prepared folder with notes in it is refused by name, without them it is replaced', async t => {
  const dir = project({})
  t.is((await command(dir, ['preprocess', 'config.yml', '-o', 'out'])).code, 0)
  writeFileSync(join(dir, 'out', 'notes.txt'), 'mine')
  const refused = await command(dir, ['preprocess', 'config.yml', '-o', 'out'])
  t.not(refused.code, 0)
  t.regex(refused.err, /did not write `notes\.txt` in it/)
  t.is(readFileSync(join(dir, 'out', 'notes.txt'), 'utf8'), 'mine')
  execFileSync('rm', [join(dir, 'out', 'notes.txt')])
  t.is((await command(dir, ['preprocess', 'config.yml', '-o', 'out/'])).code, 0)
})

test('a number of workers that no machine has is taken as what this one can do', async t => {
  const dir = project({}, 'dataset_num_proc: 1000000000\n')
  const { code, err } = await command(dir, ['preprocess', 'config.yml', '-o', 'out'])
  t.is(code, 0, err)
})

const hostile = '\u001b[2J\u001b]0;pwned\u0007\u009b31m\u202e\u200b\u2066\u{e0041}\rX'
// biome-ignore lint/suspicious/noControlCharactersInRegex: what must not reach a terminal
const raw = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\u{e0041}]/u

test('nothing that data brings along reaches a terminal raw', async t => {
  t.notRegex(visible(hostile), raw)
  t.notRegex(printable(`a${hostile}b`), raw)
  t.is(printable('\u001b[31mred\u001b[39m\nnext'), '\u001b[31mred\u001b[39m\nnext')
  const message = (role: string, content: unknown) => JSON.stringify({ messages: [{ role, content }] })
  const cases = [
    project({ 'rows.jsonl': `${message(hostile, 'x')}\n` }),
    project({ 'rows.jsonl': `${message('user', [{ type: hostile }])}\n` }),
    project({ 'rows.jsonl': `${JSON.stringify({ [hostile]: 1 })}\n` }),
    project(
      {},
      `"${hostile.replaceAll('\u001b', '\\e').replaceAll('\u0007', '').replaceAll('\u009b', '').replaceAll('\r', '')}": 1\n`,
    ),
    project({}, `chat_template_jinja: "{{ raise_exception('\\e[2Jhi') }}"\n`.replace('chat_template: chatml', '')),
  ]
  for (const dir of cases) {
    for (const name of ['preprocess', 'audit']) {
      const { err } = await command(dir, [name, 'config.yml'])
      t.notRegex(err, raw, name)
    }
  }
  const { err } = await command(cases[0] as string, ['preprocess', `${hostile.replaceAll('\r', '')}.yml`])
  t.notRegex(err, raw)
})

test('collate refuses what is no token id', t => {
  const bad = [1.5, 2 ** 40, Number.NaN, 'x', undefined] as number[]
  for (const value of bad) {
    for (const field of ['inputIds', 'labels', 'attentionMask', 'positionIds']) {
      const error = t.throws(() => collate([{ inputIds: [1], labels: [1], [field]: [value] }]))
      t.is((error as { code?: string }).code, 'invalid-token-id', `${field} ${String(value)}`)
      t.is((error as { path?: string }).path?.startsWith(`rows[0].${field}`), true)
    }
  }
  t.is(
    (t.throws(() => collate([{ inputIds: [1], labels: [1] }], { padTo: 1e9 })) as { code?: string }).code,
    'invalid-collate-options',
  )
})
