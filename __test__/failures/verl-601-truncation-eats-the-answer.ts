/** Truncation cut the answer away, or left labels and ids of different length. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const long = {
  messages: [user('Tell me of the harbour.'), assistant('The lighthouse shows ships the coast. '.repeat(20))],
}
const short = { messages: [user('Ok?'), assistant('Yes.')] }
const cut = (strategy: string, more: object = {}) => ({ sequence_len: 40, excess_length_strategy: strategy, ...more })

export default {
  row: 'H',
  wrong: 'truncation eats the answer, or trains the end of a cut turn',
  threads: ['verl-project/verl#601', 'huggingface/transformers#34494'],
  here: 'ids, labels and spans are cut together; drop, truncate or raise, and what is lost is counted',
  cases: {
    'drop: the row is left out and counted': {
      rows: [long, short],
      config: cut('drop'),
      trained: [['Yes.<|im_end|>']],
      says: { 'rows-too-long': 'warn' },
      check: ({ report }) => assert.deepEqual(report?.dropped, { 'too-long': 1 }),
    },
    'truncate: ids, labels and spans are cut together': {
      rows: [long, short],
      config: cut('truncate'),
      says: { 'truncated-trained-tokens': 'fail' },
      check: ({ rows: [row], report }) => {
        assert.deepEqual([row?.inputIds.length, row?.labels.length, row?.spans.at(-1)?.end], [40, 40, 40])
        assert.equal(row?.turns.at(-1)?.terminated, false)
        assert.ok((report?.truncation.trainedTokens ?? 0) > 0)
      },
    },
    'truncate, and a cut answer is not trained': {
      rows: [long, short],
      config: cut('truncate', { lossmask: { unterminated: 'mask' } }),
      trained: [['Yes.<|im_end|>']],
      says: { 'no-trained-token': 'fail', 'truncated-trained-tokens': 'fail' },
    },
    'raise: the row is refused': { rows: [long, short], config: cut('raise'), says: { 'row-too-long': 'fail' } },
  },
} satisfies Failure
