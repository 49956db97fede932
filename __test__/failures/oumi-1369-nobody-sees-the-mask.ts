/** Nobody could see what a mask does before it ruined a run. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Failure } from '../helpers/failure.js'
import { inFolder, runCli } from '../helpers/inProcess.js'
import { assistant, user, written } from '../helpers/wholeRun.js'

const run = { rows: [{ messages: [user('Is it open?'), assistant('Yes.')] }] }

/** What a command shows of the run, once it is prepared. */
const shown = (...args: string[]) =>
  inFolder(async folder => {
    const prepared = join(folder, 'prepared')
    const { code, stderr } = await runCli(['preprocess', written(folder, run), '--output', prepared])
    assert.equal(code, 0, stderr)
    return (await runCli(['inspect', prepared, ...args])).stdout
  })

export default {
  row: 'R',
  wrong: 'nobody can see the mask',
  threads: ['oumi-ai/oumi#1369', 'unslothai/unsloth#823', 'axolotl-ai-cloud/axolotl#1057'],
  here: '`--debug`, `inspect` as tokens, as text, as JSON with the reason of each span, and as one page',
  cases: {
    'as token(label, id)': async () => {
      assert.match(await shown(), /<\|im_start\|>\(-100, 1\) .*Yes\(529, 529\) .*Count of labels: 3/s)
      return 'token(label, id)'
    },
    'as text': async () => {
      assert.match(await shown('--text-only'), /assistant {2}<\|im_start\|>assistant\n +\[Yes\.<\|im_end\|>\]/)
      return 'flowing text'
    },
    'as data': async () => {
      const [row] = JSON.parse(await shown('--json')).rows
      const spans: { kind: string; trained: boolean; reason: string }[] = row.spans
      assert.equal(spans.find(({ kind, trained }) => kind === 'content' && trained)?.reason, 'role')
      assert.equal(spans.find(({ kind }) => kind === 'header')?.reason, 'role-not-trained')
      return 'JSON with reasons'
    },
  },
} satisfies Failure
