/** J: packed rows saw each other: no position ids, and the first token of a row was a label of the one before it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Prepared } from '../../src/inspect/prepared.js'
import { assistant, runRows, user } from '../helpers/run.js'

const row = (word: string) => ({ messages: [user(`Say ${word}.`), assistant(word)] })

test('the first label of each packed row is -100, and every other token keeps its own', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'lossmask-packed-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const dir = join(folder, 'prepared')
  const rows = ['one', 'two', 'three'].map(row)
  const config = { sequence_len: 200, sample_packing: true, train_on_inputs: true }
  const { report } = await runRows(rows, config, { output: { dir } })
  t.like(report.packing, { sequences: 1, rows: 3 })

  const [packed] = await new Prepared(dir).rows('train', [0])
  t.is(packed?.sources.length, 3)
  const masked = packed?.labels.flatMap((label, at) => (label === -100 ? [at] : [])) ?? []
  t.deepEqual(
    masked.map(at => packed?.tokens.slice(at, at + 2)),
    rows.map(() => ['<|im_start|>', 'user']),
  )
})
