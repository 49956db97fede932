import { resolve } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { loadConfig, loadTokenizer, Pipeline } from '../src/index.js'
import { compileConfig, rowSpec } from '../src/pipeline/compile.js'
import { openRows } from '../src/pipeline/rows.js'

/** A template that takes reasoning out of the answers before the last question, as Qwen 3's does. */
const template = `{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.reasoning_content and loop.index0 > ns.last %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

interface Message {
  role: string
  content: string
  reasoning_content?: string
}

async function rowsOf(rows: 'conversation' | 'split' | 'last', conversations: Message[][]) {
  const config = await loadConfig({
    base_model: resolve('examples/quickstart/model'),
    chat_template: 'jinja',
    chat_template_jinja: template,
    datasets: [{ path: 'rows.jsonl', type: 'chat_template' }],
    lossmask: { rows },
  })
  const encoder = await openRows(rowSpec(await compileConfig(config), {}))
  const lines = conversations.map(messages => `${JSON.stringify({ messages })}\n`).join('')
  const { lines: out, rejected } = await encoder.lines(Buffer.from(lines), 'test', 1)
  const text = Buffer.from(out).toString()
  const written = text.split('\n').filter(line => line !== '')
  return { rejected, rows: written.map(line => JSON.parse(line) as { input_ids: number[]; labels: number[] }) }
}

const word = fc.integer({ min: 0, max: 999 }).map(number => `w${number}`)
const answer = fc.record({ content: word, reasoning_content: fc.option(word, { nil: undefined }) })
const exchange = fc.tuple(word, fc.array(answer, { minLength: 1, maxLength: 3 }))

/** What a model sees before an answer, by the same rule as the template, written by hand. */
function prefix(messages: Message[], answer: number): string {
  const last = messages.slice(0, answer + 1).findLastIndex(({ role }) => role === 'user')
  const before = messages.slice(0, answer).map(({ role, content, reasoning_content: reasoning }, index) => {
    const think = reasoning !== undefined && index > last ? `<think>${reasoning}</think>` : ''
    return `<|im_start|>${role}\n${think}${content}<|im_end|>\n`
  })
  return `${before.join('')}<|im_start|>assistant\n`
}

test('rows: split trains every answer once, in the text that inference shows before it', async t => {
  const tokenizer = await loadTokenizer(resolve('examples/quickstart/model'))
  const conversations = fc.sample(fc.array(exchange, { minLength: 1, maxLength: 4 }), { numRuns: 100, seed: 7 })
  for (const exchanges of conversations) {
    const messages = exchanges.flatMap(([question, answers]) => [
      { role: 'user', content: question },
      ...answers.map(({ content, reasoning_content: reasoning }) => ({
        role: 'assistant',
        content,
        ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
      })),
    ])
    const { rows } = await rowsOf('split', [messages])
    const trained = rows.flatMap(({ input_ids: ids, labels }) =>
      stretches(labels).map(([start, end]) => ({
        before: tokenizer.decode(ids.slice(0, start)),
        text: tokenizer.decode(ids.slice(start, end)),
      })),
    )
    const wanted = messages.flatMap((message, index) =>
      message.role === 'assistant'
        ? [
            {
              before: prefix(messages, index),
              text: `${'reasoning_content' in message ? `<think>${message.reasoning_content}</think>` : ''}${message.content}<|im_end|>`,
            },
          ]
        : [],
    )
    const key = ({ before, text }: { before: string; text: string }) => `${before}\u0000${text}`
    t.deepEqual(trained.map(key).sort(), wanted.map(key).sort())
    if (messages.every(message => !('reasoning_content' in message))) {
      t.deepEqual(rows, (await rowsOf('conversation', [messages])).rows, 'nothing is rewritten: one row, as ever')
    }
    const last = await rowsOf('last', [messages])
    t.is(last.rows.length, 1)
    t.is(stretches(last.rows[0]?.labels ?? []).length, 1)
  }
})

function stretches(labels: number[]): [number, number][] {
  const out: [number, number][] = []
  labels.forEach((label, at) => {
    if (label === -100) return
    const open = out.at(-1)
    if (open !== undefined && open[1] === at) open[1] = at + 1
    else out.push([at, at + 1])
  })
  return out
}

test('encode says where several rows come of one conversation', async t => {
  const config = await loadConfig({
    base_model: resolve('examples/quickstart/model'),
    chat_template: 'jinja',
    chat_template_jinja: template,
    datasets: [{ path: 'rows.jsonl', type: 'chat_template' }],
    lossmask: { rows: 'split' },
  })
  const pipeline = await Pipeline.fromConfig(config)
  const turn = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b', reasoning_content: 'c' },
  ]
  t.is((await pipeline.encode(turn)).labels.length > 0, true)
  const error = await t.throwsAsync(async () => pipeline.encode([...turn, ...turn]))
  t.is((error as { code?: string }).code, 'several-rows')
})
