/** Tools that are texts of JSON were printed as escaped strings in the prompt; calls in older shapes were lost. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { CALLS, inTools } from '../helpers/toolCalls.js'
import type { Preprocessed } from '../helpers/wholeRun.js'

const tool = { type: 'function', function: { name: 'f', description: '', parameters: { type: 'object' } } }
const row = (more: object) => inTools('{"a": 1}', `, ${JSON.stringify(more).slice(1, -1)}`)
const prints =
  (text: string | undefined) =>
  ({ rows }: Preprocessed) => {
    for (const { tokens } of rows) {
      const begin = text === undefined ? '<|im_start|>user' : `<|im_start|>system\n${text}<|im_end|>`
      assert.ok(tokens.join('').startsWith(begin), tokens.join(''))
    }
  }
const json = '[{"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}]'
const call = (more: object) => ({
  messages: [
    { role: 'user', content: 'q' },
    { role: 'assistant', content: null, ...more },
  ],
})
/** Prints arguments that are a string as they are. */
const AS_TEXT = {
  chat_template: 'jinja',
  chat_template_jinja: CALLS.chat_template_jinja.replace(
    'c.function.arguments | tojson',
    'c.function.arguments if c.function.arguments is string else c.function.arguments | tojson',
  ),
}
/** Adds strings, as DeepSeek's templates do, and asks whether the content is null. */
const CONCATENATES = {
  chat_template: 'jinja',
  chat_template_jinja:
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}{% for c in m.tool_calls or [] %}{% if m.content is none %}{{ '<call>' + c.function.name + ' ' + c.function.arguments + '</call>' }}{% else %}{{ m.content + '<call>' + c.function.name + ' ' + c.function.arguments + '</call>' }}{% endif %}{% else %}{{ m.content }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}",
}

export default {
  row: 'AF',
  wrong: '`tools` as JSON texts print an escaped string in the prompt; old and unwrapped calls are lost',
  threads: ['PrimeIntellect-ai/prime-rl#885'],
  here: 'parsed or refused; `functions`, `function_call` and the role `function` are read; `lossmask.arguments` says whether texts of JSON are printed anew',
  cases: {
    'tools in texts': {
      rows: [
        row({ tools: [JSON.stringify(tool)] }),
        row({ tools: JSON.stringify([tool]) }),
        row({ functions: [tool.function] }),
      ],
      config: { ...CALLS, lossmask: { audit: { 'duplicate-rows': 1 } } },
      check: prints(json),
    },
    'no tools': {
      rows: [row({ tools: '' }), row({ tools: [] })],
      config: { ...CALLS, lossmask: { audit: { 'duplicate-rows': 1 } } },
      check: prints(undefined),
    },
    'tools that are no JSON': {
      rows: [row({ tools: ['f(a)'] })],
      config: CALLS,
      says: { 'rows-rejected': 'fail', 'invalid-json': 'fail' },
    },
    'a call of the old API, and its result': {
      rows: [
        {
          messages: [
            { role: 'user', content: 'q' },
            { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a": 1}' } },
            { role: 'function', name: 'f', content: '42' },
            { role: 'assistant', content: 'yes' },
          ],
        },
      ],
      config: CALLS,
      trained: [['<call>f {"a": 1}</call><|im_end|>', 'yes<|im_end|>']],
    },
    'arguments that are empty, and without the wrapper': {
      rows: [
        call({ tool_calls: [{ function: { name: 'f', arguments: '' } }] }),
        call({ tool_calls: '[{"function": {"name": "f", "arguments": "{\\"a\\":1}"}}]' }),
      ],
      config: CALLS,
      trained: [['<call>f {}</call><|im_end|>'], ['<call>f {"a": 1}</call><|im_end|>']],
    },
    'arguments: parse, the default': {
      rows: [inTools(JSON.stringify('{"a":1}'))],
      config: AS_TEXT,
      trained: [['<call>f {"a": 1}</call><|im_end|>']],
    },
    'arguments: keep': {
      rows: [inTools(JSON.stringify('{"a":1}'))],
      config: { ...AS_TEXT, lossmask: { arguments: 'keep' } },
      trained: [['<call>f {"a":1}</call><|im_end|>']],
    },
    'a template that adds strings': {
      rows: [
        call({ tool_calls: [{ function: { name: 'f', arguments: '{"a":1}' } }] }),
        call({ tool_calls: [{ function: { name: 'f', arguments: { a: 2 } } }] }),
      ],
      config: CONCATENATES,
      trained: [['<call>f {"a":1}</call><|im_end|>'], ['<call>f {"a": 2}</call><|im_end|>']],
    },
  },
} satisfies Failure
