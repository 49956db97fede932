/** Rows, or whole datasets, had every label masked, and training went on with a loss of nothing. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, preprocessRun, user } from '../helpers/wholeRun.js'

const talk = { messages: [user('Is the ferry late?'), assistant('No.')] }
const monologue = { messages: [user('Is the ferry late?'), user('Hello?')] }
const wrongMarker = {
  role_boundaries: [
    { role: 'user', start: '<|im_start|>user\n', end: '<|im_end|>' },
    { role: 'assistant', start: '<|im_start|>model\n', end: '<|im_end|>' },
  ],
}

export default {
  row: 'A',
  wrong: 'rows in which nothing is trained',
  threads: [
    'unslothai/unsloth#2900',
    '#1128',
    '#1290',
    'marin-community/marin#7237',
    'huggingface/trl#6668',
    '#6320',
    '#6025',
  ],
  here: 'the audit fails for any such row and names its cause; `preprocess` leaves it out, as axolotl does, and says so; a run with no other rows, or with more of them than `max_untrained_share`, ends with exit code 1',
  cases: {
    'they are left out, counted by cause, and fail the audit': {
      rows: [talk, monologue, monologue],
      trained: [['No.<|im_end|>']],
      says: { 'no-trained-token': 'fail' },
      check: ({ report, stderr }) => {
        assert.deepEqual(report?.dropped, { 'no-trained-token': 2 })
        assert.match(stderr, /2 of 3 rows train nothing.*rows\.jsonl:2/s)
      },
    },
    'a share of them passes where the config says so': {
      rows: [talk, talk, monologue],
      config: { lossmask: { audit: { 'no-trained-token': 0.5, 'duplicate-rows': 1 } } },
      trained: [['No.<|im_end|>'], ['No.<|im_end|>']],
    },
    'and a limit stops the run': async () => {
      const { code, issues } = await preprocessRun({
        rows: [talk, monologue],
        config: { lossmask: { max_untrained_share: 0.1 } },
      })
      assert.equal(code, 1)
      assert.deepEqual([issues[0]?.code, issues[0]?.line], ['too-many-untrained-rows', 2])
      return '`too-many-untrained-rows`: refused'
    },
    'a run in which no row trains': async () => {
      const { code, issues } = await preprocessRun({ rows: [monologue] })
      assert.deepEqual([code, issues[0]?.code], [1, 'no-rows'])
      return '`no-rows`: refused'
    },
    'markers that are not those of the template stop a run before any row is read': async () => {
      const { code, issues } = await preprocessRun({ rows: [talk], config: wrongMarker })
      assert.deepEqual([code, issues[0]?.code], [2, 'self-test-failed'])
      assert.match(issues[0]?.message ?? '', /<\|im_start\|>assistant\\n/)
      return '`self-test-failed`: refused'
    },
    'and the audit shows what stands in their place': {
      rows: [talk],
      config: { ...wrongMarker, lossmask: { route: 'boundaries' } },
      says: { 'self-test-failed': 'fail', 'near-miss': 'fail', 'no-trained-token': 'fail' },
    },
  },
} satisfies Failure
