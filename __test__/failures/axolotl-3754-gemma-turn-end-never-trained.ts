/** Gemma's turns end with <end_of_turn>, its tokenizer's EOS is <eos>, which no turn holds: the end was never trained. */
import type { Failure } from '../helpers/failure.js'
import { assistant, type Run, user } from '../helpers/wholeRun.js'

const gemma = (stop: number[]): Run => ({
  rows: [{ messages: [user('One?'), assistant('First.'), user('Two?'), assistant('Second.')] }],
  config: { chat_template: 'gemma3', lossmask: { strategy: 'gemma3' } },
  model: {
    tokens: { '<|im_start|>': '<start_of_turn>', '<|im_end|>': '<end_of_turn>', '<|endoftext|>': '<eos>' },
    files: { 'tokenizer_config.json': { eos_token: '<eos>' }, 'generation_config.json': { eos_token_id: stop } },
  },
})
const [eos, endOfTurn] = [0, 2]

export default {
  row: 'E',
  wrong: 'the stop token is never trained',
  threads: ['axolotl-ai-cloud/axolotl#3754', '#2089', '#2364'],
  here: 'each answer is trained with its own end marker, whatever the EOS of the tokenizer; the audit counts the ends and the model’s stop tokens among them',
  cases: {
    'the end of every model turn is trained': {
      ...gemma([eos, endOfTurn]),
      trained: [['First.<end_of_turn>', 'Second.<end_of_turn>']],
    },
    'train_on_eos: last trains the last one': {
      ...gemma([eos, endOfTurn]),
      dataset: { train_on_eos: 'last' },
      trained: [['First.', 'Second.<end_of_turn>']],
      says: { 'end-not-trained': 'info' },
    },
    'a model that stops at <eos> alone never learns to': {
      ...gemma([eos]),
      says: { 'stop-token-never-trained': 'fail' },
    },
    'ends that are left out of the answers': {
      ...gemma([eos, endOfTurn]),
      config: { chat_template: 'gemma3', lossmask: { strategy: 'gemma3', exclude: ['<end_of_turn>'] } },
      says: { 'end-not-trained': 'fail' },
    },
  },
} satisfies Failure
