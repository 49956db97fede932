/** Padding was masked by its id, which was also that of the stop token: no model learned to stop. */
import assert from 'node:assert/strict'
import { Masker } from '../../src/masker.js'
import { loadTokenizer } from '../../src/tokenizer/index.js'
import type { Failure } from '../helpers/failure.js'
import { tidied } from '../helpers/inProcess.js'
import { changedModel, stretches } from '../helpers/smallModel.js'
import { assistant, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('One?'), assistant('First.')] }]

export default {
  row: 'D',
  wrong: 'padding is the EOS token, and masked by its id',
  threads: ['huggingface/trl#6357', '#1191', 'unslothai/unsloth#416', 'mlabonne/llm-course#33'],
  here: 'padding is told by its position; that the ids are one is said, for tools further down that go by the id',
  cases: {
    'the stop token is trained all the same': {
      rows,
      config: { special_tokens: { pad_token: '<|im_end|>' } },
      trained: [['First.<|im_end|>']],
      says: { 'pad-is-end-marker': 'fail' },
    },
    'an EOS token that ends no turn': {
      rows,
      config: { special_tokens: { pad_token: '<|endoftext|>', eos_token: '<|endoftext|>' } },
      trained: [['First.<|im_end|>']],
      says: { 'pad-is-eos': 'warn', 'stop-token-never-trained': 'fail' },
    },
    'a padded batch of ids': () =>
      tidied(async t => {
        const tokenizer = await loadTokenizer(changedModel(t, { config: { pad_token: '<|im_end|>' } }))
        const stop = tokenizer.eosTokenId as number
        assert.equal(tokenizer.padTokenId, stop)
        const ids = [
          '<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>',
          '<|im_start|>assistant\nA longer answer than the other, without a question before it.<|im_end|>',
        ].map(row => tokenizer.encode(row))
        const rowLength = Math.max(...ids.map(row => row.length)) + 2
        const padded = ids.flatMap(row => [...row, ...new Array<number>(rowLength - row.length).fill(stop)])
        const attentionMask = ids.flatMap(row =>
          Array.from({ length: rowLength }, (_, at) => (at < row.length ? 1 : 0)),
        )
        const masker = Masker.forStrategy('qwen2_vl', tokenizer)
        const labels = Array.from(masker.labelsBatch(Int32Array.from(padded), { rowLength }, { attentionMask }))
        assert.deepEqual(
          [0, 1].map(row =>
            stretches(labels.slice(row * rowLength, (row + 1) * rowLength)).map(run => tokenizer.decode(run)),
          ),
          [['First.<|im_end|>'], ['A longer answer than the other, without a question before it.<|im_end|>']],
        )
        return 'right labels'
      }),
  },
} satisfies Failure
