/** L: reasoning vanished from history, and a template's empty think block was trained. */
import test from 'ava'
import { assistant, runRows, trained, user } from '../helpers/run.js'

/** Writes an empty block where an answer has no reasoning, as several families do. */
const template = `{%- for m in messages -%}
{{- '<|im_start|>' + m.role + '\\n' -}}
{%- if m.role == 'assistant' -%}
{%- if m.reasoning_content -%}{{- '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' -}}
{%- else -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}
{%- endif -%}
{{- m.content + '<|im_end|>\\n' -}}
{%- endfor -%}`
const config = { chat_template: 'jinja', chat_template_jinja: template }
const plain = { messages: [user('Is it open?'), assistant('Yes.')] }
const thought = { messages: [user('Is it open?'), assistant('Yes.', { reasoning_content: 'It is noon.' })] }

test('an empty think block is the template’s, not the model’s', async t => {
  const { rows } = await runRows([plain], { ...config, lossmask: { route: 'content' } })
  t.deepEqual(trained(rows[0]), ['Yes.<|im_end|>'])
})

test('reasoning is trained with its tags, or masked', async t => {
  const kept = await runRows([thought], { ...config, lossmask: { route: 'content' } })
  t.deepEqual(trained(kept.rows[0]), ['<think>\nIt is noon.\n</think>\n\nYes.<|im_end|>'])
  const masked = await runRows([thought], { ...config, lossmask: { route: 'content', reasoning: 'mask' } })
  t.deepEqual(trained(masked.rows[0]), ['Yes.<|im_end|>'])
})
