/** A family without known role boundaries was trained on whole conversations, whatever `train_on_inputs` said. */
import test from 'ava'
import { LossmaskError } from '../../src/errors.js'
import { Masker } from '../../src/masker.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

const TEXT = '<|im_start|>user\nIs the harbour <|image_pad|> open?<|im_end|>\n<|im_start|>assistant\nYes.<|im_end|>\n'

test('no boundaries for this tokenizer is an error, not a mask', async t => {
  const tokenizer = await smallTokenizer()
  for (const family of ['llama3', undefined]) {
    const error = t.throws(() => Masker.forStrategy(family, tokenizer), { instanceOf: LossmaskError })
    t.is(error.code, 'strategy-without-boundaries')
    t.regex(error.hint ?? '', /train_on_inputs: true/u)
  }
})

test('train_on_inputs: true trains everything but media, because it is written', async t => {
  const tokenizer = await smallTokenizer()
  const masker = Masker.forStrategy('qwen2_vl', tokenizer, { trainOnInputs: true })
  const [before = '', behind = ''] = TEXT.split('<|image_pad|>')
  t.deepEqual(trainedTexts(masker, tokenizer, TEXT), [before, behind])
})

test('legacy_fallback does what axolotl does, and says so', async t => {
  const tokenizer = await smallTokenizer()
  const warning = new Promise<Error & { code?: string }>(resolve => process.once('warning', resolve))
  const masker = Masker.forStrategy('llama3', tokenizer, { legacyFallback: true, mediaTokens: ['<|image_pad|>'] })
  t.is(trainedTexts(masker, tokenizer, TEXT).join('<|image_pad|>'), TEXT)
  t.is((await warning).code, 'legacy-fallback')
})
