/** G: only the last turn was trained where all were wanted, or all where only the last was. */
import test from 'ava'
import { assistant, runRows, trained, user } from '../helpers/run.js'

const row = { messages: [user('One?'), assistant('First.'), user('Two?'), assistant('Second.')] }

test('turns: all', async t => {
  const { rows } = await runRows([row])
  t.deepEqual(trained(rows[0]), ['First.<|im_end|>', 'Second.<|im_end|>'])
})

test('turns: last', async t => {
  const { rows } = await runRows([row], { lossmask: { turns: 'last' } })
  t.deepEqual(trained(rows[0]), ['Second.<|im_end|>'])
})

test('the rows of test_datasets are masked by the same rule', async t => {
  const { report } = await runRows([row], { lossmask: { turns: 'last' }, val_set_size: 0 })
  t.is(report.roles.assistant?.trainedTurns, 1)
})
