/** N: labels were shifted once by the data pipeline and once more by the model. */
import test from 'ava'
import { assistant, runRows, user } from '../helpers/run.js'

test('labels are unshifted: each is the id at its own place, or -100', async t => {
  const { rows } = await runRows([{ messages: [user('Is it open?'), assistant('Yes, all day.')] }])
  const [row] = rows
  t.is(row?.labels.length, row?.inputIds.length)
  row?.labels.forEach((label, at) => {
    t.true(label === -100 || label === row.inputIds[at])
  })
  const trained = row?.tokens.filter((_, at) => row.labels[at] !== -100).join('')
  t.is(trained, 'Yes, all day.<|im_end|>')
})
