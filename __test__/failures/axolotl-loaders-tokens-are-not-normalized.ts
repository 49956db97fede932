/** Tokens that a config adds were looked for in the normalized text: behind a normalizer that prepends, later ones broke into pieces. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const template = {
  chat_template: 'jinja',
  chat_template_jinja: '{% for m in messages %}<|m|>{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}',
  lossmask: { route: 'content' },
}
const rows = [{ messages: [user('q'), assistant('yes'), user('q'), assistant('no')] }]
const whole = (count: number) => ({
  check: ({ rows }: { rows: readonly { tokens: readonly string[] }[] }) =>
    assert.equal(rows[0]?.tokens.filter(token => token === '<|m|>').length, count),
})

export default {
  row: 'AK',
  wrong: 'added tokens are matched on normalized text, and later markers break into pieces',
  threads: ['axolotl `loaders/tokenizer.py` (`normalized=False`)'],
  here: 'added as axolotl and transformers add them',
  cases: Object.fromEntries(
    Object.entries({
      tokens: { tokens: ['<|m|>'] },
      additional_special_tokens: { special_tokens: { additional_special_tokens: ['<|m|>'] } },
    }).map(([name, keys]) => [
      name,
      {
        rows,
        model: { files: { 'tokenizer.json': { normalizer: { type: 'Prepend', prepend: '▁' } } } },
        config: { ...template, ...keys },
        ...whole(4),
      },
    ]),
  ),
} satisfies Failure
