/** An answer that begins with newlines shares a token with its header: the marker was not found and the turn left the loss. */
import assert from 'node:assert/strict'
import { Masker } from '../../src/masker.js'
import type { Failure, FailureCase } from '../helpers/failure.js'
import { trainedTexts as idsTrained, smallTokenizer } from '../helpers/smallModel.js'
import { assistant, trainedTexts, user } from '../helpers/wholeRun.js'

const header = '<|im_start|>assistant\n'

const led = (lead: string, route: string): FailureCase => ({
  rows: [{ messages: [user('A list.'), assistant(`${lead}- one\n- two`)] }],
  config: { lossmask: { route } },
  check: ({ rows }) => {
    const [trained = '', ...more] = rows.flatMap(trainedTexts)
    assert.deepEqual(more, [])
    assert.equal(trained.trimStart(), '- one\n- two<|im_end|>')
    // The token that holds the header's newline holds at least one of the answer's too.
    assert.ok(trained.length - trained.trimStart().length <= Math.max(0, lead.length - 1))
  },
})

export default {
  row: 'V',
  wrong: 'an answer that begins with a newline is lost',
  threads: ['seen with the vocabularies of Qwen, Llama 3 and Gemma 3'],
  here: 'a start is its core and what may follow; the fused token is header, the answer is trained',
  cases: {
    ...Object.fromEntries(
      ['', '\n', '\n\n', '\n\n\n'].flatMap(lead =>
        ['auto', 'boundaries'].map(route => [`${lead.length} newlines, route ${route}`, led(lead, route)]),
      ),
    ),
    'the marker as a user writes it': async () => {
      const tokenizer = await smallTokenizer()
      const fused = tokenizer.encode(`${header}\n- one`)
      assert.notDeepEqual(fused.slice(0, 3), tokenizer.encode(header), 'this vocabulary does fuse the two newlines')
      const roleBoundaries = [{ role: 'assistant', start: header, end: '<|im_end|>' }]
      const masker = Masker.forStrategy(undefined, tokenizer, { roleBoundaries })
      assert.deepEqual(idsTrained(masker, tokenizer, `${header}\n- one<|im_end|>`), ['- one<|im_end|>'])
      return 'right labels'
    },
  },
} satisfies Failure
