/** Real model folders, their own chat templates, the whole way of a run: detected, rendered, tokenized, scanned. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { proveFamily } from '../src/pipeline/selfTest.js'
import { detectStrategy, type Strategy } from '../src/strategies/index.js'
import { loadTokenizer } from '../src/tokenizer/index.js'
import { CACHE } from './helpers/vocabularies.js'

/** Cached models that come with a chat template, and the end of their turns. */
const MODELS: Record<string, string> = {
  aya_expanse: '<|END_OF_TURN_TOKEN|>',
  command_r_plus: '<|END_OF_TURN_TOKEN|>',
  deepseek_v3: '<｜end▁of▁sentence｜>',
  gemma3: '<end_of_turn>',
  llama3: '<|eot_id|>',
  llama3_1: '<|eot_id|>',
  llama3_2: '<|eot_id|>',
  minicpm_v4_5: '<|im_end|>',
  mistral_nemo: '</s>',
  qwen2_5: '<|im_end|>',
  qwen3: '<|im_end|>',
}

for (const [model, end] of Object.entries(MODELS)) {
  test.serial(`${model}: the probe's answers are trained with their ends, and nothing else`, async t => {
    const folder = join(CACHE, 'models', model)
    if (!existsSync(folder)) {
      t.log(`left out: ${folder} is absent`)
      return t.pass()
    }
    const { strategy } = detectStrategy({ tokenizer: await loadTokenizer(folder) })
    const result = await proveFamily(strategy as Strategy, folder)
    t.deepEqual(result?.issues, [])
    const trained = result?.tokens.filter(token => token.trained).map(token => token.text)
    t.is(trained?.join(''), `White, nearly always.${end}Yellow on every side.${end}`)
  })
}
