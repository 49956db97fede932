import { chatml, qwen2_5, qwen3 } from './families/chatml.js'
import { gemma, gemma3, gemma3n } from './families/gemma.js'
import { gemma4, gemma4Unified } from './families/gemma4.js'
import { llama3, llama3_2Vision, llama4 } from './families/llama.js'
import { mistralV7Tekken, pixtral } from './families/mistral.js'
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
  pixtral,
  mistralV7Tekken,
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

/** The family of a processor class, as transformers and axolotl name them. */
export function strategyOfProcessor(processor: string): Strategy | undefined {
  return STRATEGIES.find(strategy => strategy.processors.includes(processor))
}
