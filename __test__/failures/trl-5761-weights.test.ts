/** S: only yes or no, where a message should weigh less. */
import test from 'ava'
import { assistant, runRows, trained, user } from '../helpers/run.js'

test('a message with weight 0 is not trained, one of weight 0.5 weighs half', async t => {
  const { rows } = await runRows([
    {
      messages: [user('One?'), assistant('First.', { weight: 0 }), user('Two?'), assistant('Second.', { weight: 0.5 })],
    },
  ])
  t.deepEqual(trained(rows[0]), ['Second.<|im_end|>'])
  const weights = rows[0]?.weights?.filter(weight => weight > 0)
  t.true((weights?.length ?? 0) > 0)
  t.true(weights?.every(weight => weight === 0.5))
})

test('a role weighs what the config says', async t => {
  const { rows } = await runRows([{ messages: [user('One?'), assistant('First.')] }], {
    lossmask: { weights: { assistant: 0.25 } },
  })
  t.true(rows[0]?.weights?.every(weight => weight === 0 || weight === 0.25))
})
