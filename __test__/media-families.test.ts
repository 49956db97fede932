/**
 * A conversation with real image files through `preprocess`, for every family that reads media; and where Python has transformers, the
 * family's real processor on the same model folder, the same conversation and the same files: `input_ids` are equal one by one.
 */
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { loadConfig } from '../src/config/index.js'
import { compileConfig, runSpec } from '../src/pipeline/compile.js'
import { runPipeline } from '../src/pipeline/run.js'
import { proveStrategies } from '../src/pipeline/selfTest.js'
import { findStrategy } from '../src/strategies/index.js'
import { folder, quickstartModel } from './helpers/cli.js'
import { MEDIA_FAMILIES, type MediaFamily } from './helpers/mediaFamilies.js'
import { PythonHelper, python } from './helpers/python.js'
import { wav } from './helpers/sounds.js'
import { Absent, tokenizerJsonOf, withTokens } from './helpers/vocabularies.js'

interface Written {
  input_ids: number[]
  labels: number[]
  media: { kind: string; reference: string }[]
}
interface Answer {
  input_ids?: number[][]
  skipped?: string
  failed?: string
}
interface Message {
  role: string
  content: string | { type: string; path?: string; text?: string }[]
}

/** Families with media that are not compared, and why. */
const WITHOUT_PROCESSOR: Readonly<Record<string, string>> = {
  voxtral: 'encoded by mistral-common, without a chat template',
  phi3_5_vision: 'its processor is code of the checkpoint, not of transformers',
  minicpm_v4_5: 'its processor is code of the checkpoint, not of transformers',
}

const images = fileURLToPath(new URL('images/', import.meta.url))
const files = readdirSync(images).sort()
const vectors = (name: string) => readFileSync(new URL(`vectors/families/${name}`, import.meta.url), 'utf8')
const vocabularies = new Map(
  vectors('families.jsonl')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { family: string; vocabulary: string })
    .map(({ family, vocabulary }) => [family, vocabulary]),
)

const processors = new PythonHelper('real_rows.py')
test.after.always(() => processors.end())

const image = (path: string) => ({ type: 'image', path })
const text = (words: string) => ({ type: 'text', text: words })
const user = (...content: { type: string }[]): Message => ({ role: 'user', content })
const answer = (content: string): Message => ({ role: 'assistant', content })

/** One image, several in a message, in several turns, none; texts that begin and end in line ends. `first` picks the files. */
function conversations(first: number, audio: boolean): { messages: Message[] }[] {
  const file = (index: number) => image(files[(first + index) % files.length] as string)
  const sound = { type: 'audio', path: 'sound.wav' }
  const alone = [0, 1, 2, 3, 4].map(index => [user(file(index), text('What is it?')), answer('A boat.')])
  return [
    ...alone,
    [user(text('Which of '), file(5), text('\n\nand\n'), file(6), text('\n?')), answer('The first.')],
    [user(file(7)), answer('One.'), user(text('And this?'), file(8), file(9)), answer('Two and three.')],
    [user(text('No picture.')), answer('None.')],
    ...(audio ? [[user(text('Listen:'), sound, text('Well?')), answer('A tone.')]] : []),
  ].map(messages => ({ messages }))
}

/** The family's model folder. The vocabulary is its real one, or a small one with its tokens where that is not at hand. */
function modelFolder(t: ExecutionContext, { name, files, named = {}, tokens = [], template }: MediaFamily): string {
  const strategy = findStrategy(name)
  const further = [...Object.values(named), ...tokens]
  let tokenizer: object
  try {
    tokenizer = withTokens(tokenizerJsonOf(vocabularies.get(name) as string), further)
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    t.log(`${error.message}: with a small vocabulary instead`)
    const small = JSON.parse(readFileSync(join(quickstartModel, 'tokenizer.json'), 'utf8'))
    tokenizer = withTokens(small, [...(strategy?.control ?? []), ...(strategy?.media ?? []), ...further])
  }
  const end = strategy?.control.at(-1)
  const config = { tokenizer_class: 'PreTrainedTokenizerFast', eos_token: end, pad_token: end, ...named }
  return folder(t, {
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify({ ...config, extra_special_tokens: named }),
    'chat_template.jinja': template,
    ...Object.fromEntries(Object.entries(files).map(([file, content]) => [file, JSON.stringify(content)])),
  })
}

/** References of a row's media, in order, and its answers. */
function said({ messages }: { messages: Message[] }) {
  const parts = messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))
  return {
    references: parts.flatMap(part => part.path ?? []),
    answers: messages.flatMap(({ role, content }) => (role === 'assistant' ? [content as string] : [])),
  }
}

/** What `lossmask preprocess` does, in this process: the larger vocabularies take their time to load. */
async function preprocessed(strategy: string, model: string, root: string, cwd: string) {
  const config = await loadConfig({
    base_model: model,
    datasets: [{ path: join(cwd, 'rows.jsonl'), type: 'chat_template' }],
    sequence_len: 1 << 20,
    lossmask: { strategy, media: { root } },
  })
  const compiled = await compileConfig(config)
  await proveStrategies(compiled)
  await runPipeline(await runSpec(compiled, { output: { dir: join(cwd, 'out'), format: 'jsonl' } }))
  const lines = readFileSync(join(cwd, 'out/data/train-00000-of-00001.jsonl'), 'utf8').trim().split('\n')
  return { tokenizer: compiled.tokenizer, written: lines.map(line => JSON.parse(line) as Written) }
}

for (const [index, family] of MEDIA_FAMILIES.entries()) {
  test.serial(`${family.name}: rows are those of ${family.processor}`, async t => {
    t.timeout(600_000)
    const model = modelFolder(t, family)
    const root = folder(t, { 'sound.wav': wav(16_000, 24_000) })
    cpSync(images, root, { recursive: true })
    const rows = conversations(index * 3, family.audio === true)
    const cwd = folder(t, { 'rows.jsonl': rows.map(row => `${JSON.stringify(row)}\n`).join('') })
    const asked = processors.ask<Answer>({ model, processor: family.processor, files: root, rows })
    const [truth, { tokenizer, written }] = await Promise.all([asked, preprocessed(family.name, model, root, cwd)])
    t.is(written.length, rows.length)
    const media = new Set(findStrategy(family.name)?.media.flatMap(token => tokenizer.tokenToId?.(token) ?? []))
    for (const [at, row] of written.entries()) {
      const { references, answers } = said(rows[at] as { messages: Message[] })
      t.deepEqual(
        row.media.map(({ reference }) => reference),
        references,
        `row ${at}`,
      )
      const trained = row.labels.filter(label => label !== -100)
      t.false(
        trained.some(id => media.has(id)),
        `row ${at}: no media token is trained`,
      )
      const words = tokenizer.decode(trained)
      for (const each of answers) t.true(words.includes(each), `row ${at}: ${each}`)
    }

    if (truth === undefined || truth.skipped !== undefined) {
      t.log(`not compared: ${python} has no ${family.processor}: ${truth?.skipped ?? processors.reason}`)
      return
    }
    t.is(truth.failed, undefined)
    for (const [at, row] of written.entries()) t.deepEqual(row.input_ids, truth.input_ids?.[at], `row ${at}`)
  })
}

test('every family that reads media is here, or it is said why not', t => {
  const families = JSON.parse(vectors('boundaries.json')) as Record<string, { media_ids_masked: number[] }>
  const reading = Object.entries(families).flatMap(([name, { media_ids_masked: ids }]) =>
    ids.length > 0 ? [name] : [],
  )
  const here = [...MEDIA_FAMILIES.map(({ name }) => name), ...Object.keys(WITHOUT_PROCESSOR)]
  t.deepEqual(
    reading.filter(name => !here.includes(name)),
    [],
  )
})
