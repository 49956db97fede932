/** The template printed an answer's end with the next message, or after the loop, and it was never trained. */
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('one'), assistant('first'), user('two'), assistant('second')] }]
const config = (source: string, tokens: object = {}) => ({
  chat_template: 'jinja',
  chat_template_jinja: source,
  special_tokens: { additional_special_tokens: ['<|u|>', '<|a|>'], ...tokens },
  lossmask: { route: 'content' },
})
const next = `{% for m in messages %}{% if m.role == 'user' %}{% if not loop.first %}<|ae|>{% endif %}<|u|>{{ m.content }}{% else %}<|a|>{{ m.content }}{% endif %}{% endfor %}<|ae|>`
const none = `{% for m in messages %}{% if m.role == 'user' %}<|u|>{{ m.content }}{% else %}<|a|>{{ m.content }}{% endif %}{% endfor %}`

export default {
  row: 'AA',
  wrong: 'the stop is printed with the next message or after the loop, and never trained',
  threads: ['huggingface/trl#7230', 'NVIDIA-NeMo/Megatron-Bridge#4265'],
  here: 'what follows every answer up to the next header is its end, wherever the template prints it; without one the audit fails',
  cases: {
    'an EOS token with the next message': {
      rows,
      config: config(next, { eos_token: '<|ae|>' }),
      trained: [['first<|ae|>', 'second<|ae|>']],
    },
    'a text that nobody names': { rows, config: config(next), trained: [['first<|ae|>', 'second<|ae|>']] },
    'an EOS token after the last answer alone': {
      rows,
      config: config(`${none}{{ eos_token }}`),
      trained: [['first', 'second<|im_end|>']],
    },
    'no end at all': { rows, config: config(none), says: { 'end-not-trained': 'fail' } },
  },
} satisfies Failure
