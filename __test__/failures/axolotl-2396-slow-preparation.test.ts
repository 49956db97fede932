/** Q: preparation that took hours and all of the memory. Speed is measured by the bench; here: any number of threads, the same rows. */
import { createHash } from 'node:crypto'
import test from 'ava'
import { assistant, runRows, user } from '../helpers/run.js'

const rows = Array.from({ length: 500 }, (_, index) => ({
  messages: [user(`Question ${index}?`), assistant(`Answer ${'word '.repeat(index % 40)}${index}.`)],
}))

test('rows are encoded on several threads and come out in their order', async t => {
  const digests = []
  for (const workers of [1, 4]) {
    const { report, rows: shown } = await runRows(rows, {}, { workers })
    t.is(report.rowsWritten, rows.length)
    digests.push(
      createHash('sha256')
        .update(JSON.stringify(shown.map(({ inputIds, labels }) => [inputIds, labels])))
        .digest('hex'),
    )
  }
  t.is(digests[0], digests[1])
})
