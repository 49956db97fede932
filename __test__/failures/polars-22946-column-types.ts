/** A DECIMAL weight was read as null, and so trained; a string without its annotation as base64. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Failure } from '../helpers/failure.js'
import { CALLS } from '../helpers/toolCalls.js'

/** Files that pyarrow wrote: `__test__/columns/write.py`. */
const file = (name: string) => ({
  rows: [],
  files: { [`${name}.parquet`]: readFileSync(new URL(`../columns/${name}.parquet`, import.meta.url)) },
  dataset: { path: `${name}.parquet` },
})

export default {
  row: 'AD',
  wrong: 'Parquet DECIMAL weight is read as null (trained), BINARY content as base64 (trained)',
  threads: ['duckdb/duckdb#14953', 'pola-rs/polars#22946'],
  here: 'each type as `datasets` reads it, or refused by its name and path',
  cases: {
    'a weight that is a decimal': { ...file('decimal'), trained: [['good<|im_end|>']] },
    'text in a column of bytes': { ...file('binary'), trained: [['HELLO<|im_end|>']] },
    'a moment, as Python prints it': { ...file('timestamp'), trained: [['2024-01-15 01:02:03.004000<|im_end|>']] },
    'a view of a string': { ...file('views'), trained: [['view<|im_end|>']] },
    'a dictionary': { ...file('dictionary'), trained: [['dictionary<|im_end|>']] },
    'tools of the type JSON': {
      ...file('json'),
      config: CALLS,
      check: ({ rows }) => assert.match(rows[0]?.tokens.join('') ?? '', /"name": "f", "default": 1\.0\}/),
    },
    'a type that no conversation has': {
      ...file('duration'),
      check: ({ code, issues }) => {
        assert.equal(code, 1)
        assert.deepEqual([issues[0]?.code, issues[0]?.path], ['unsupported-column', 'messages[0].content'])
      },
      says: { 'rows-rejected': 'fail', 'unsupported-column': 'fail' },
    },
  },
} satisfies Failure
