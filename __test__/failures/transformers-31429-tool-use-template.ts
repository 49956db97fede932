/** A model with the templates `default` and `tool_use` was rendered by the first, which leaves calls out. */
import type { Failure } from '../helpers/failure.js'
import { CALLS, inTools } from '../helpers/toolCalls.js'
import { CHATML } from '../helpers/wholeRun.js'

const tools = ', "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]'
const rows = [
  inTools('{"a": 1}', tools),
  {
    messages: [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'yes' },
    ],
  },
]
const plain = CHATML.replace("'<|im_end|>\\n'", "'!<|im_end|>\\n'")
const list = (names: Record<string, string>) => ({
  files: {
    'chat_template.jinja': null,
    'tokenizer_config.json': { chat_template: Object.entries(names).map(([name, template]) => ({ name, template })) },
  },
})
const both = { default: plain, tool_use: CALLS.chat_template_jinja }
const trained = [['<call>f {"a": 1}</call><|im_end|>'], ['yes!<|im_end|>']]

export default {
  row: 'AH',
  wrong: '`{default, tool_use}`: the wrong template is used, and calls are lost',
  threads: ['huggingface/transformers#31429'],
  here: '`tool_use` for rows with tools, as in transformers; `lossmask.template` picks any by name',
  cases: {
    'a list of both': { rows, model: list(both), trained },
    'a file for rows with tools': {
      rows,
      model: {
        files: { 'chat_template.jinja': plain, 'additional_chat_templates/tool_use.jinja': CALLS.chat_template_jinja },
      },
      trained,
    },
    'only tool_use': {
      rows,
      model: list({ tool_use: CALLS.chat_template_jinja }),
      trained: [['<call>f {"a": 1}</call><|im_end|>'], ['yes<|im_end|>']],
    },
    'one by its name': {
      rows: rows.slice(1),
      model: list({ ...both, rag: CHATML.replace("'<|im_end|>\\n'", "'?<|im_end|>\\n'") }),
      config: { lossmask: { template: 'rag' } },
      trained: [['yes?<|im_end|>']],
    },
    'a name that the model does not have': {
      rows,
      model: list(both),
      config: { lossmask: { template: 'rag' } },
      says: { 'template-unknown': 'refused' },
    },
  },
} satisfies Failure
