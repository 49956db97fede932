/** A hub id to a folder: the local cache first, then the hub. */
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { downloadFile, HubApiError, listFiles, modelInfo } from '@huggingface/hub'
import { LossmaskError } from '../errors.js'
import {
  cachedCommit,
  cachedModel,
  type Environment,
  exists,
  hfHome,
  snapshotFolder,
  storeFile,
  storeRef,
} from './cache.js'

/** Everything a tokenizer needs, and nothing of the weights. */
const WANTED = new Set([
  'tokenizer.json',
  'tekken.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'processor_config.json',
  'preprocessor_config.json',
  'generation_config.json',
  'config.json',
])
const ADDITIONAL = /^additional_chat_templates\/[^/]+\.jinja$/u

const ID = /^[\w.-]+(?:\/[\w.-]+)?$/u
const DEFAULT_ENDPOINT = 'https://huggingface.co'

/** How a hub id is resolved. */
export interface HubOptions {
  /** A branch, tag or commit. Default `main`. */
  readonly revision?: string
  /** Where `HF_*` variables are read. Default `process.env`. */
  readonly env?: Environment
}

/**
 * The folder with the small files of a model (no weights): a snapshot in the local Hugging Face cache, downloaded into it when it is not
 * there yet.
 *
 * @throws LossmaskError `tokenizer-not-found` when `model` can be no hub id, `hub-offline`, `hub-unauthorized`, `hub-not-found`,
 * `hub-unreachable`.
 */
export async function resolveModel(model: string, options: HubOptions = {}): Promise<string> {
  const env = options.env ?? process.env
  const revision = options.revision ?? 'main'
  if (!ID.test(model) || model.includes('..') || model.includes('--') || /^\.|\.$/u.test(model)) {
    throw new LossmaskError('tokenizer-not-found', `no such folder: ${model}`, {
      file: model,
      hint: 'give the folder of a model, or a hub id such as Qwen/Qwen3-8B',
    })
  }
  const cached = cachedModel(env, model)
  const commit = await cachedCommit(cached, revision)
  const snapshot = commit === undefined ? undefined : snapshotFolder(cached, commit)
  if (snapshot !== undefined && (await isComplete(snapshot))) return snapshot
  const usable = snapshot !== undefined && (await hasTokenizer(snapshot))
  if (isOffline(env)) {
    if (usable) return snapshot
    throw offline(model, cached.folder)
  }
  try {
    return await download(model, revision, env)
  } catch (error) {
    const failure = hubFailure(error, model, revision, env)
    if (usable && failure.code === 'hub-unreachable') return snapshot
    throw failure
  }
}

async function download(model: string, revision: string, env: Environment): Promise<string> {
  const cached = cachedModel(env, model)
  const hub = { hubUrl: endpoint(env), ...(await credentials(env)) }
  const info = await modelInfo({ ...hub, name: model, revision, additionalFields: ['sha'] })
  const commit = info.sha
  const at = { ...hub, repo: { type: 'model', name: model } as const, revision: commit }
  for await (const file of listFiles({ ...at, recursive: true })) {
    if (file.type !== 'file' || !(WANTED.has(file.path) || ADDITIONAL.test(file.path))) continue
    if (await exists(join(snapshotFolder(cached, commit), file.path))) continue
    const etag = file.lfs?.oid ?? file.oid ?? `${commit}-${file.path}`
    await storeFile(cached, commit, file.path, etag, part => fetchFile(at, file.path, file.size, part))
  }
  await storeRef(cached, revision, commit)
  return snapshotFolder(cached, commit)
}

type At = Omit<Parameters<typeof downloadFile>[0], 'path'>

async function fetchFile(at: At, path: string, size: number, part: string): Promise<void> {
  const blob = await downloadFile({ ...at, path } as Parameters<typeof downloadFile>[0])
  if (blob === null) throw new Error(`${path} is listed, but cannot be downloaded`)
  let received = 0
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      received += chunk.byteLength
      yield chunk
    }
  }
  await pipeline(Readable.fromWeb(blob.stream() as ReadableStream), counted, createWriteStream(part))
  if (received !== size) throw new Error(`${path} broke off after ${received} of ${size} bytes`)
}

function endpoint(env: Environment): string {
  return (env.HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/u, '')
}

/** `HF_TOKEN`, else the token that `hf auth login` saved. */
async function credentials(env: Environment): Promise<{ accessToken?: string }> {
  const saved = env.HF_TOKEN_PATH || join(hfHome(env), 'token')
  const token = env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || (await readFile(saved, 'utf8').catch(() => ''))
  return token.trim() === '' ? {} : { accessToken: token.trim() }
}

function isOffline(env: Environment): boolean {
  return ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].some(name => /^(1|on|yes|true)$/iu.test(env[name] ?? ''))
}

async function hasTokenizer(snapshot: string): Promise<boolean> {
  return (await exists(join(snapshot, 'tokenizer.json'))) || (await exists(join(snapshot, 'tekken.json')))
}

/** A snapshot that somebody downloaded for its tokenizer: asking the hub again would add nothing. */
async function isComplete(snapshot: string): Promise<boolean> {
  return (await hasTokenizer(snapshot)) && (await exists(join(snapshot, 'tokenizer_config.json')))
}

function offline(model: string, folder: string): LossmaskError {
  return new LossmaskError(
    'hub-offline',
    `${model} is not in the local cache, and HF_HUB_OFFLINE forbids downloading it`,
    {
      file: folder,
      hint: 'unset HF_HUB_OFFLINE, or point HF_HOME at a cache that holds the model',
    },
  )
}

function hubFailure(cause: unknown, model: string, revision: string, env: Environment): LossmaskError {
  if (cause instanceof LossmaskError) return cause
  const status = cause instanceof HubApiError ? cause.statusCode : undefined
  const where = endpoint(env)
  if (status === 401 || status === 403) {
    return new LossmaskError('hub-unauthorized', `${where} refuses ${model} (HTTP ${status})`, {
      hint: 'it does not exist, is private, or asks for a licence: check its name, accept the licence on its page, and set HF_TOKEN',
      cause,
    })
  }
  if (status === 404) {
    return new LossmaskError('hub-not-found', `${where} has no ${model} at revision ${revision}`, {
      hint: 'check the name, or give a folder that exists',
      cause,
    })
  }
  const reason = deepestMessage(cause)
  return new LossmaskError('hub-unreachable', `cannot download ${model} from ${where}: ${reason}`, {
    hint: 'check the network and HF_ENDPOINT, or give a local folder; nothing half-written was left in the cache',
    cause,
  })
}

/** `fetch` says `fetch failed` and hides why in the cause. */
function deepestMessage(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error) return deepestMessage(cause)
  if (!(error instanceof Error)) return String(error)
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name)
}
