/** A template without `{% generation %}` gave an all-zero mask; one that was edited by hand marked the wrong text. */
import type { Failure } from '../helpers/failure.js'
import { assistant, CHATML, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('Is it open?'), assistant('Yes.')] }]
const jinja = (source: string) => ({ chat_template: 'jinja', chat_template_jinja: source })
const misplaced =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' }}{% if m.role == 'user' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{{ '<|im_end|>\\n' }}{% endfor %}"

export default {
  row: 'K',
  wrong: 'a template without generation tags, or with wrong ones',
  threads: ['huggingface/trl#4879', '#5471', 'mitsuhiko/minijinja#815'],
  here: 'the generation route refuses it; `auto` takes the routes that apply, and checks one against the other',
  cases: {
    'the generation route': {
      rows,
      config: { ...jinja(CHATML), lossmask: { route: 'generation' } },
      says: { 'no-generation-tags': 'refused' },
    },
    auto: { rows, config: jinja(CHATML), trained: [['Yes.<|im_end|>']] },
    'tags around the question': { rows, config: jinja(misplaced), says: { 'routes-differ': 'fail' } },
  },
} satisfies Failure
