/** A mask made before placeholders were expanded did not fit the expanded row. */
import assert from 'node:assert/strict'
import { Masker } from '../../src/masker.js'
import type { Failure } from '../helpers/failure.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'
import { assistant, user } from '../helpers/wholeRun.js'

const expanded = (pads: number) =>
  `<|im_start|>user\n<|vision_start|>${'<|image_pad|>'.repeat(pads)}<|vision_end|>What is it?<|im_end|>\n<|im_start|>assistant\n\nA harbour.<|im_end|>\n`
const picture = { type: 'image', path: 'a.png', width: 640, height: 480 }

export default {
  row: 'I',
  wrong: 'the mask shifts when placeholders are expanded',
  threads: ['huggingface/transformers#46559', '#44543'],
  here: 'expansion is an edit of the row: ids, labels and spans move together',
  cases: {
    'a picture becomes hundreds of tokens': {
      rows: [{ messages: [user([picture, { type: 'text', text: 'What is it?' }]), assistant('A harbour.')] }],
      config: { lossmask: { media: { family: 'qwen2_vl' } } },
      model: { files: { 'preprocessor_config.json': { processor_class: 'Qwen2VLProcessor' } } },
      trained: [['A harbour.<|im_end|>']],
      check: ({ rows: [row] }) => assert.equal(row?.tokens.filter(token => token === '<|image_pad|>').length, 391),
    },
    'ids that are expanded already': async () => {
      const tokenizer = await smallTokenizer()
      const masker = Masker.forStrategy('qwen2_vl', tokenizer)
      for (const pads of [1, 64, 4096])
        assert.deepEqual(trainedTexts(masker, tokenizer, expanded(pads)), ['A harbour.<|im_end|>'], `${pads}`)
      return 'right labels'
    },
  },
} satisfies Failure
