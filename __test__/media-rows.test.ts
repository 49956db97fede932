/** Rows with media the whole way: files in, prepared rows out. */
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { folder, lossmask, quickstartModel, root } from './helpers/cli.js'
import { python } from './helpers/python.js'

interface Written {
  input_ids: number[]
  labels: number[]
  media: { kind: string; reference: string; grid: { name: string; values: number[] }[] }[]
}

/** A PNG of this size, as far as a header goes. */
function png(width: number, height: number): Buffer {
  const header = Buffer.from('89504e470d0a1a0a0000000d494844520000000000000000080200000000000000', 'hex')
  header.writeUInt32BE(width, 16)
  header.writeUInt32BE(height, 20)
  return header
}

const processor = {
  processor_class: 'Qwen2VLProcessor',
  image_processor_type: 'Qwen2VLImageProcessor',
  patch_size: 14,
  merge_size: 2,
  min_pixels: 3136,
  max_pixels: 1003520,
}

/** A folder with a model, data and a config; `run` prepares it. */
function project(
  t: ExecutionContext,
  rows: readonly object[],
  files: Record<string, string | Buffer>,
  more: object = {},
) {
  const cwd = folder(t, {
    'data/rows.jsonl': rows.map(row => `${JSON.stringify(row)}\n`).join(''),
    ...files,
    'config.json': '',
  })
  cpSync(quickstartModel, join(cwd, 'model'), { recursive: true })
  writeFileSync(join(cwd, 'model/preprocessor_config.json'), JSON.stringify(processor))
  const config = { base_model: './model', datasets: [{ path: './data/rows.jsonl', type: 'chat_template' }], ...more }
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(config))
  const run = async (...args: string[]) => {
    const outcome = await lossmask(['preprocess', 'config.yml', '--output', 'out', '--format', 'jsonl', ...args], {
      cwd,
    })
    const read = (): Written[] =>
      readFileSync(join(cwd, 'out/data/train-00000-of-00001.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Written)
    return { ...outcome, read }
  }
  return { cwd, run }
}

const answer = { role: 'assistant', content: 'Two boats in the harbour.' }
const asked = (...content: object[]) => ({ messages: [{ role: 'user', content }, answer] })
const image = (path: string) => ({ type: 'image', path })
const text = (words: string) => ({ type: 'text', text: words })

test('placeholders become as many tokens as the processor makes, and none of them is trained', async t => {
  const rows = [
    asked(image('a.png'), text('What is it?')),
    asked(image('b.png'), text('or'), image('a.png')),
    { messages: [{ role: 'user', content: 'No picture.' }, answer] },
  ]
  const { run, cwd } = project(t, rows, { 'data/a.png': png(640, 480), 'data/b.png': png(333, 777) })
  const { code, stderr, read } = await run()
  t.is(code, 0, stderr)
  const written = read()
  const pad = Object.fromEntries(
    (
      JSON.parse(readFileSync(join(cwd, 'model/tokenizer.json'), 'utf8')) as {
        added_tokens: { id: number; content: string }[]
      }
    ).added_tokens.map(({ id, content }) => [content, id]),
  )['<|image_pad|>'] as number
  const counts = written.map(row => row.input_ids.filter(id => id === pad).length)
  t.deepEqual(counts, [391, 336 + 391, 0])
  t.true(written.every(row => row.input_ids.every((id, at) => id !== pad || row.labels[at] === -100)))
  t.true(written.every(row => row.labels.some(label => label !== -100)))
  t.deepEqual(
    written.map(row => row.media.map(({ kind, reference, grid }) => [kind, reference, grid])),
    [
      [['image', 'a.png', [{ name: 'image_grid_thw', values: [1, 34, 46] }]]],
      [
        ['image', 'b.png', [{ name: 'image_grid_thw', values: [1, 56, 24] }]],
        ['image', 'a.png', [{ name: 'image_grid_thw', values: [1, 34, 46] }]],
      ],
      [],
    ],
  )
})

test('a file that is missing, broken, outside or refused is a row error that names it', async t => {
  const cases: [object, string, RegExp][] = [
    [asked(image('none.png')), 'media-missing', /none\.png/],
    [asked(image('text.png')), 'media-format', /text\.png/],
    [asked(image('../config.yml')), 'media-outside-root', /config\.yml/],
    [asked(image('thin.png')), 'media-refused', /thin\.png.*aspect ratio/],
    [asked(image('huge.png')), 'media-too-large', /huge\.png/],
    [asked(image('.')), 'media-not-a-file', /regular file/],
    [asked({ type: 'image', url: 'https://example.org/a.png' }), 'media-remote', /example\.org/],
    [asked({ type: 'image' }), 'media-count', /no image left/],
  ]
  const good = asked(image('a.png'))
  const files = {
    'data/a.png': png(64, 48),
    'data/text.png': 'not an image at all, whatever its name',
    'data/thin.png': png(1, 4000),
    'data/huge.png': png(2 ** 31, 2 ** 31),
  }
  const { run, cwd } = project(t, [...cases.map(([row]) => row), good], files)
  const { code, stderr, read } = await run('--on-error', 'skip')
  t.is(code, 0, stderr)
  t.is(read().length, 1, 'the good row is written')
  const rejected = readFileSync(join(cwd, 'out/rejected.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { code: string; message: string; path?: string })
  for (const [index, [, expected, message]] of cases.entries()) {
    t.is(rejected[index]?.code, expected)
    t.regex(rejected[index]?.message ?? '', message)
  }
  const failed = await run()
  t.is(failed.code, 1)
  t.regex(failed.stderr, /rows\.jsonl:1.*none\.png.*\[media-missing\]/s)
})

test('an address is fetched where its host is named, and only as far as its header', async t => {
  const requests: (string | undefined)[] = []
  const server = createServer((request, response) => {
    requests.push(request.url)
    if (request.url !== '/a.png') return response.writeHead(404).end()
    return response.end(Buffer.concat([png(640, 480), Buffer.alloc(1 << 20)]))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => server.close())
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const there = { type: 'image', url: `http://${host}/a.png` }
  const rows = [asked(there), asked({ type: 'image', url: `http://${host}/none.png` })]

  for (const allow_remote of [false, true, ['example.org']]) {
    const { code, stderr } = await project(t, rows, {}, { lossmask: { media: { allow_remote } } }).run()
    t.is(code, 1)
    t.regex(stderr, /media-remote/, `${allow_remote}`)
  }
  t.deepEqual(requests, [], 'nobody was asked')

  const { run, cwd } = project(t, rows, {}, { lossmask: { media: { allow_remote: [host] } } })
  const { code, stderr, read } = await run('--on-error', 'skip')
  t.is(code, 0, stderr)
  t.deepEqual(
    read().map(row => row.media[0]?.grid[0]?.values),
    [[1, 34, 46]],
  )
  t.regex(readFileSync(join(cwd, 'out/rejected.jsonl'), 'utf8'), /none\.png cannot be fetched.*404/)
  t.deepEqual(requests.sort(), ['/a.png', '/none.png'])
})

test('a training loop takes the rows as they are: the model makes as many features as there are placeholders', async t => {
  t.timeout(600_000)
  const images = join(root, '__test__/images')
  const [first = '', second = '', third = ''] = readdirSync(images).sort()
  const rows = [
    asked(image(first), text('What is it?')),
    asked(image(second), text('\n\nor'), image(third)),
    { messages: [...asked(image(third)).messages, ...asked(image(first)).messages] },
  ]
  const { run, cwd } = project(t, rows, {}, { lossmask: { media: { root: images } } })
  const { code, stderr } = await run()
  t.is(code, 0, stderr)
  const prepared = join(cwd, 'out/data/train-00000-of-00001.jsonl')
  const step = join(root, 'examples/multimodal/train_step.py')
  const done = spawnSync(python, [step, prepared, images, join(cwd, 'model')], { encoding: 'utf8' })
  const error = done.error?.message ?? done.stderr
  if (done.error !== undefined || /ModuleNotFoundError|ImportError/.test(error)) {
    t.log(`left out: ${python} has not what the example needs: ${error.trim().split('\n').at(-1)}`)
    return t.pass()
  }
  t.is(done.status, 0, error)
  const { features, placeholders } = JSON.parse(done.stdout) as { features: number; placeholders: number }
  t.is(features, placeholders)
})
