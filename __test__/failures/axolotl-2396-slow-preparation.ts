/** Preparation took hours and all of the memory. Speed is measured by `npm run bench`; here: any number of threads, the same rows. */
import assert from 'node:assert/strict'
import type { Failure } from '../helpers/failure.js'
import { assistant, preprocessRun, user } from '../helpers/wholeRun.js'

const rows = Array.from({ length: 500 }, (_, index) => ({
  messages: [user(`Question ${index}?`), assistant(`Answer ${'word '.repeat(index % 40)}${index}.`)],
}))

export default {
  row: 'Q',
  wrong: 'slow preparation',
  threads: ['axolotl-ai-cloud/axolotl#2396', '#2684', '#3750'],
  here: 'parallel, streaming, in order, in bounded memory',
  cases: {
    'rows are encoded on several threads and come out in their order': async () => {
      const [one, four] = await Promise.all(
        [1, 4].map(workers => preprocessRun({ rows, config: { dataset_num_proc: workers } })),
      )
      assert.equal(one?.rows.length, rows.length)
      assert.deepEqual(
        one?.rows.map(({ inputIds, labels }) => [inputIds, labels]),
        four?.rows.map(({ inputIds, labels }) => [inputIds, labels]),
      )
      return 'the same 500 rows from one thread and from four'
    },
  },
} satisfies Failure
