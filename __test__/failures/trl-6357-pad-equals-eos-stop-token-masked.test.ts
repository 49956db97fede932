/** Padding was masked by its id, which was also that of the stop token: no model learned to stop. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { findStrategy, resolveStrategy } from '../../src/strategies/index.js'
import { loadTokenizer } from '../../src/tokenizer/index.js'
import { changedModel, stretches } from '../helpers/smallModel.js'

test('padding is masked by position, the stop token of the same id is trained', async t => {
  const tokenizer = await loadTokenizer(changedModel(t, { config: { pad_token: '<|im_end|>' } }))
  const stop = tokenizer.eosTokenId as number
  t.is(tokenizer.padTokenId, stop)

  const rows = [
    '<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>',
    '<|im_start|>assistant\nA longer answer than the other, without a question before it.<|im_end|>',
  ]
  const ids = rows.map(row => tokenizer.encode(row))
  const rowLength = Math.max(...ids.map(row => row.length)) + 2
  const padded = ids.flatMap(row => [...row, ...new Array<number>(rowLength - row.length).fill(stop)])
  const attentionMask = ids.flatMap(row =>
    Array.from({ length: rowLength }, (_, place) => (place < row.length ? 1 : 0)),
  )

  const masker = Masker.forStrategy('qwen2_vl', tokenizer)
  const labels = Array.from(masker.labelsBatch(Int32Array.from(padded), { rowLength }, { attentionMask }))
  t.deepEqual(
    [0, 1].map(row =>
      stretches(labels.slice(row * rowLength, (row + 1) * rowLength)).map(run => tokenizer.decode(run)),
    ),
    [['First.<|im_end|>'], ['A longer answer than the other, without a question before it.<|im_end|>']],
  )
})

test('that they are one is said', async t => {
  const tokenizer = await loadTokenizer(changedModel(t, { config: { pad_token: '<|im_end|>' } }))
  const [notice] = resolveStrategy(findStrategy('qwen2_vl'), tokenizer).notices
  t.is(notice?.code, 'pad-is-end-marker')
  t.regex(notice?.hint ?? '', /position/u)
})
