/** Only yes or no, where a message should weigh less. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, type Preprocessed, user } from '../helpers/wholeRun.js'

const weighs =
  (weight: number) =>
  ({ rows }: Preprocessed) => {
    const trained = rows[0]?.weights?.filter(each => each > 0) ?? []
    assert.ok(trained.length > 0)
    assert.ok(trained.every(each => each === weight))
  }

export default {
  row: 'S',
  wrong: 'weights, not only yes and no',
  threads: ['huggingface/trl#5761', 'modelscope/ms-swift#6554'],
  here: 'a weight per message and per role, in a column beside the labels',
  cases: {
    'a message of weight 0 is not trained, one of 0.5 weighs half': {
      rows: [
        {
          messages: [
            user('One?'),
            assistant('First.', { weight: 0 }),
            user('Two?'),
            assistant('Second.', { weight: 0.5 }),
          ],
        },
      ],
      config: { lossmask: { weights: { assistant: 1 } } },
      trained: [['Second.<|im_end|>']],
      check: weighs(0.5),
    },
    'a role weighs what the config says': {
      rows: [{ messages: [user('One?'), assistant('First.')] }],
      config: { lossmask: { weights: { assistant: 0.25 } } },
      trained: [['First.<|im_end|>']],
      check: weighs(0.25),
    },
    'weights that no column holds': {
      rows: [{ messages: [user('One?'), assistant('First.', { weight: 0.5 })] }],
      trained: [['First.<|im_end|>']],
      says: { 'weights-not-written': 'warn' },
    },
  },
} satisfies Failure
