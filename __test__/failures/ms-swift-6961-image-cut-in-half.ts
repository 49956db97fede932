/** Truncation cut a row through an image: placeholders and features no longer matched, or the answer was gone in silence. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, type Run, user } from '../helpers/wholeRun.js'

/** A 640x480 picture, 391 tokens, in the second question. */
const picture = { type: 'image', path: 'a.png', width: 640, height: 480 }
const run = (strategy: string): Run => ({
  rows: [
    {
      messages: [
        user('Is it open?'),
        assistant('Yes.'),
        user([{ type: 'text', text: 'And this?' }, picture]),
        assistant('No.'),
      ],
    },
    { messages: [user('Ok?'), assistant('Yes.')] },
  ],
  config: { sequence_len: 200, excess_length_strategy: strategy, lossmask: { media: { family: 'qwen2_vl' } } },
  model: { files: { 'preprocessor_config.json': { processor_class: 'Qwen2VLProcessor' } } },
})

export default {
  row: 'H',
  wrong: 'truncation cuts an image in half',
  threads: ['modelscope/ms-swift#6961'],
  here: 'the length that counts is the expanded one; a cut row ends in front of the image, and no longer names it',
  cases: {
    truncate: {
      ...run('truncate'),
      trained: [['Yes.<|im_end|>'], ['Yes.<|im_end|>']],
      says: { 'truncated-trained-tokens': 'fail' },
      check: ({ rows: [row] }) => {
        assert.ok((row?.inputIds.length ?? 200) < 200)
        assert.ok(!row?.tokens.includes('<|image_pad|>'))
      },
    },
    drop: { ...run('drop'), trained: [['Yes.<|im_end|>']], says: { 'rows-too-long': 'warn' } },
  },
} satisfies Failure
