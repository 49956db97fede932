/** Packed rows saw each other: no position ids, and the first token of a row was a label of the one before it. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const rows = ['one', 'two', 'three'].map(word => ({ messages: [user(`Say ${word}.`), assistant(word)] }))
const text = (word: string) => `user\nSay ${word}.<|im_end|>\n<|im_start|>assistant\n${word}<|im_end|>\n`

export default {
  row: 'J',
  wrong: 'packed rows leak into each other',
  threads: ['huggingface/trl#805', '#1230', 'hiyouga/LlamaFactory#2289', 'huggingface/nanoVLM#201'],
  here: 'the first label of each packed row is -100; position ids begin anew',
  cases: {
    'every token is trained but the first of each row': {
      rows,
      config: { sequence_len: 200, sample_packing: true, train_on_inputs: true },
      trained: [['one', 'two', 'three'].map(text)],
      says: { 'everything-trained': 'info' },
      check: ({ report, rows: [packed] }) => {
        assert.equal(report?.packing?.sequences, 1)
        assert.equal(packed?.sources.length, 3)
      },
    },
    'answers alone': {
      rows,
      config: { sequence_len: 200, sample_packing: true },
      trained: [['one<|im_end|>', 'two<|im_end|>', 'three<|im_end|>']],
    },
  },
} satisfies Failure
