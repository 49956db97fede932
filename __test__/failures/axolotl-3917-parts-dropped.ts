/** Parts of other types than `text` vanished beside one that was text: calls, results, reasoning, refusals. */
import type { Failure } from '../helpers/failure.js'
import { CALLS } from '../helpers/toolCalls.js'
import { assistant, user } from '../helpers/wholeRun.js'

const THINKS = {
  chat_template: 'jinja',
  chat_template_jinja: CALLS.chat_template_jinja.replace(
    "'\\n' + ",
    "'\\n' + ('<think>' + m.reasoning_content + '</think>' if m.reasoning_content else '') + ",
  ),
}
const text = (type: string, key: string) => ({ type, [key]: 'HELLO' })
const texts = [
  text('text', 'text'),
  text('text', 'content'),
  text('text', 'value'),
  { type: 'text', text: { value: 'HELLO', annotations: [] } },
  text('output_text', 'text'),
  text('input_text', 'text'),
  text('refusal', 'refusal'),
  { text: 'HELLO' },
  'HELLO',
]

export default {
  row: 'Z',
  wrong: 'content parts are dropped beside a text part: tool_use, tool_result, thinking, refusal, output_text',
  threads: ['axolotl-ai-cloud/axolotl#3917', '#3974', 'castform-ai/benchmax#34'],
  here: 'read and turned into what they mean: text, `tool_calls`, tool messages, `reasoning_content`; any other type is refused by name',
  cases: {
    'every spelling of a text': {
      rows: texts.map((part, index) => ({
        messages: [user(`${index}?`), assistant([part, { type: 'text', text: ' you' }])],
      })),
      trained: texts.map(() => ['HELLO you<|im_end|>']),
    },
    'a refusal beside the content': {
      rows: [{ messages: [user('q'), { role: 'assistant', content: null, refusal: 'No.' }] }],
      trained: [['No.<|im_end|>']],
    },
    "an agent's work in Anthropic's parts": {
      rows: [
        {
          messages: [
            user('q'),
            assistant([
              { type: 'thinking', thinking: 'hm', signature: 's' },
              { type: 'text', text: 'Let me see.' },
              { type: 'tool_use', id: 't1', name: 'f', input: { a: 1.0 } },
            ]),
            user([
              { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '42' }] },
              { type: 'text', text: 'go on' },
            ]),
            assistant([{ type: 'text', text: 'yes' }]),
          ],
        },
      ],
      config: THINKS,
      trained: [['<think>hm</think>Let me see.<call>f {"a": 1}</call><|im_end|>', 'yes<|im_end|>']],
      check: ({ rows }) => {
        const whole = rows[0]?.tokens.join('') ?? ''
        if (!whole.includes('<|im_start|>tool\n42<|im_end|>\n<|im_start|>user\ngo on<|im_end|>')) throw new Error(whole)
      },
    },
    'a type that nobody knows': {
      rows: [
        {
          messages: [
            user('q'),
            assistant([
              { type: 'hologram', data: 'x' },
              { type: 'text', text: 'yes' },
            ]),
          ],
        },
      ],
      says: { 'rows-rejected': 'fail', 'unknown-part': 'fail' },
    },
  },
} satisfies Failure
