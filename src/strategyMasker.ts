/** A strategy, resolved against a tokenizer, as options of a `Masker`. */
import { LossmaskError } from './errors.js'
import type { StrategyMaskerOptions } from './masker.js'
import type { MaskerOptions, RoleBoundary } from './maskerOptions.js'
import { nearestName } from './nearest.js'
import { findStrategy, listStrategies, resolveStrategy } from './strategies/index.js'
import type { ResolvedBoundary, Strategy } from './strategies/types.js'
import { type AnyTokenizer, adaptTokenizer } from './tokenizer/adapt.js'

/** The options of a masker for the strategy called `name`. */
export function strategyOptions(
  name: string | undefined,
  tokenizer: AnyTokenizer,
  options: StrategyMaskerOptions,
): MaskerOptions {
  const { ignoreIndex, ignoreTokenIds = [], termination, trainOnSharedEnd, turns, unterminated, ...overrides } = options
  const strategy = name === undefined ? undefined : known(name)
  const resolved = resolveStrategy(strategy, adaptTokenizer(tokenizer), overrides)
  return {
    boundaries: resolved.boundaries.map(publicBoundary),
    rolesToTrain: resolved.rolesToTrain,
    trainOnEos: resolved.trainOnEos,
    trainOnInputs: resolved.trainOnInputs,
    ignoreTokenIds: [...new Set([...resolved.mediaTokenIds, ...ignoreTokenIds])],
    exclude: resolved.exclude,
    ignoreIndex,
    termination,
    trainOnSharedEnd,
    turns,
    unterminated,
  }
}

function publicBoundary({ role, starts, tails, ends, includeStart }: ResolvedBoundary): RoleBoundary {
  const of = (kind: string) => ends.filter(end => end.kind === kind).map(end => end.ids)
  return {
    role,
    start: starts,
    tail: tails,
    end: of('consumed'),
    endBefore: of('before'),
    endAnchor: of('anchor'),
    includeStart,
  }
}

function known(name: string): Strategy {
  const strategy = findStrategy(name)
  if (strategy !== undefined) return strategy
  const near = nearestName(
    name,
    listStrategies().flatMap(({ name, aliases }) => [name, ...aliases]),
  )
  throw new LossmaskError('strategy-unknown', `no model family is called ${JSON.stringify(name)}`, {
    hint: near === undefined ? 'listStrategies() names them all' : `did you mean ${near}?`,
  })
}
