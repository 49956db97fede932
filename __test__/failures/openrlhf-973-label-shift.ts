/** Labels were shifted once by the data pipeline and once more by the model. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

export default {
  row: 'N',
  wrong: 'labels are shifted twice',
  threads: ['OpenRLHF/OpenRLHF#973', 'verl-project/verl#3287', 'huggingface/nanoVLM#152'],
  here: 'labels are unshifted, always: each is the id at its own place, or -100',
  cases: {
    'each label stands at its id': {
      rows: [{ messages: [user('Is it open?'), assistant('Yes, all day.')] }],
      trained: [['Yes, all day.<|im_end|>']],
      check: ({ rows: [row] }) => {
        assert.equal(row?.labels.length, row?.inputIds.length)
        assert.ok(row?.labels.every((label, at) => label === -100 || label === row.inputIds[at]))
      },
    },
  },
} satisfies Failure
