/** R: nobody could see what a mask does before it ruined a run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { rowText } from '../../src/cli/rowText.js'
import { paintFor } from '../../src/cli/terminal.js'
import { flowText } from '../../src/inspect/flow.js'
import { Prepared } from '../../src/inspect/prepared.js'
import { assistant, runRows, user } from '../helpers/run.js'

const plain = paintFor({})

test('each row of a prepared folder is shown with what is trained and why', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'lossmask-shown-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const dir = join(folder, 'prepared')
  await runRows([{ messages: [user('Is it open?'), assistant('Yes.')] }], {}, { output: { dir } })
  const [row] = await new Prepared(dir).rows('train', [0])
  if (row === undefined) return t.fail('the row is not there')

  t.regex(flowText(row, plain), /assistant {2}<\|im_start\|>assistant\n +\[Yes\.<\|im_end\|>\]/u)
  t.regex(rowText(row, plain), /Count of labels: \d+/u)
  const answer = row.spans.find(({ kind, trained }) => kind === 'content' && trained)
  t.is(answer?.reason, 'role')
  t.is(row.spans.find(({ kind }) => kind === 'header')?.reason, 'role-not-trained')
})
