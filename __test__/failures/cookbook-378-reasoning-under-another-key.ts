/** Reasoning under a key that the template does not read was left out of the text. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const template = (key: string) => ({
  chat_template: 'jinja',
  chat_template_jinja: `{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.${key} %}<think>{{ m.${key} }}</think>{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}`,
})
const reasonings = [
  { reasoning: 'two and two' },
  { thinking: 'two and two' },
  { reasoning_content: 'two and two' },
  { reasoning_content: null, reasoning: 'two and two' },
  { reasoning_content: [{ type: 'text', text: 'two and two' }] },
]
const rows = reasonings.map((reasoning, index) => ({ messages: [user(`${index}?`), assistant('four', reasoning)] }))
const trained = rows.map(() => ['<think>two and two</think>four<|im_end|>'])

export default {
  row: 'AJ',
  wrong: '`reasoning` and `thinking` keys are not what the template reads',
  threads: ['fw-ai/cookbook#378'],
  here: 'aliases, as in `_alias_reasoning_fields` of transformers 5.24',
  cases: {
    'a template that reads reasoning_content': { rows, config: template('reasoning_content'), trained },
    'a template that reads thinking': { rows, config: template('thinking'), trained },
  },
} satisfies Failure
