/** A hub on the loopback interface: the same requests that the real one answers, and every way in which it may not. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { LossmaskError } from '../src/index.js'
import { resolveModel } from '../src/tokenizer/hub.js'

const commit = '0123456789abcdef0123456789abcdef01234567'
const tokenizerJson = JSON.stringify({
  model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
  filler: 'x'.repeat(300_000),
})
const files: Record<string, string> = {
  'tokenizer.json': tokenizerJson,
  'tokenizer_config.json': '{"eos_token":"a"}',
  'chat_template.jinja': '{{ messages }}',
  'additional_chat_templates/tool_use.jinja': '{{ tools }}',
  'model.safetensors': 'weights',
  'README.md': 'words',
}

interface Hub {
  env: Record<string, string>
  requests: string[]
  tokens: (string | undefined)[]
  cache: string
}

/** What the server does before it answers as usual; `true`: it has answered. */
type Trouble = (request: IncomingMessage, response: ServerResponse) => boolean

async function hub(t: ExecutionContext, trouble: Trouble = () => false): Promise<Hub> {
  const requests: string[] = []
  const tokens: (string | undefined)[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`)
    tokens.push(request.headers.authorization)
    if (!trouble(request, response)) answer(request, response)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => server.close())
  const cache = mkdtempSync(join(tmpdir(), 'lossmask-hub-'))
  const { port } = server.address() as AddressInfo
  return {
    env: { HF_ENDPOINT: `http://127.0.0.1:${port}/`, HF_HOME: cache },
    requests,
    tokens,
    cache: join(cache, 'hub'),
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '', 'http://hub')
  const json = (value: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(value))
  }
  if (/^\/api\/models\/org\/name\/revision\/(main|v1)$/u.test(url.pathname)) {
    json({
      id: 'org/name',
      _id: '1',
      sha: commit,
      private: false,
      downloads: 0,
      likes: 0,
      gated: false,
      lastModified: '2026-01-01T00:00:00Z',
    })
  } else if (url.pathname === `/api/models/org/name/tree/${commit}`) {
    json(
      Object.entries(files).map(([path, text]) => ({
        type: 'file',
        path,
        size: text.length,
        oid: Buffer.from(path).toString('hex'),
      })),
    )
  } else if (url.pathname.startsWith(`/org/name/resolve/${commit}/`)) {
    sendFile(request, response, files[url.pathname.slice(`/org/name/resolve/${commit}/`.length)] as string)
  } else json({ error: 'Repository not found' }, 404)
}

function sendFile(request: IncomingMessage, response: ServerResponse, text: string): void {
  const range = /^bytes=(\d+)-(\d+)$/u.exec(request.headers.range ?? '')
  const [start, end] =
    range === null ? [0, text.length] : [Number(range[1]), Math.min(Number(range[2]) + 1, text.length)]
  response.writeHead(range === null ? 200 : 206, {
    etag: '"etag"',
    'content-length': end - start,
    'content-range': `bytes ${start}-${end - 1}/${text.length}`,
  })
  response.end(text.slice(start, end))
}

async function refused(
  t: ExecutionContext,
  env: Record<string, string>,
  code: string,
  model = 'org/name',
): Promise<LossmaskError> {
  const error = await t.throwsAsync(resolveModel(model, { env }), { instanceOf: LossmaskError })
  t.is(error?.code, code, error?.message)
  t.truthy(error?.hint)
  return error as LossmaskError
}

/** Every file below a folder. */
function everything(folder: string): string[] {
  return existsSync(folder) ? (readdirSync(folder, { recursive: true }) as string[]).sort() : []
}

test('a model is downloaded once, into the layout of huggingface_hub, without its weights', async t => {
  const { env, requests, cache } = await hub(t)
  const folder = await resolveModel('org/name', { env })
  t.is(folder, join(cache, 'models--org--name', 'snapshots', commit))
  t.is(readFileSync(join(folder, 'tokenizer.json'), 'utf8'), tokenizerJson)
  t.is(readFileSync(join(folder, 'additional_chat_templates/tool_use.jinja'), 'utf8'), '{{ tools }}')
  t.is(readFileSync(join(cache, 'models--org--name', 'refs', 'main'), 'utf8'), commit)
  t.deepEqual(readdirSync(folder).sort(), [
    'additional_chat_templates',
    'chat_template.jinja',
    'tokenizer.json',
    'tokenizer_config.json',
  ])
  t.false(requests.some(request => /safetensors|README/u.test(request)))
  const asked = requests.length
  t.is(await resolveModel('org/name', { env }), folder)
  t.is(await resolveModel('org/name', { env: { ...env, HF_HUB_OFFLINE: '1' } }), folder)
  t.is(requests.length, asked, 'the cache answers')
})

test('a revision is resolved by itself, and a commit needs no reference', async t => {
  const { env, requests, cache } = await hub(t)
  const folder = await resolveModel('org/name', { env, revision: 'v1' })
  t.is(readFileSync(join(cache, 'models--org--name', 'refs', 'v1'), 'utf8'), commit)
  const asked = requests.length
  t.is(await resolveModel('org/name', { env, revision: commit }), folder)
  t.is(requests.length, asked)
})

test('the token goes along, from the environment or the file of hf auth login', async t => {
  const first = await hub(t)
  await resolveModel('org/name', { env: { ...first.env, HF_TOKEN: 'hf_secret' } })
  t.true(first.tokens.every(token => token === 'Bearer hf_secret'))
  const second = await hub(t)
  writeFileSync(join(second.cache, '..', 'token'), 'hf_saved\n')
  await resolveModel('org/name', { env: second.env })
  t.true(second.tokens.every(token => token === 'Bearer hf_saved'))
  const third = await hub(t)
  await resolveModel('org/name', { env: third.env })
  t.true(third.tokens.every(token => token === undefined))
})

for (const status of [401, 403]) {
  test(`HTTP ${status}: not allowed, or not there`, async t => {
    const { env, cache } = await hub(t, (_, response) => {
      response.writeHead(status).end('no')
      return true
    })
    const error = await refused(t, env, 'hub-unauthorized')
    t.regex(error.hint ?? '', /HF_TOKEN/)
    t.deepEqual(everything(cache), [])
  })
}

test('HTTP 404: no such model', async t => {
  const { env } = await hub(t)
  const error = await refused(t, env, 'hub-not-found', 'org/nothing')
  t.regex(error.message, /org\/nothing/)
})

test('HTTP 500 and answers that are no JSON', async t => {
  const failing = await hub(t, (_, response) => {
    response.writeHead(500).end('oops')
    return true
  })
  await refused(t, failing.env, 'hub-unreachable')
  const babbling = await hub(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    return true
  })
  await refused(t, babbling.env, 'hub-unreachable')
})

test('nobody listens', async t => {
  const cache = mkdtempSync(join(tmpdir(), 'lossmask-hub-'))
  const error = await refused(t, { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HOME: cache }, 'hub-unreachable')
  t.regex(error.message, /127\.0\.0\.1:9/)
})

test('offline and not in the cache', async t => {
  const { env, requests } = await hub(t)
  for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']) {
    const error = await refused(t, { ...env, [name]: 'true' }, 'hub-offline')
    t.regex(error.hint ?? '', /HF_HOME/)
  }
  t.deepEqual(requests, [])
})

test('a download that breaks off leaves no half-written file, and the next try completes it', async t => {
  let broken = true
  const { env, cache } = await hub(t, (request, response) => {
    const whole = request.url?.endsWith('/tokenizer.json') && request.headers.range !== 'bytes=0-0'
    if (!broken || !whole) return false
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'content-length': tokenizerJson.length,
      etag: '"e"',
    })
    response.write(tokenizerJson.slice(0, 1000))
    setTimeout(() => response.destroy(), 20)
    return true
  })
  await refused(t, env, 'hub-unreachable')
  t.deepEqual(
    everything(cache).filter(file => /incomplete|tokenizer\.json/u.test(file)),
    [],
  )
  t.false(existsSync(join(cache, 'models--org--name', 'refs', 'main')), 'nothing looks finished')
  broken = false
  const folder = await resolveModel('org/name', { env })
  t.is(readFileSync(join(folder, 'tokenizer.json'), 'utf8'), tokenizerJson)
})

test('a file that is shorter than the hub says is not kept', async t => {
  const { env, cache } = await hub(t, (request, response) => {
    if (!request.url?.endsWith('/tokenizer_config.json') || request.headers.range === 'bytes=0-0') return false
    response.writeHead(200, { 'content-length': 2, etag: '"e"' }).end('{}')
    return true
  })
  await refused(t, env, 'hub-unreachable')
  t.deepEqual(
    everything(cache).filter(file => /incomplete|tokenizer_config/u.test(file)),
    [],
  )
})

test('a snapshot with a tokenizer serves when the hub cannot complete it', async t => {
  const { env, cache } = await hub(t, (_, response) => {
    response.destroy()
    return true
  })
  const snapshot = join(cache, 'models--org--name', 'snapshots', commit)
  mkdirSync(snapshot, { recursive: true })
  mkdirSync(join(cache, 'models--org--name', 'refs'))
  writeFileSync(join(cache, 'models--org--name', 'refs', 'main'), commit)
  writeFileSync(join(snapshot, 'tokenizer.json'), tokenizerJson)
  t.is(await resolveModel('org/name', { env }), snapshot)
  t.is(await resolveModel('org/name', { env: { ...env, HF_HUB_OFFLINE: '1' } }), snapshot)
})

test('the cache is where huggingface_hub looks for it', async t => {
  const { env, cache } = await hub(t)
  const elsewhere = join(cache, '..', 'elsewhere')
  const folder = await resolveModel('org/name', { env: { ...env, HF_HUB_CACHE: elsewhere } })
  t.true(folder.startsWith(elsewhere))
  const xdg = await resolveModel('org/name', {
    env: { HF_ENDPOINT: env.HF_ENDPOINT as string, XDG_CACHE_HOME: elsewhere },
  })
  t.is(xdg, join(elsewhere, 'huggingface/hub/models--org--name/snapshots', commit))
})

test('several downloads of one model at once', async t => {
  const { env } = await hub(t)
  const folders = await Promise.all(Array.from({ length: 5 }, () => resolveModel('org/name', { env })))
  t.is(new Set(folders).size, 1)
  t.is(readFileSync(join(folders[0] as string, 'tokenizer.json'), 'utf8'), tokenizerJson)
})
