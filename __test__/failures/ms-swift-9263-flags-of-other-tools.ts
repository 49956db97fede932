/** A message that says in another tool's words that it is not to be trained was trained. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const one = (flag: Record<string, unknown>, row: Record<string, unknown> = {}) => ({
  messages: [user(`${JSON.stringify({ flag, row })}?`), assistant('BAD', flag), user('again'), assistant('good')],
  ...row,
})
const flags = [
  { training: false },
  { train: false },
  { loss_mask: 0 },
  { trainable: false },
  { train_on_turn: false },
  { loss: false },
  { masked: true },
  { mask: true },
  { weight: 0 },
  { loss_weight: 0.0 },
  { loss_scale: 0 },
  { loss_scale: [0] },
]
const lists = [
  { loss_mask: [0, 0, 0, 1] },
  { loss_mask: [false, true] },
  { weights: [0, 1] },
  { loss_scale: [0.0, 0.0, 0.0, 1.0] },
]
const trained = [['good<|im_end|>']]

export default {
  row: 'AE',
  wrong: 'loss flags of other tools are ignored: `loss`, `masked`, a `loss_mask` for the row',
  threads: ['modelscope/ms-swift#9263', 'hiyouga/LlamaFactory#9630', 'meta-pytorch/torchtune#2207'],
  here: 'one table of flags by their meaning; `message_field_training` wins; a key that nothing reads is reported',
  cases: {
    'a flag of the message': { rows: flags.map(flag => one(flag)), trained: flags.flatMap(() => trained) },
    'a list beside the messages': { rows: lists.map(list => one({}, list)), trained: lists.flatMap(() => trained) },
    'the field that the config names wins': {
      rows: [one({ loss: true, keep: false })],
      dataset: { message_field_training: 'keep' },
      trained,
    },
    'a list of another length': {
      rows: [one({}, { loss_mask: [1, 1, 1] })],
      says: { 'rows-rejected': 'fail', 'flag-count': 'fail' },
    },
    'a number where true may mean either': {
      rows: [one({ mask: 1 })],
      says: { 'rows-rejected': 'fail', 'wrong-type': 'fail' },
    },
    'a key that nothing reads': {
      rows: [one({ omit_from_loss: true })],
      trained: [['BAD<|im_end|>', 'good<|im_end|>']],
      says: { 'unread-keys': 'info' },
    },
  },
} satisfies Failure
