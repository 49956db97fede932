/** T: offsets of characters that are split over tokens pointed beside the text, and masks moved with them. */
import test from 'ava'
import { assistant, runRows, user } from '../helpers/run.js'

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

for (const answer of answers) {
  test(`every byte of ${JSON.stringify(answer)} and nothing else is trained`, async t => {
    const { rows } = await runRows([{ messages: [user('👩🏽‍🚀?'), assistant(answer)] }])
    const [row] = rows
    const turn = row?.turns.at(-1)
    t.is(row?.status, 'certain')
    const untrained = row?.spans.filter(({ turn: of, trained }) => of === (row.turns.length ?? 0) - 1 && !trained) ?? []
    // Only the header is not trained; a token in which its newline is fused with the answer's belongs to it.
    t.deepEqual(
      untrained.map(({ kind }) => kind),
      ['header'],
    )
    t.true(turn?.trained)
  })
}
