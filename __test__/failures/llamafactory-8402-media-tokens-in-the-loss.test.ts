/** Placeholders and delimiters of pictures and videos stood in the loss. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import type { StrategyOverrides } from '../../src/strategies/types.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

const MEDIA = ['<|vision_start|>', '<|image_pad|>', '<|video_pad|>', '<|vision_end|>']
const PICTURE = '<|vision_start|><|image_pad|><|image_pad|><|vision_end|><|vision_start|><|video_pad|><|vision_end|>'
const TEXT = `<|im_start|>user\n${PICTURE}What is it?<|im_end|>\n<|im_start|>assistant\nLike ${PICTURE} this.<|im_end|>\n`

const settings: StrategyOverrides[] = [
  {},
  { trainOnEos: 'all' },
  { trainOnInputs: true },
  { rolesToTrain: ['user', 'assistant'] },
  { roleBoundaries: [{ role: 'assistant', start: '<|im_start|>', end: null, includeStart: true }] },
]

for (const overrides of settings) {
  test(`media tokens are never trained: ${JSON.stringify(overrides)}`, async t => {
    const tokenizer = await smallTokenizer()
    const trained = trainedTexts(Masker.forStrategy('qwen2_vl', tokenizer, overrides), tokenizer, TEXT).join('')
    t.true(trained.includes('Like '))
    for (const token of MEDIA) t.false(trained.includes(token), token)
  })
}
