/** H: truncation cut the answer away, or left labels and ids of different length. */
import test from 'ava'
import { assistant, runRows, user } from '../helpers/run.js'

const long = {
  messages: [user('Tell me of the harbour.'), assistant('The lighthouse shows ships the coast. '.repeat(20))],
}
const short = { messages: [user('Ok?'), assistant('Yes.')] }

test('drop: the row is left out and counted', async t => {
  const { report } = await runRows([long, short], { sequence_len: 40 })
  t.deepEqual(report.dropped, { 'too-long': 1 })
  t.is(report.rowsWritten, 1)
})

test('truncate: ids, labels and spans are cut together, and what is lost is counted', async t => {
  const { report, rows, audit } = await runRows([long, short], {
    sequence_len: 40,
    excess_length_strategy: 'truncate',
  })
  t.is(rows[0]?.inputIds.length, 40)
  t.is(rows[0]?.labels.length, 40)
  t.is(rows[0]?.spans.at(-1)?.end, 40)
  t.is(report.truncation.rows, 1)
  t.true(report.truncation.trainedTokens > 0)
  t.is(audit.findings.find(({ code }) => code === 'truncated-trained-tokens')?.verdict, 'fail')
  t.false(rows[0]?.turns.at(-1)?.terminated)
})

test('raise: the row is refused', async t => {
  const { report } = await runRows([long, short], { sequence_len: 40, excess_length_strategy: 'raise' })
  t.deepEqual(report.rejected, { 'row-too-long': 1 })
})
