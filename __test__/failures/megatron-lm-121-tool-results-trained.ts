/** Results of tools were trained with the answer, or their calls were not. */
import assert from 'node:assert/strict'
import { Masker } from '../../src/masker.js'
import { loadTokenizer } from '../../src/tokenizer/index.js'
import type { Failure } from '../helpers/failure.js'
import { tidied } from '../helpers/inProcess.js'
import { changedModel, smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

export default {
  row: 'M',
  wrong: 'tool results are trained',
  threads: ['swiss-ai/Megatron-LM#121', 'THUDM/slime#1159'],
  here: 'tool results are a role, or a stretch left out of the answer, whichever the family writes',
  cases: {
    'a tool turn is not trained, the call and the answer around it are': () =>
      tidied(async () => {
        const tokenizer = await smallTokenizer()
        const text =
          '<|im_start|>user\nTide?<|im_end|>\n<|im_start|>assistant\n<tool_call>{"name": "tide"}</tool_call><|im_end|>\n<|im_start|>tool\n3 metres<|im_end|>\n<|im_start|>assistant\nThree metres.<|im_end|>\n'
        assert.deepEqual(trainedTexts(Masker.forStrategy('qwen2_vl', tokenizer), tokenizer, text), [
          '<tool_call>{"name": "tide"}</tool_call><|im_end|>',
          'Three metres.<|im_end|>',
        ])
        const tools = Masker.forStrategy('qwen2_vl', tokenizer, { rolesToTrain: ['tool'] })
        assert.deepEqual(trainedTexts(tools, tokenizer, text), ['3 metres<|im_end|>'])
        return 'right labels'
      }),

    'results inside the model turn (Gemma 4) are left out of it': () =>
      tidied(async t => {
        const tokens = {
          '<|im_start|>': '<|turn>',
          '<|im_end|>': '<turn|>',
          '<|vision_start|>': '<|tool_response>',
          '<|vision_end|>': '<tool_response|>',
        }
        const tokenizer = await loadTokenizer(changedModel(t, { tokens }))
        const text =
          '<|turn>user\nTide?<turn|>\n<|turn>model\ntide()<|tool_response>3 metres<tool_response|>Three metres.<turn|>\n'
        assert.deepEqual(trainedTexts(Masker.forStrategy('gemma4', tokenizer), tokenizer, text), [
          'tide()',
          'Three metres.<turn|>',
        ])
        return 'right labels'
      }),

    'results that open the answer (Mistral) do not hide it, and are not trained': () =>
      tidied(async t => {
        const tokens = {
          '<|im_start|>': '[INST]',
          '<|im_end|>': '</s>',
          '<|pad|>': '[/INST]',
          '<|vision_start|>': '[TOOL_RESULTS]',
          '<|vision_end|>': '[/TOOL_RESULTS]',
        }
        const tokenizer = await loadTokenizer(changedModel(t, { tokens, config: { pad_token: null } }))
        const text =
          '[INST]Tide?[/INST]tide()</s>[TOOL_RESULTS]3[/TOOL_RESULTS][TOOL_RESULTS]metres[/TOOL_RESULTS]Three metres.</s>'
        assert.deepEqual(trainedTexts(Masker.forStrategy('mistral_v3_tekken', tokenizer), tokenizer, text), [
          'tide()</s>',
          'Three metres.</s>',
        ])
        return 'right labels'
      }),
  },
} satisfies Failure
