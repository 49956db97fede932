/** K: a template without `{% generation %}` gave an all-zero mask. */
import test from 'ava'
import { assistant, runRows, trained, user } from '../helpers/run.js'

const template =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
const row = { messages: [user('Is it open?'), assistant('Yes.')] }

test('the generation route says that the template has none', async t => {
  const run = runRows([row], {
    chat_template: 'jinja',
    chat_template_jinja: template,
    lossmask: { route: 'generation' },
  })
  const error = await t.throwsAsync(run)
  t.is((error as { code?: string }).code, 'no-generation-tags')
})

test('auto takes the routes that apply', async t => {
  const { rows } = await runRows([row], { chat_template: 'jinja', chat_template_jinja: template })
  t.deepEqual(trained(rows[0]), ['Yes.<|im_end|>'])
  t.is(rows[0]?.status, 'certain')
})
