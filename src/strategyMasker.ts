/** A strategy, resolved against a tokenizer, as options of a `Masker`. */
import type { StrategyMaskerOptions } from './masker.js'
import type { MaskerOptions, RoleBoundary } from './maskerOptions.js'
import { knownStrategy, resolveStrategy } from './strategies/index.js'
import type { ResolvedBoundary, ResolvedStrategy } from './strategies/types.js'
import { type AnyTokenizer, adaptTokenizer } from './tokenizer/adapt.js'

/** The options of a masker for the strategy called `name`. Notices become Node warnings, one each per process. */
export function strategyOptions(
  name: string | undefined,
  tokenizer: AnyTokenizer,
  options: StrategyMaskerOptions,
): MaskerOptions {
  const { ignoreIndex, ignoreTokenIds = [], termination, trainOnSharedEnd, turns, unterminated, ...overrides } = options
  const strategy = name === undefined ? undefined : knownStrategy(name)
  const resolved = resolveStrategy(strategy, adaptTokenizer(tokenizer), overrides)
  warnOnce(resolved)
  const own = resolvedOptions(resolved)
  return {
    ...own,
    ignoreTokenIds: [...new Set([...(own.ignoreTokenIds ?? []), ...ignoreTokenIds])],
    ignoreIndex,
    termination,
    trainOnSharedEnd,
    turns,
    unterminated,
  }
}

/** A resolved strategy as options of a masker. */
export function resolvedOptions(resolved: ResolvedStrategy): MaskerOptions {
  return {
    boundaries: resolved.boundaries.map(publicBoundary),
    rolesToTrain: resolved.rolesToTrain,
    trainOnEos: resolved.trainOnEos,
    trainOnInputs: resolved.trainOnInputs,
    ignoreTokenIds: resolved.mediaTokenIds,
    exclude: resolved.exclude,
  }
}

const warned = new Set<string>()

/** What a mask without role boundaries means is said where nobody would look for it. */
function warnOnce({ name, notices }: ResolvedStrategy): void {
  for (const { code, message, hint } of notices) {
    const key = `${name} ${code}`
    if (!LOUD.has(code) || warned.has(key)) continue
    warned.add(key)
    process.emitWarning(message, { type: 'LossmaskWarning', code, ...(hint === undefined ? {} : { detail: hint }) })
  }
}

const LOUD = new Set(['legacy-fallback', 'unsafe-scan', 'role-without-boundary'])

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
