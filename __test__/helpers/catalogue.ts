/** The files of `__test__/failures`. */
import { readdirSync } from 'node:fs'
import type { Failure } from './failure.js'

const folder = new URL('../failures/', import.meta.url)

/** Each file's name without its ending, and what it declares. */
export function catalogue(): Promise<{ file: string; failure: Failure }[]> {
  const names = readdirSync(folder)
    .filter(name => name.endsWith('.ts'))
    .sort()
  return Promise.all(
    names.map(async name => {
      const { default: failure } = (await import(new URL(name, folder).href)) as { default: Failure }
      return { file: name.replace(/\.ts$/, ''), failure }
    }),
  )
}
