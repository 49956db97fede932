/** A mask made before placeholders were expanded did not fit the expanded row. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

const row = (pads: number) =>
  `<|im_start|>user\n<|vision_start|>${'<|image_pad|>'.repeat(pads)}<|vision_end|>What is it?<|im_end|>\n<|im_start|>assistant\n\nA harbour.<|im_end|>\n`

test('the same text is trained, however many placeholders a picture becomes', async t => {
  const tokenizer = await smallTokenizer()
  const masker = Masker.forStrategy('qwen2_vl', tokenizer)
  for (const pads of [1, 64, 4096])
    t.deepEqual(trainedTexts(masker, tokenizer, row(pads)), ['A harbour.<|im_end|>'], `${pads}`)
})
