/** Role headers and the white space between turns stood in the loss. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

const TEXT = '<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>\n'

test('header, content and end are separately selectable; the scaffold between turns is never trained', async t => {
  const tokenizer = await smallTokenizer()
  const trained = (...options: Parameters<typeof Masker.forStrategy>[2][]) =>
    trainedTexts(Masker.forStrategy('qwen2_vl', tokenizer, ...options), tokenizer, TEXT)
  t.deepEqual(trained({}), ['First.<|im_end|>'])
  t.deepEqual(trained({ trainOnEos: 'none' }), ['First.'])
  t.deepEqual(trained({ rolesToTrain: [], trainOnEos: 'all' }), ['<|im_end|>', '<|im_end|>'])
  const whole = { role: 'assistant', start: '<|im_start|>assistant\n', end: '<|im_end|>', includeStart: true }
  t.deepEqual(trained({ roleBoundaries: [whole] }), ['<|im_start|>assistant\nFirst.<|im_end|>'])
})
