/** A float of 17 digits lost its last one, `1.0` became `1`, a long integer a float, on the way from the file to the template. */
import assert from 'node:assert/strict'
import { loadConfig, Pipeline } from '../../src/index.js'
import type { Failure } from '../helpers/failure.js'
import { SMALL_MODEL } from '../helpers/smallModel.js'
import { CALLS, inTools } from '../helpers/toolCalls.js'

const numbers: readonly (readonly [json: string, printed: string])[] = [
  ['53.630839129292724', '53.630839129292724'],
  ['-101.97727183301467', '-101.97727183301467'],
  ['1.0', '1.0'],
  ['1e16', '1e+16'],
  ['1e-5', '1e-05'],
  ['-0', '0'],
  ['-0.0', '-0.0'],
  ['5e-324', '5e-324'],
  ['18446744073709551616', '18446744073709551616'],
  ['1000000000000000000000000000000000000000000000001', '1000000000000000000000000000000000000000000000001'],
  ['NaN', 'NaN'],
  ['-Infinity', '-Infinity'],
  ['1e999', 'Infinity'],
]

const json = `{${numbers.map(([json], index) => `"n${index}": ${json}`).join(', ')}}`
const printed = `{${numbers.map(([, printed], index) => `"n${index}": ${printed}`).join(', ')}}`
const trained = [[`<call>f ${printed}</call><|im_end|>`]]

export default {
  row: 'X',
  wrong: 'numbers are rewritten on their way: 17-digit floats, 1.0, integers beyond 64 bits',
  threads: ['modelscope/ms-swift#10216', 'huggingface/datasets#8652', '#8365'],
  here: "printed as Python prints what `json.loads` reads, in rows, tools and arguments; `pipeline.encodeJson` for rows in JavaScript's memory",
  cases: {
    'arguments that are an object': { rows: [inTools(json)], config: CALLS, trained },
    'arguments that are a text': { rows: [inTools(JSON.stringify(json))], config: CALLS, trained },
    'an integer that Python does not read either': {
      rows: [inTools(`{"n": ${'9'.repeat(4301)}}`)],
      config: CALLS,
      says: { 'rows-rejected': 'fail' },
      check: ({ issues }) => assert.equal(issues[0]?.code, 'invalid-json'),
    },
    'a row in memory': async () => {
      const config = await loadConfig({ base_model: SMALL_MODEL, ...CALLS })
      const pipeline = await Pipeline.fromConfig(config)
      for (const row of [inTools(json), Buffer.from(inTools(json))]) {
        const { tokens } = await pipeline.encodeJson(row)
        assert.ok(tokens.join('').includes(printed))
      }
      await assert.rejects(pipeline.encodeJson('{"messages": [1.]}'), { code: 'invalid-json' })
      await assert.rejects(pipeline.encodeJson(Uint8Array.of(0x7b, 0xff)), { code: 'invalid-utf8' })
      return '`encodeJson` keeps them'
    },
  },
} satisfies Failure
