/** Where the stop token is the next turn's role token (GLM), it belonged to no answer and was never trained. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { loadTokenizer } from '../../src/tokenizer/index.js'
import { changedModel, trainedTexts } from '../helpers/smallModel.js'

const tokens = {
  '<|im_start|>': '<|user|>',
  '<|im_end|>': '<|assistant|>',
  '<|vision_start|>': '<|observation|>',
  '<|vision_end|>': '<|system|>',
}
const TEXT = '<|user|>\nOne?<|assistant|>\nCall it.<|observation|>\n42<|assistant|>\nIt is 42.<|user|>\nThanks.'

test('train_on_shared_end trains it behind an answer; without it nothing behind an answer is trained', async t => {
  const tokenizer = await loadTokenizer(changedModel(t, { tokens, config: { eos_token: '<|endoftext|>' } }))
  const plain = Masker.forStrategy('glm4_1v', tokenizer)
  t.deepEqual(trainedTexts(plain, tokenizer, TEXT), ['Call it.', 'It is 42.'])
  const shared = Masker.forStrategy('glm4_1v', tokenizer, { trainOnSharedEnd: true })
  t.deepEqual(trainedTexts(shared, tokenizer, TEXT), ['Call it.<|observation|>', 'It is 42.<|user|>'])
})
