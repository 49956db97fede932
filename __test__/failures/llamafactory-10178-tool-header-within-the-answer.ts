/** A template printed the tool's result in the iteration of the call, and its header was trained with the answer. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

/** Prints the call's result after it, under the call's name, in front of the words of the same message. */
const template = `{%- for m in messages -%}
{%- if m.role == 'user' -%}{{- '<|u|>' + m.content + '<|e|>' -}}
{%- elif m.role == 'assistant' -%}
{{- '<|a|>' -}}
{%- for c in m.tool_calls -%}
{{- '<|call>' + c.function.name + '<call|>' -}}
{{- '<|result>' + c.function.name + ': ' + messages[2].content + '<result|>' -}}
{%- endfor -%}
{{- m.content + '<|e|>' -}}
{%- endif -%}
{%- endfor -%}`
const call = { type: 'function', function: { name: 'clock', arguments: {} } }
const messages = [user('Time?'), assistant('It is noon.', { tool_calls: [call] }), { role: 'tool', content: 'NOON' }]
const markers = ['<|u|>', '<|a|>', '<|e|>', '<|call>', '<call|>', '<|result>', '<result|>']

export default {
  row: 'AB',
  wrong:
    "a tool's header, or the call's name printed again, is trained: the template prints it within the answer's iteration",
  threads: ['hiyouga/LlamaFactory#10178'],
  here: 'what is printed after the model has stopped belongs to what comes next',
  cases: {
    'the result between a call and the words after it': {
      rows: [{ messages }],
      config: {
        chat_template: 'jinja',
        chat_template_jinja: template,
        special_tokens: { additional_special_tokens: markers },
        lossmask: { route: 'content' },
      },
      trained: [['<|call>clock<call|>', 'It is noon.<|e|>']],
    },
  },
} satisfies Failure
