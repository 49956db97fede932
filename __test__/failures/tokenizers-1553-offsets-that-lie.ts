/** Offsets of characters that are split over tokens pointed beside the text, and masks moved with them. */
import assert from 'node:assert/strict'
import type { Failure, FailureCase } from '../helpers/failure.js'
import { assistant, user } from '../helpers/wholeRun.js'

const answers = [
  'Yes 🦊🏽‍🚀.',
  'e\u0301 and é',
  '日本語と中文',
  'a\r\nb\r\n',
  '\u0000 nul',
  '𝔘𝔫𝔦',
  '  two blanks',
  '\n\nnewlines first',
]

const answered = (answer: string): FailureCase => ({
  rows: [{ messages: [user('👩🏽‍🚀?'), assistant(answer)] }],
  check: ({ rows: [row] }) => {
    assert.equal(row?.status, 'certain')
    const last = (row?.turns.length ?? 0) - 1
    const untrained = row?.spans.filter(({ turn, trained }) => turn === last && !trained).map(({ kind }) => kind)
    // Only the header is not trained; a token in which its newline is fused with the answer's belongs to it.
    assert.deepEqual(untrained, ['header'])
  },
})

export default {
  row: 'T',
  wrong: 'offsets that lie',
  threads: ['huggingface/tokenizers#1553', 'huggingface/transformers#33675', '#47325'],
  here: 'spans from the tokens’ own bytes, proven by spelling the text; where that fails, `spans-unproven`',
  cases: Object.fromEntries(
    answers.map(answer => [`every byte of ${JSON.stringify(answer)} and nothing else`, answered(answer)]),
  ),
} satisfies Failure
