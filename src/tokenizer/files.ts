/** Reading the files of a model folder, with errors that name the file and the place in it. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LossmaskError } from '../errors.js'

/** A JSON object, not yet looked into. */
export type JsonObject = Record<string, unknown>

/** The text of a file, `undefined` when there is none. */
export async function readText(folder: string, name: string): Promise<string | undefined> {
  const file = join(folder, name)
  try {
    return decodeUtf8(await readFile(file), file)
  } catch (error) {
    if (isMissing(error)) return undefined
    if (error instanceof LossmaskError) throw error
    throw new LossmaskError('tokenizer-file-unreadable', `cannot read ${name}: ${(error as Error).message}`, {
      file,
      cause: error,
    })
  }
}

/** The object in a JSON file, `undefined` when there is no such file. */
export async function readJson(folder: string, name: string): Promise<JsonObject | undefined> {
  const text = await readText(folder, name)
  return text === undefined ? undefined : parseObject(text, join(folder, name))
}

/** The object that `text`, the content of `file`, spells. */
export function parseObject(text: string, file: string): JsonObject {
  if (text.startsWith('version https://git-lfs')) {
    throw new LossmaskError('tokenizer-file-invalid', 'a git-lfs pointer stands here instead of the file', {
      file,
      hint: 'run `git lfs pull` in its folder, or download the file',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (cause) {
    const message = (cause as Error).message
    const hint = 'the file is damaged, or was not downloaded to its end'
    throw new LossmaskError('tokenizer-file-invalid', `not valid JSON: ${message}`, {
      file,
      ...placeOf(message, text),
      hint,
      cause,
    })
  }
  if (isObject(value)) return value
  throw new LossmaskError('tokenizer-file-invalid', `expected a JSON object, found ${describe(value)}`, { file })
}

/** Whether a folder or file stands at `path`. */
export async function kindOf(path: string): Promise<'folder' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new LossmaskError('tokenizer-file-unreadable', `cannot read ${path}: ${(error as Error).message}`, {
      file: path,
      cause: error,
    })
  }
}

/** Whether `value` is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a JSON value is, in a word. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'a list' : isObject(value) ? 'an object' : `a ${typeof value}`
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new LossmaskError('tokenizer-file-invalid', 'not valid UTF-8', { file, cause })
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Line and column of what a `JSON.parse` message complains of, where it tells the position. */
function placeOf(message: string, text: string): { line?: number; column?: number } {
  const found = /position (\d+)/u.exec(message)?.[1] ?? (/end of JSON/u.test(message) ? text.length : undefined)
  if (found === undefined) return {}
  const before = text.slice(0, Number(found))
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') }
}
