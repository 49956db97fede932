/** A family without known role boundaries was trained on whole conversations, whatever `train_on_inputs` said. */
import type { Failure } from '../helpers/failure.js'
import { assistant, CHATML, type Run, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('Is the harbour open?'), assistant('Yes.')] }]
const template = CHATML.replaceAll('<|im_start|>', '<begin>').replaceAll('<|im_end|>', '<end>')
/** The small model with markers that no family has. */
const stranger: Run = {
  rows,
  model: {
    tokens: { '<|im_start|>': '<begin>', '<|im_end|>': '<end>' },
    files: { 'chat_template.jinja': template },
  },
}
const whole = '<begin>user\nIs the harbour open?<end>\n<begin>assistant\nYes.<end>\n'

export default {
  row: 'B',
  wrong: 'everything is trained',
  threads: ['axolotl-ai-cloud/axolotl#3617', 'NVIDIA-NeMo/Megatron-Bridge#3359', 'MakazhanAlpamys/Soup#683'],
  here: 'no boundaries is an error unless `train_on_inputs: true` is written; the text routes need none',
  cases: {
    'scanned for turns, it is refused': {
      ...stranger,
      config: { lossmask: { route: 'boundaries' } },
      says: { 'strategy-without-boundaries': 'refused' },
    },
    'with its messages at hand only the answer is trained': { ...stranger, trained: [['Yes.<end>']] },
    'train_on_inputs: true trains everything, because it is written': {
      ...stranger,
      config: { train_on_inputs: true },
      trained: [[whole]],
      says: { 'everything-trained': 'info' },
    },
    'legacy_fallback does what axolotl does, and says so': {
      ...stranger,
      config: { lossmask: { route: 'boundaries', legacy_fallback: true } },
      trained: [[whole]],
      says: { 'legacy-fallback': 'warn' },
    },
    'segments that are all to train': {
      rows: [{ segments: [{ label: true, text: 'Is it open? Yes.<|im_end|>' }] }],
      dataset: { type: 'input_output' },
      says: { 'everything-trained': 'fail' },
    },
  },
} satisfies Failure
