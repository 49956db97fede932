/** Only the last turn was trained where all were wanted, or all where only the last was. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('One?'), assistant('First.'), user('Two?'), assistant('Second.')] }]
const flagged = [
  { messages: [user('One?'), assistant('First.', { train: false }), user('Two?'), assistant('Second.')] },
]

export default {
  row: 'G',
  wrong: 'only the last turns are trained, or the wrong ones',
  threads: ['meta-pytorch/torchtune#2214', 'huggingface/trl#1282', 'hiyouga/LlamaFactory#9314', '#10827'],
  here: '`turns: all`, `turns: last`, flags in the data; evaluation rows by the same rule',
  cases: {
    'turns: all, the default': { rows, trained: [['First.<|im_end|>', 'Second.<|im_end|>']] },
    'turns: last': { rows, config: { lossmask: { turns: 'last' } }, trained: [['Second.<|im_end|>']] },
    'a message that says train: false': {
      rows: flagged,
      dataset: { message_field_training: 'train' },
      trained: [['Second.<|im_end|>']],
    },
    'rows to evaluate on': {
      rows,
      config: { lossmask: { turns: 'last', audit: { 'duplicate-rows': 1 } }, test_datasets: [{ path: 'rows.jsonl' }] },
      trained: [['Second.<|im_end|>']],
      check: ({ report }) => assert.equal(report?.roles.assistant?.trainedTurns, 2),
    },
  },
} satisfies Failure
