/** An answer that begins with newlines shares a token with its header: the marker was not found and the turn left the loss. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

const header = '<|im_start|>assistant\n'

for (const lead of ['', '\n', '\n\n', '\n\n\n']) {
  test(`an answer that begins with ${lead.length} newlines is trained, its header is not`, async t => {
    const tokenizer = await smallTokenizer()
    const text = `<|im_start|>user\nA list.<|im_end|>\n${header}${lead}- one\n- two<|im_end|>\n`
    const [trained, ...more] = trainedTexts(Masker.forStrategy('qwen2_vl', tokenizer), tokenizer, text)
    t.deepEqual(more, [])
    t.is(trained?.trimStart(), '- one\n- two<|im_end|>')
    // The token that holds the header's newline holds at least one of the answer's too.
    const newlines = (trained?.length ?? 0) - (trained?.trimStart().length ?? 0)
    t.true(newlines <= Math.max(0, lead.length - 1), `${newlines} newlines are trained`)
  })
}

test('the marker as a user writes it finds them too', async t => {
  const tokenizer = await smallTokenizer()
  const fused = tokenizer.encode(`${header}\n- one`)
  t.not(String(fused.slice(0, 3)), String(tokenizer.encode(header)), 'this vocabulary does fuse the two newlines')
  const masker = Masker.forStrategy(undefined, tokenizer, {
    roleBoundaries: [{ role: 'assistant', start: header, end: '<|im_end|>' }],
  })
  t.deepEqual(trainedTexts(masker, tokenizer, `${header}\n- one<|im_end|>`), ['- one<|im_end|>'])
})
