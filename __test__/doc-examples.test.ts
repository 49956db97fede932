/** The examples in the documentation of the public API: every one runs, and what stands behind `// =>` is what comes out. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import * as lossmask from '../src/index.js'
import { folderOf, tinyChatml } from './helpers/folders.js'

const sources = ['errors.ts', 'masker.ts', 'config/load.ts', 'tokenizer/load.ts']

const model = folderOf({ 'tokenizer.json': tinyChatml, 'tokenizer_config.json': { eos_token: '<|im_end|>' } })
const config = folderOf({
  'config.yml': 'base_model: m\ndatasets:\n  - {path: a.jsonl, roles_to_train: [assistant]}\n',
})

/** What the examples call their files. */
const files: Record<string, string> = { 'path/to/model': model, 'config.yml': `${config}/config.yml` }
const api = {
  ...lossmask,
  loadConfig: (path: string | object) => lossmask.loadConfig(typeof path === 'string' ? (files[path] ?? path) : path),
  loadTokenizer: (path: string) => lossmask.loadTokenizer(files[path] ?? path),
}

for (const source of sources) {
  const text = readFileSync(new URL(`../src/${source}`, import.meta.url), 'utf8')
  const blocks = [...text.matchAll(/```ts\n([\s\S]*?)```/gu)].map(match =>
    (match[1] as string).replaceAll(/^\s*\* ?/gmu, ''),
  )
  test(`${source} has examples`, t => {
    t.true(blocks.length > 0)
  })
  for (const [index, block] of blocks.entries()) {
    test(`${source}, example ${index + 1}`, async t => {
      const outcomes = await run(block)
      for (const { line, value, expected } of outcomes) t.deepEqual(plain(value), expected, line)
      t.true(outcomes.length > 0, 'an example shows what comes out')
    })
  }
}

interface Outcome {
  line: string
  value: unknown
  expected: unknown
}

/** Runs an example; its lines `expression // => value` are what is told. */
async function run(block: string): Promise<Outcome[]> {
  const code = block.replaceAll(/^(.*?)\s*\/\/ => (.+)$/gmu, (line, expression, expected) => {
    return `outcomes.push({ line: ${JSON.stringify(line)}, value: (${expression}), expected: (${expected}) })`
  })
  const outcomes: Outcome[] = []
  const names = Object.keys(api)
  const AsyncFunction = (async () => {}).constructor as new (
    ...source: string[]
  ) => (...values: unknown[]) => Promise<void>
  await new AsyncFunction(...names, 'outcomes', code)(...Object.values(api), outcomes)
  return outcomes
}

function plain(value: unknown): unknown {
  return ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value
}
