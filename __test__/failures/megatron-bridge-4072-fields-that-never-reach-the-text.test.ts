/** M: tool calls were dropped by a template that does not write them, and nobody noticed. */
import test from 'ava'
import { assistant, runRows, trained, user } from '../helpers/run.js'

const call = { type: 'function', function: { name: 'tide', arguments: '{"place": "harbour"}' } }
const row = {
  messages: [
    user('When is high tide?'),
    assistant('', { tool_calls: [call] }),
    { role: 'tool', content: 'noon' },
    assistant('At noon.'),
  ],
}
const silent = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"

test('a template that leaves the calls out is reported with the field', async t => {
  const { codes, report } = await runRows([row], { chat_template: 'jinja', chat_template_jinja: silent })
  t.true(codes.includes('field-not-rendered'))
  t.regex(report.diagnostics.find(({ code }) => code === 'field-not-rendered')?.message ?? '', /tool_calls/u)
})

test('the calls are trained, the tool’s answer is not', async t => {
  const { rows } = await runRows([row])
  t.deepEqual(trained(rows[0]), [
    '<tool_call>{"name": "tide", "arguments": {"place": "harbour"}}</tool_call><|im_end|>',
    'At noon.<|im_end|>',
  ])
})
