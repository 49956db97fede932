/** Gemma's turns end with <end_of_turn>, its tokenizer's EOS is <eos>, which no turn holds: the end was never trained. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { loadTokenizer } from '../../src/tokenizer/index.js'
import { changedModel, trainedTexts } from '../helpers/smallModel.js'

const tokens = { '<|im_start|>': '<start_of_turn>', '<|im_end|>': '<end_of_turn>', '<|endoftext|>': '<eos>' }
const TEXT =
  '<start_of_turn>user\nOne?<end_of_turn>\n<start_of_turn>model\nFirst.<end_of_turn>\n<start_of_turn>user\nTwo?<end_of_turn>\n<start_of_turn>model\nSecond.<end_of_turn>\n'

test('the end of every model turn is trained, whatever the EOS of the tokenizer', async t => {
  const tokenizer = await loadTokenizer(changedModel(t, { tokens, config: { eos_token: '<eos>' } }))
  t.is(tokenizer.eosToken, '<eos>')
  const masker = Masker.forStrategy('gemma3', tokenizer)
  t.deepEqual(trainedTexts(masker, tokenizer, TEXT), ['First.<end_of_turn>', 'Second.<end_of_turn>'])
  const last = Masker.forStrategy('gemma3', tokenizer, { trainOnEos: 'last' })
  t.deepEqual(trainedTexts(last, tokenizer, TEXT), ['First.', 'Second.<end_of_turn>'])
})
