/** Tool calls were dropped by a template that does not write them, and nobody noticed. */
import type { Failure } from '../helpers/failure.js'
import { assistant, CHATML, user } from '../helpers/wholeRun.js'

const call = { type: 'function', function: { name: 'tide', arguments: '{"place": "harbour"}' } }
const rows = [
  {
    messages: [
      user('When is high tide?'),
      assistant('', { tool_calls: [call] }),
      { role: 'tool', content: 'noon' },
      assistant('At noon.'),
    ],
  },
]
const silent = { chat_template: 'jinja', chat_template_jinja: CHATML }

export default {
  row: 'M',
  wrong: 'tool calls are dropped, and fields of the row with them',
  threads: ['NVIDIA-NeMo/Megatron-Bridge#4072', 'axolotl-ai-cloud/axolotl#3824'],
  here: 'a field that is in the data and not in the text is reported with its path',
  cases: {
    'the calls are trained, the tool’s answer is not': {
      rows,
      trained: [
        ['<tool_call>{"name": "tide", "arguments": {"place": "harbour"}}</tool_call><|im_end|>', 'At noon.<|im_end|>'],
      ],
    },
    'a template that leaves the calls out': { rows, config: silent, says: { 'field-not-rendered': 'fail' } },
    'a template that leaves the tools out': {
      rows: [{ messages: [user('One?'), assistant('First.')], tools: [call] }],
      config: silent,
      says: { 'field-not-rendered': 'fail' },
    },
    'a template that leaves reasoning out': {
      rows: [{ messages: [user('One?'), assistant('First.', { thinking: 'It is the first.' })] }],
      config: silent,
      says: { 'field-not-rendered': 'fail' },
    },
  },
} satisfies Failure
