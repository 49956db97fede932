import { existsSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Where relative paths of a config are looked up, in order: the working directory, as in axolotl, then the config's own folder, so
 * that a config can be run from anywhere.
 */
export function lookupBases(configFile: string | undefined): string[] {
  const working = process.cwd()
  const own = configFile === undefined ? working : dirname(resolve(configFile))
  return own === working ? [working] : [working, own]
}

/** The first of `bases` under which `path` exists, as an absolute path. */
export function firstExisting(path: string, bases: readonly string[]): string | undefined {
  return bases.map(base => resolve(base, path)).find(candidate => existsSync(candidate))
}

/** The same for a file; text that can be no path is none. */
export function existingFile(path: string, bases: readonly string[]): string | undefined {
  if (path.includes('\n') || path.includes('\0') || path.length > 4096) return undefined
  return bases.map(base => resolve(base, path)).find(candidate => existsSync(candidate) && statSync(candidate).isFile())
}
