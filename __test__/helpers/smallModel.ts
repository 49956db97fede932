/** The quick start's own small tokenizer, and copies of it whose control tokens have the names of another family. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Masker } from '../../src/masker.js'
import { type LoadedTokenizer, loadTokenizer } from '../../src/tokenizer/index.js'

/** Its folder: ChatML, `<|pad|>`, picture and video tokens. */
export const SMALL_MODEL = fileURLToPath(new URL('../../examples/quickstart/model', import.meta.url))

/** The small tokenizer as it is. */
export const smallTokenizer = (): Promise<LoadedTokenizer> => loadTokenizer(SMALL_MODEL)

/** What a copy has of its own. */
export interface Changes {
  /** New names of control tokens, by their old ones. */
  tokens?: Record<string, string>
  /** Keys of `tokenizer_config.json`. */
  config?: Record<string, unknown>
  /** The chat template. */
  template?: string
}

/** A folder with a changed copy of the small model; it goes away with the test. */
export function changedModel(
  t: { teardown(work: () => void): void },
  { tokens = {}, config = {}, template }: Changes,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'lossmask-model-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(SMALL_MODEL, folder, { recursive: true })
  rewrite(join(folder, 'tokenizer.json'), text => renamed(text, tokens))
  rewrite(join(folder, 'tokenizer_config.json'), text =>
    JSON.stringify({ ...JSON.parse(renamed(text, tokens)), ...config }, undefined, 2),
  )
  if (template !== undefined) writeFileSync(join(folder, 'chat_template.jinja'), template)
  return folder
}

function rewrite(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')))
}

function renamed(text: string, tokens: Record<string, string>): string {
  return Object.entries(tokens).reduce(
    (all, [from, to]) => all.replaceAll(JSON.stringify(from), JSON.stringify(to)),
    text,
  )
}

/** The trained stretches of a text, decoded. */
export function trainedTexts(masker: Masker, tokenizer: LoadedTokenizer, text: string): string[] {
  return stretches(Array.from(masker.labels(tokenizer.encode(text)))).map(ids => tokenizer.decode(ids))
}

/** The runs of labels that are trained. */
export function stretches(labels: readonly number[]): number[][] {
  const runs: number[][] = []
  labels.forEach((label, place) => {
    if (label === -100) return
    if ((labels[place - 1] ?? -100) === -100) runs.push([])
    runs.at(-1)?.push(label)
  })
  return runs
}
