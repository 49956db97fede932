/** P: the template wrote a BOS token and the tokenizer another. */
import test from 'ava'
import { assistant, runRows, user } from '../helpers/run.js'

const once = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
const row = { messages: [user('Is it open?'), assistant('Yes.')] }
const special_tokens = { bos_token: '<|endoftext|>' }

test('the tokenizer adds none: a template’s BOS stands once', async t => {
  const template = `<|endoftext|>${once}`
  const { rows, codes } = await runRows([row], {
    special_tokens,
    chat_template: 'jinja',
    chat_template_jinja: template,
  })
  t.is(rows[0]?.tokens.filter(token => token === '<|endoftext|>').length, 1)
  t.false(codes.includes('double-bos'))
})

test('two in the template are reported', async t => {
  const template = `<|endoftext|><|endoftext|>${once}`
  const { codes } = await runRows([row], { special_tokens, chat_template: 'jinja', chat_template_jinja: template })
  t.true(codes.includes('double-bos'))
})
