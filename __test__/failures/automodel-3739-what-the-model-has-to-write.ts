/** A block that the generation prompt does not hold was masked everywhere, and the model never learnt to write it. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const template = `{%- for m in messages -%}
{{- '<|im_start|>' + m.role + '\\n' -}}
{%- if m.role == 'assistant' -%}{{- '<think></think>' -}}{%- endif -%}
{{- m.content + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}`
const config = (scaffold: string) => ({
  chat_template: 'jinja',
  chat_template_jinja: template,
  lossmask: { route: 'content', scaffold },
})
const rows = [{ messages: [user('q'), assistant('hello there')] }]

export default {
  row: 'AG',
  wrong: 'a template-made block is trained, or one that the model has to write is not',
  threads: ['NVIDIA-NeMo/Automodel#3739', 'ml-explore/mlx-lm#1355', 'allenai/open-instruct#1885'],
  here: '`scaffold: template` keeps it out whatever its tags, `generation-prompt` trains all that the generation prompt does not hold',
  cases: {
    'the template wrote it': { rows, config: config('template'), trained: [['hello there<|im_end|>']] },
    'the model has to write it': {
      rows,
      config: config('generation-prompt'),
      trained: [['<think></think>hello there<|im_end|>']],
    },
  },
} satisfies Failure
