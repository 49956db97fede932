/** The local Hugging Face cache: `models--ORG--NAME/{refs,blobs,snapshots}`, shared with Python's huggingface_hub. */
import { randomUUID } from 'node:crypto'
import { access, copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** Environment variables, as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The cache's folder: `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME/hub`, `XDG_CACHE_HOME/huggingface/hub`, `~/.cache/huggingface/hub`. */
export function cacheFolder(env: Environment): string {
  return env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(hfHome(env), 'hub')
}

/** The folder of everything Hugging Face keeps on this machine. */
export function hfHome(env: Environment): string {
  return env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
}

/** One model's part of the cache. */
export interface CachedModel {
  readonly folder: string
}

/** The part of the cache that holds `model` (`org/name`). */
export function cachedModel(env: Environment, model: string): CachedModel {
  return { folder: join(cacheFolder(env), `models--${model.replaceAll('/', '--')}`) }
}

/** The commit that a revision (branch, tag or commit) stood for when it was last downloaded. */
export async function cachedCommit(cached: CachedModel, revision: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cached.folder, 'refs', revision), 'utf8')).trim()
  } catch {
    return (await exists(join(cached.folder, 'snapshots', revision))) ? revision : undefined
  }
}

/** The folder with the files of a commit. */
export function snapshotFolder(cached: CachedModel, commit: string): string {
  return join(cached.folder, 'snapshots', commit)
}

/** Whether something stands at `path`; a link to nothing does not count. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * Puts a file into the cache: `write` fills a file beside its place, which is moved there only when it is whole. What is broken off
 * leaves nothing behind.
 */
export async function storeFile(
  cached: CachedModel,
  commit: string,
  name: string,
  etag: string,
  write: (file: string) => Promise<void>,
): Promise<void> {
  const blob = join(cached.folder, 'blobs', etag.replaceAll(/[^\w.-]/gu, '_'))
  if (!(await exists(blob))) await writeWhole(blob, write)
  await link(blob, join(snapshotFolder(cached, commit), name))
}

/** Notes which commit a revision stands for. */
export async function storeRef(cached: CachedModel, revision: string, commit: string): Promise<void> {
  await writeWhole(join(cached.folder, 'refs', revision), file => writeFile(file, commit))
}

async function writeWhole(file: string, write: (file: string) => Promise<void>): Promise<void> {
  const part = `${file}.${randomUUID()}.incomplete`
  await mkdir(dirname(file), { recursive: true })
  try {
    await write(part)
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** A relative link, as huggingface_hub makes them; a copy where the file system has no links. */
async function link(blob: string, pointer: string): Promise<void> {
  await mkdir(dirname(pointer), { recursive: true })
  const part = `${pointer}.${randomUUID()}.incomplete`
  try {
    await symlink(relative(dirname(pointer), blob), part).catch(() => copyFile(blob, part))
    await rename(part, pointer)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
