/** Rows, or whole datasets, had every label masked, and training went on with a loss of nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { folder, lossmask } from '../helpers/cli.js'
import { changedModel } from '../helpers/smallModel.js'

const good = {
  messages: [
    { role: 'user', content: 'One?' },
    { role: 'assistant', content: 'First.' },
  ],
}
const questionOnly = { messages: [{ role: 'user', content: 'Nobody answers?' }] }
const jsonl = (rows: object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('')

const template =
  '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}'

const config = (t: ExecutionContext, more = '') => `base_model: ${changedModel(t, { template })}
datasets:
  - path: rows.jsonl
    type: chat_template
${more}`

test('a row that trains nothing stops a run that allows none: it is counted, by cause, and nothing is written', async t => {
  const cwd = folder(t, {
    'config.yml': config(t, 'lossmask:\n  max_untrained_share: 0\n'),
    'rows.jsonl': jsonl([good, questionOnly]),
  })
  const { code, stderr } = await lossmask(['preprocess', 'config.yml', '--output', 'out'], { cwd })
  t.is(code, 1, stderr)
  t.regex(stderr, /50\.00 % of the rows have no trained token.*too-many-untrained-rows/su)
  t.throws(() => readFileSync(join(cwd, 'out', 'dataset_info.json')), { code: 'ENOENT' })
})

test('else it is dropped as in axolotl, and counted in the report', async t => {
  const cwd = folder(t, { 'config.yml': config(t), 'rows.jsonl': jsonl([good, questionOnly]) })
  const { code, stdout, stderr } = await lossmask(['preprocess', 'config.yml', '--output', 'out', '--json'], { cwd })
  t.is(code, 0, stderr)
  const report = JSON.parse(stdout)
  t.is(report.rowsWithoutTrainedTokens, 1)
  t.like(report.ends, { trained: 1, turns: 1 })
  t.true(report.diagnostics.some((one: { code: string }) => one.code === 'no-trained-token'))
})

test('markers that the rows do not hold stop the run before any row is read, with what stands there instead', async t => {
  const boundaries = `role_boundaries:
  - role: assistant
    start: "<|im_start|>model\\n"
    end: "<|im_end|>"
`
  const cwd = folder(t, { 'config.yml': config(t, boundaries), 'rows.jsonl': jsonl([good]) })
  const { code, stderr } = await lossmask(['preprocess', 'config.yml', '--output', 'out'], { cwd })
  t.not(code, 0)
  t.regex(stderr, /self-test-failed/u)
  t.regex(stderr, /<\|im_start\|>assistant\\n/u)
})
