/** A: rows whose labels are all -100 went through training in silence, and the loss was 0 or NaN. */
import test from 'ava'
import { assistant, runRows, user } from '../helpers/run.js'

const talk = { messages: [user('Is the ferry late?'), assistant('No.')] }
const monologue = { messages: [user('Is the ferry late?'), user('Hello?')] }

test('they are counted, the first is named, and the audit fails', async t => {
  const { report, audit } = await runRows([talk, monologue, monologue])
  t.is(report.rowsWithoutTrainedTokens, 2)
  t.true(audit.failed)
  const finding = audit.findings.find(({ code }) => code === 'no-trained-token')
  t.like(finding, { verdict: 'fail', count: 2, of: 3 })
  t.is(finding?.first?.line, 2)
})

test('a share of them passes where the config says so', async t => {
  const { audit } = await runRows([talk, talk, monologue], { lossmask: { audit: { 'no-trained-token': 0.5 } } })
  t.is(audit.findings.find(({ code }) => code === 'no-trained-token')?.verdict, 'pass')
})
