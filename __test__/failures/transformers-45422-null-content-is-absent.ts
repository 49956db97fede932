/** An answer of tool calls alone has `content: null` in OpenAI's exports: the word `None` was trained, or the template refused. */
import type { Failure } from '../helpers/failure.js'
import { user } from '../helpers/wholeRun.js'

const calls = [{ id: null, type: 'function', function: { name: 'f', arguments: { a: 1 } } }]
const template = (content: string) => ({
  chat_template: 'jinja',
  chat_template_jinja: `{% for m in messages %}<|im_start|>{{ m.role }}\n${content}{% for c in m.tool_calls or [] %}<call>{{ c.function.name }}</call>{% endfor %}<|im_end|>\n{% endfor %}`,
})
const answer = { role: 'assistant', content: null, name: null, tool_calls: calls }

export default {
  row: 'Y',
  wrong: '`content: null` beside tool calls trains the word None, or the template refuses',
  threads: ['huggingface/transformers#45422', 'PrimeIntellect-ai/renderers#131'],
  here: 'null is absent, as in axolotl and transformers 5.24',
  cases: {
    'a template that asks whether the key is there': {
      rows: [{ messages: [user('q'), answer] }],
      config: template("{% if 'content' in m %}{{ m.content }}{% endif %}{% if 'name' in m %}{{ m.name }}{% endif %}"),
      trained: [['<call>f</call><|im_end|>']],
    },
    'a template that prints it': {
      rows: [{ messages: [user('q'), answer] }],
      config: template('{{ m.content }}'),
      trained: [['<call>f</call><|im_end|>']],
    },
    'the same of a message with text': {
      rows: [
        { messages: [user('q'), { role: 'assistant', content: 'yes', tool_calls: null, reasoning_content: null }] },
      ],
      config: template("{{ m.content }}{% if 'reasoning_content' in m %}{{ m.reasoning_content }}{% endif %}"),
      trained: [['yes<|im_end|>']],
    },
  },
} satisfies Failure
