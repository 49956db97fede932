import { readFileSync } from 'node:fs'
import { LossmaskError } from '../errors.js'
import { nearestName } from '../nearest.js'
import type { Strategy } from './types.js'

const data = new URL('../../families/families.json', import.meta.url)

/** Every family, in the order of `docs/families.md`. */
const STRATEGIES: readonly Strategy[] = JSON.parse(readFileSync(data, 'utf8'))

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
