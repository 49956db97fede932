/** Reasoning vanished from history, and a template's empty think block was trained. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

/** Writes an empty block where an answer has no reasoning, as several families do. */
const template = `{%- for m in messages -%}
{{- '<|im_start|>' + m.role + '\\n' -}}
{%- if m.role == 'assistant' -%}
{%- if m.reasoning_content -%}{{- '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' -}}
{%- else -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}
{%- endif -%}
{{- m.content + '<|im_end|>\\n' -}}
{%- endfor -%}`
/** Keeps the reasoning of the last answer alone. */
const forgetful = template.replace('m.reasoning_content', 'm.reasoning_content and loop.last')
const config = (source: string, lossmask: object = {}) => ({
  chat_template: 'jinja',
  chat_template_jinja: source,
  lossmask: { route: 'content', ...lossmask },
})
const thought = (question: string, answer: string, why: string) => [
  user(question),
  assistant(answer, { reasoning_content: why }),
]
const plain = [{ messages: [user('Is it open?'), assistant('Yes.')] }]
const one = [{ messages: thought('Is it open?', 'Yes.', 'It is noon.') }]
const two = [
  { messages: [...thought('Is it open?', 'Yes.', 'It is noon.'), ...thought('Still?', 'No.', 'It is night.')] },
]

export default {
  row: 'L',
  wrong: 'reasoning is lost from the history, or an empty think block trained',
  threads: ['THUDM/slime#330', 'verl-project/verl#7322', 'NVIDIA-NeMo/Automodel#3738'],
  here: 'template-made text is scaffold; `reasoning: train`, `mask`; an answer whose reasoning later messages take away is reported',
  cases: {
    'an empty block is the template’s, not the model’s': {
      rows: plain,
      config: config(template),
      trained: [['Yes.<|im_end|>']],
    },
    'reasoning is trained with its tags': {
      rows: one,
      config: config(template),
      trained: [['<think>\nIt is noon.\n</think>\n\nYes.<|im_end|>']],
    },
    'or masked': { rows: one, config: config(template, { reasoning: 'mask' }), trained: [['Yes.<|im_end|>']] },
    'a template that drops it from the history': {
      rows: two,
      config: config(forgetful),
      says: { 'history-rewritten': 'fail' },
    },
    'and the last answer trained alone': {
      rows: two,
      config: config(forgetful, { turns: 'last' }),
      trained: [['<think>\nIt is night.\n</think>\n\nNo.<|im_end|>']],
      says: { 'history-rewritten': 'info' },
    },
  },
} satisfies Failure
