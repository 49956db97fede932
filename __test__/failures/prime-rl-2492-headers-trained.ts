/** Role headers and the white space between turns stood in the loss. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('One?'), assistant('First.')] }]
const boundaries = (includeStart: boolean) => [
  { role: 'user', start: '<|im_start|>user\n', end: '<|im_end|>' },
  { role: 'assistant', start: '<|im_start|>assistant\n', end: '<|im_end|>', include_start: includeStart },
]

export default {
  row: 'O',
  wrong: 'headers are trained',
  threads: ['PrimeIntellect-ai/prime-rl#2492', 'NVIDIA-NeMo/Automodel#3739'],
  here: 'header, content and end are decided apart; what stands between turns is never trained',
  cases: {
    'content and end': { rows, trained: [['First.<|im_end|>']] },
    'content alone': {
      rows,
      dataset: { train_on_eos: 'none' },
      trained: [['First.']],
      says: { 'end-not-trained': 'info' },
    },
    'ends alone': {
      rows,
      dataset: { roles_to_train: [], train_on_eos: 'all' },
      trained: [['<|im_end|>', '<|im_end|>']],
    },
    'the header too, where include_start asks for it': {
      rows,
      config: { role_boundaries: boundaries(true) },
      trained: [['<|im_start|>assistant\nFirst.<|im_end|>']],
    },
    'and not otherwise': { rows, config: { role_boundaries: boundaries(false) }, trained: [['First.<|im_end|>']] },
  },
} satisfies Failure
