/** Truncation cut a row through an image: placeholders and features no longer matched, or the answer was gone in silence. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { folder, lossmask, quickstartModel } from '../helpers/cli.js'

/** A 640x480 picture, 391 tokens, in the second question. */
const picture = { type: 'image', path: 'a.png', width: 640, height: 480 }
const row = {
  messages: [
    { role: 'user', content: 'Is it open?' },
    { role: 'assistant', content: 'Yes.' },
    { role: 'user', content: [{ type: 'text', text: 'And this?' }, picture] },
    { role: 'assistant', content: 'No.' },
  ],
}

async function prepared(t: ExecutionContext, strategy: string) {
  const config = {
    base_model: './model',
    datasets: [{ path: './rows.jsonl', type: 'chat_template' }],
    sequence_len: 200,
    excess_length_strategy: strategy,
    lossmask: { media: { family: 'qwen2_vl' } },
  }
  const cwd = folder(t, { 'rows.jsonl': `${JSON.stringify(row)}\n`, 'config.yml': JSON.stringify(config) })
  cpSync(quickstartModel, join(cwd, 'model'), { recursive: true })
  writeFileSync(join(cwd, 'model/preprocessor_config.json'), JSON.stringify({ processor_class: 'Qwen2VLProcessor' }))
  const outcome = await lossmask(['preprocess', 'config.yml', '--output', 'out', '--format', 'jsonl', '--json'], {
    cwd,
  })
  const rows = () => readFileSync(join(cwd, 'out/data/train-00000-of-00001.jsonl'), 'utf8')
  return { ...outcome, rows }
}

test('a cut row ends in front of the image, keeps what it has learnt from, and no longer names the image', async t => {
  const { code, stderr, stdout, rows } = await prepared(t, 'truncate')
  t.is(code, 0, stderr)
  const { input_ids, labels, media } = JSON.parse(rows()) as { input_ids: number[]; labels: number[]; media: unknown[] }
  t.true(input_ids.length < 200)
  t.deepEqual(media, [], 'the image is dropped whole')
  t.true(
    labels.some(label => label !== -100),
    'the first answer is still trained',
  )
  t.regex(stdout, /row-truncated/, 'and the run says so')
})

test('the length that counts is the expanded one', async t => {
  const { stdout } = await prepared(t, 'drop')
  t.regex(stdout, /too-long/)
})
