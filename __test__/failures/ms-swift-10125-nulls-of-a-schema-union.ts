/** `datasets` gives every row the keys of all rows; the nulls that it fills in were rendered and trained. */
import type { Failure } from '../helpers/failure.js'
import { CALLS, inTools } from '../helpers/toolCalls.js'

const tools =
  ', "tools": [{"type": "function", "function": {"name": "f", "strict": null, "parameters": {"a": {"type": "string", "enum": null}}}}]'
const rows = [inTools('{"a": 1, "b": null, "c": {"d": null}, "list": [null, 2]}', tools)]

export default {
  row: 'AC',
  wrong: 'nulls of a schema union in tools and arguments are rendered and trained',
  threads: ['modelscope/ms-swift#10125'],
  here: 'dropped as axolotl does, and counted; `lossmask.nulls: keep` keeps them',
  cases: {
    'they are dropped; those in lists stay': {
      rows,
      config: CALLS,
      trained: [['<call>f {"a": 1, "c": {}, "list": [null, 2]}</call><|im_end|>']],
      says: { 'nulls-dropped': 'info' },
    },
    'nulls: keep': {
      rows,
      config: { ...CALLS, lossmask: { nulls: 'keep' } },
      trained: [['<call>f {"a": 1, "b": null, "c": {"d": null}, "list": [null, 2]}</call><|im_end|>']],
    },
    'a null that somebody wrote into a text of JSON': {
      rows: [inTools(JSON.stringify('{"a": null}'))],
      config: CALLS,
      trained: [['<call>f {"a": null}</call><|im_end|>']],
    },
  },
} satisfies Failure
