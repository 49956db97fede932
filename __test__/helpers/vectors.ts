/** Recorded answers: `__test__/vectors`, and the folder of recorded conversations beside the project, which is not part of it. */
import { existsSync, readFileSync } from 'node:fs'

// biome-ignore lint/suspicious/noExplicitAny: rows of many shapes, each known to its test
export type Case = any

/** The rows of a JSONL file in `__test__/vectors`. */
export function vectors(name: string): Case[] {
  return rowsOf(new URL(`../vectors/${name}`, import.meta.url))
}

/** The rows of a JSONL file in the folder beside the project; none, and a word of it, where that is absent. */
export function sharedVectors(name: string): Case[] {
  const file = new URL(`../../../shared/vectors/${name}`, import.meta.url)
  if (existsSync(file)) return rowsOf(file)
  console.warn(`left out: ${name} is not there`)
  return []
}

function rowsOf(file: URL): Case[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line))
}

/** Where each row begins when they are put one after the other, and where the last ends. */
export function offsetsOf(rows: readonly { length: number }[]): number[] {
  const offsets = [0]
  for (const row of rows) offsets.push((offsets.at(-1) as number) + row.length)
  return offsets
}

/** The rows by what `key` says of them, in order. */
export function grouped(rows: readonly Case[], key: (row: Case) => string): Map<string, Case[]> {
  const groups = new Map<string, Case[]>()
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row])
  return groups
}
