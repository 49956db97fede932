/**
 * Rows of declared formats through the config that people write: the recorded rows of axolotl and TRL, with vocabularies from the test cache.
 * Every recorded row is judged in Rust (`crates/lossmask-chat/tests/formats`); here a sample shows that the way from the YAML leads there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import test from 'ava'
import { formats, isRowFormat, nearestType } from '../src/formats/index.js'
import { LossmaskError, loadConfig, Pipeline } from '../src/index.js'
import { type Case, grouped } from './helpers/vectors.js'
import { CACHE } from './helpers/vocabularies.js'

const file = new URL('vectors/formats.jsonl.gz', import.meta.url)
const rows: Case[] = gunzipSync(readFileSync(file))
  .toString()
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))

const MODEL = 'qwen2_5'
const CATEGORIES = ['plain', 'input', 'none_output', 'typed_markers', 'german']
const model = join(CACHE, 'models', MODEL)

/** Rows of declared formats that the peer makes one sequence of, and rightly. */
const sample = rows.filter(({ source, type, options, tokenizer, category, input_ids, right, special_tokens }) => {
  const declared = typeof type === 'string' ? isRowFormat(type) && type !== 'chat_template' : type !== null
  const plain = Object.keys(options).every(key => ['datasets', 'train_on_inputs'].includes(key))
  return (
    source === 'axolotl' &&
    declared &&
    plain &&
    tokenizer === MODEL &&
    CATEGORIES.includes(category) &&
    input_ids !== undefined &&
    right === undefined &&
    special_tokens === undefined &&
    type?.bogus_key === undefined
  )
})

function labelsOf({ input_ids, keep_spans }: Case): number[] {
  const kept = (at: number) => keep_spans.some(([start, end]: [number, number]) => start <= at && at < end)
  return input_ids.map((id: number, at: number) => (kept(at) ? id : -100))
}

for (const [key, cases] of grouped(sample, row => JSON.stringify(row.options))) {
  test.serial(`rows of ${key} are axolotl's`, async t => {
    if (!existsSync(model)) {
      t.log(`left out: ${model} is not there`)
      return t.pass()
    }
    const config = await loadConfig({ base_model: model, ...cases[0].options })
    const pipeline = await Pipeline.fromConfig(config)
    for (const each of cases) {
      const row = await pipeline.encode(each.row)
      t.deepEqual([...row.inputIds], each.input_ids, each.id)
      t.deepEqual([...row.labels], labelsOf(each), each.id)
    }
  })
}

test('the sample is large enough', t => {
  t.true(sample.length > 100, String(sample.length))
})

test('a type that is unknown is refused in the config, with the nearest one', async t => {
  for (const [type, near] of [
    ['alpacca', 'alpaca'],
    ['alpaca_chat:load_qa', 'alpaca_chat.load_qa'],
  ] as const) {
    const error = await t.throwsAsync(loadConfig({ base_model: 'm', datasets: [{ path: 'a', type }] }))
    t.true(error instanceof LossmaskError)
    t.like((error as LossmaskError).issues[0], { code: 'config-invalid-value', path: 'datasets[0].type' })
    t.is(nearestType(type), `did you mean ${near}? docs/formats.md lists the types`)
  }
  await t.throwsAsync(loadConfig({ base_model: 'm', datasets: [{ path: 'a', type: { no_such_setting: 'x' } }] }))
})

test('every format has a sentence and a row of its own', t => {
  for (const [name, { about, row }] of Object.entries(formats)) {
    t.regex(about, /^[^a-z].*\.$/, name)
    t.true(Object.keys(row).length > 0, name)
  }
})

test('docs/formats.md has every format with its row', t => {
  const doc = readFileSync(new URL('../docs/formats.md', import.meta.url), 'utf8')
  const missing = Object.entries(formats).filter(([name, { about }]) => {
    const line = doc.split('\n').find(each => each.includes(about.replaceAll('|', '\\|')))
    return line === undefined || !(line.includes(`\`${name}\``) || name === 'user_defined')
  })
  t.deepEqual(missing, [])
})
