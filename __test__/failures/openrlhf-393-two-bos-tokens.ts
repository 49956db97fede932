/** The template wrote a BOS token and the tokenizer another. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, CHATML, user } from '../helpers/wholeRun.js'

const rows = [{ messages: [user('Is it open?'), assistant('Yes.')] }]
const template = (bos: string) => ({
  special_tokens: { bos_token: '<|endoftext|>' },
  chat_template: 'jinja',
  chat_template_jinja: `${bos}${CHATML}`,
})

export default {
  row: 'P',
  wrong: 'two BOS tokens',
  threads: ['OpenRLHF/OpenRLHF#393', 'NVIDIA-NeMo/RL#855'],
  here: 'the tokenizer adds none: the template writes it; two are reported',
  cases: {
    'a template’s BOS stands once': {
      rows,
      config: template('{{ bos_token }}'),
      trained: [['Yes.<|im_end|>']],
      silent: ['double-bos'],
      check: ({ rows: [row] }) => assert.equal(row?.tokens.filter(token => token === '<|endoftext|>').length, 1),
    },
    'two in the template': { rows, config: template('{{ bos_token }}<|endoftext|>'), says: { 'double-bos': 'fail' } },
    'two in segments': {
      rows: [
        {
          segments: [
            { label: false, text: '<|endoftext|>' },
            { label: false, text: '<|endoftext|>Is it open? ' },
            { label: true, text: 'Yes.<|im_end|>' },
          ],
        },
      ],
      dataset: { type: 'input_output' },
      says: { 'double-bos': 'fail' },
    },
  },
} satisfies Failure
