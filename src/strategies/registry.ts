import { LossmaskError } from '../errors.js'
import { nearestName } from '../nearest.js'
import { chatglm3 } from './families/chatglm.js'
import { chatml, qwen2_5, qwen3 } from './families/chatml.js'
import { ayaVision, cohere, commandA } from './families/cohere.js'
import { deepseekV3, deepseekVl2 } from './families/deepseek.js'
import { gemma, gemma3, gemma3n } from './families/gemma.js'
import { gemma4, gemma4Unified } from './families/gemma4.js'
import { glm4_1v, glm4_5v } from './families/glm.js'
import { gptOss } from './families/gptoss.js'
import { granite4, graniteVision } from './families/granite.js'
import { idefics3, smolvlm } from './families/idefics.js'
import { internvl } from './families/internvl.js'
import { kimi } from './families/kimi.js'
import { lfm2Vl } from './families/lfm2.js'
import { llama3, llama3_2Vision, llama4 } from './families/llama.js'
import { llava, llavaNextMistral, llavaOnevision } from './families/llava.js'
import { minicpmV } from './families/minicpm.js'
import { mistral3, mistralV3Tekken, mistralV7Tekken, pixtral, voxtral } from './families/mistral.js'
import { molmo } from './families/molmo.js'
import { nemotron3 } from './families/nemotron.js'
import { ovis2 } from './families/ovis.js'
import { paddleocrVl } from './families/paddleocr.js'
import { phi3, phi3_5Vision, phi4Multimodal } from './families/phi.js'
import { phi4 } from './families/phi4.js'
import { qwen2_5Vl, qwen2Vl, qwen3_5, qwen3Vl } from './families/qwen.js'
import type { Strategy } from './types.js'

/** Every family, in the order of `docs/families.md`. */
const STRATEGIES: readonly Strategy[] = [
  chatml,
  qwen2_5,
  qwen3,
  qwen2Vl,
  qwen2_5Vl,
  qwen3Vl,
  qwen3_5,
  gemma,
  gemma3,
  gemma3n,
  gemma4,
  gemma4Unified,
  llama3,
  llama3_2Vision,
  llama4,
  mistralV3Tekken,
  mistralV7Tekken,
  pixtral,
  mistral3,
  voxtral,
  smolvlm,
  idefics3,
  internvl,
  glm4_1v,
  glm4_5v,
  llava,
  llavaNextMistral,
  llavaOnevision,
  lfm2Vl,
  paddleocrVl,
  phi3,
  phi3_5Vision,
  phi4,
  phi4Multimodal,
  minicpmV,
  kimi,
  deepseekV3,
  deepseekVl2,
  cohere,
  ayaVision,
  commandA,
  molmo,
  ovis2,
  gptOss,
  nemotron3,
  granite4,
  graniteVision,
  chatglm3,
]

const BY_NAME = new Map(
  STRATEGIES.flatMap(strategy => [strategy.name, ...strategy.aliases].map(name => [name, strategy])),
)

/** Every family lossmask knows. */
export function listStrategies(): readonly Strategy[] {
  return STRATEGIES
}

/** The family of that name or alias. */
export function findStrategy(name: string): Strategy | undefined {
  return BY_NAME.get(name)
}

/**
 * The family of that name or alias.
 *
 * @throws LossmaskError `strategy-unknown`, with `path` as its place.
 */
export function knownStrategy(name: string, path?: string): Strategy {
  const strategy = findStrategy(name)
  if (strategy !== undefined) return strategy
  const near = nearestName(name, [...BY_NAME.keys()])
  throw new LossmaskError('strategy-unknown', `no model family is called ${JSON.stringify(name)}`, {
    ...(path === undefined ? {} : { path }),
    hint: near === undefined ? 'listStrategies(), or `lossmask strategies`, names them all' : `did you mean ${near}?`,
  })
}

/** The family of a processor class, as transformers and axolotl name them. */
export function strategyOfProcessor(processor: string): Strategy | undefined {
  return STRATEGIES.find(strategy => strategy.processors.includes(processor))
}
