import { LossmaskError } from '../errors.js'
import { resolveBuiltIn } from './builtin.js'
import { encodeMarker, isUnknown } from './markers.js'
import { resolveMedia } from './media.js'
import { resolveOverride } from './override.js'
import { boundaryLine, summaryLine } from './report.js'
import type {
  MarkerTokenizer,
  Notice,
  ResolvedBoundary,
  ResolvedStrategy,
  Strategy,
  StrategyOverrides,
  TrainOnEos,
} from './types.js'

const TRAIN_ON_EOS: readonly TrainOnEos[] = ['turn', 'all', 'last', 'none']

/**
 * What a strategy means for one tokenizer: boundaries, exclude stretches and media ids in the shape the core compiles.
 *
 * `strategy` may be left out when `roleBoundaries` says everything. axolotl's rules hold: a non-empty `roleBoundaries` replaces the
 * strategy's own, an empty one is as if not given; `rolesToTrain: []` trains nothing, unset means `['assistant']`.
 *
 * @throws LossmaskError `strategy-without-boundaries` when nothing says where turns are and neither `trainOnInputs` nor
 * `legacyFallback` is set; `strategy-unsafe-for-scanning` when the family's markers are plain text; `unknown-train-on-eos`;
 * the errors of `resolveOverride`.
 */
export function resolveStrategy(
  strategy: Strategy | undefined,
  tokenizer: MarkerTokenizer,
  overrides: StrategyOverrides = {},
): ResolvedStrategy {
  const trainOnEos = checkedTrainOnEos(overrides.trainOnEos)
  const notices: Notice[] = []
  const own = overrides.roleBoundaries ?? []
  const overridden = own.length > 0
  const aliases = overridden ? {} : (strategy?.roleAliases ?? {})
  const rolesToTrain = [...new Set((overrides.rolesToTrain ?? ['assistant']).map(role => aliases[role] ?? role))]
  const boundaries = overridden
    ? resolveOverride(own, tokenizer)
    : strategy === undefined
      ? []
      : resolveBuiltIn(strategy, tokenizer, notices)
  const found = usableBoundaries(strategy, boundaries, overridden, overrides, notices)
  const trainOnInputs = overrides.trainOnInputs === true || found.legacy
  const media = resolveMedia(strategy?.media ?? [], overrides.mediaTokens ?? [], tokenizer)
  const result: ResolvedStrategy = {
    name: strategy?.name ?? 'role_boundaries',
    title: strategy?.title ?? 'role_boundaries of the config',
    source: found.boundaries.length === 0 ? 'none' : overridden ? 'override' : 'built-in',
    boundaries: found.boundaries,
    exclude: resolveExclude(strategy, tokenizer, overrides),
    mediaTokenIds: [...new Set(media.map(token => token.id))].sort((a, b) => a - b),
    media,
    rolesToTrain,
    trainOnEos,
    trainOnInputs,
    ...(tokenizer.eosTokenId === undefined ? {} : { eosTokenId: tokenizer.eosTokenId }),
    ...(tokenizer.padTokenId === undefined ? {} : { padTokenId: tokenizer.padTokenId }),
    notices,
    lines: [],
  }
  notices.push(...rolesWithoutBoundary(result), ...padNotices(result))
  result.lines = [summaryLine(result), ...result.boundaries.map(boundary => boundaryLine(boundary, tokenizer))]
  return result
}

function checkedTrainOnEos(value: TrainOnEos | null | undefined): TrainOnEos {
  const chosen = value ?? 'turn'
  if (TRAIN_ON_EOS.includes(chosen)) return chosen
  throw new LossmaskError('unknown-train-on-eos', `train_on_eos is ${JSON.stringify(chosen)}`, {
    path: 'train_on_eos',
    hint: `it is one of ${TRAIN_ON_EOS.join(', ')}`,
  })
}

/** The boundaries to scan for; none only where the config asks for a mask without them. */
function usableBoundaries(
  strategy: Strategy | undefined,
  boundaries: ResolvedBoundary[],
  overridden: boolean,
  overrides: StrategyOverrides,
  notices: Notice[],
): { boundaries: ResolvedBoundary[]; legacy: boolean } {
  const unsafe = !overridden && strategy !== undefined && strategy.scannable !== true ? strategy.scannable : undefined
  const scannable = boundaries.length > 0 && (unsafe === undefined || overrides.unsafeScan === true)
  if (scannable) {
    if (unsafe !== undefined) notices.push({ code: 'unsafe-scan', message: `${strategy?.title}: ${unsafe}` })
    return { boundaries, legacy: false }
  }
  if (overrides.trainOnInputs === true || overrides.boundariesOptional === true)
    return { boundaries: [], legacy: false }
  if (overrides.legacyFallback === true) {
    notices.push(legacyNotice(strategy))
    return { boundaries: [], legacy: true }
  }
  if (unsafe !== undefined) {
    throw new LossmaskError(
      'strategy-unsafe-for-scanning',
      `${strategy?.title} cannot be masked from ids alone: ${unsafe}`,
      {
        hint: 'give lossmask the conversations, so that a text route can tell typed markers from real ones, or declare role_boundaries',
      },
    )
  }
  throw withoutBoundaries(strategy, notices)
}

function legacyNotice(strategy: Strategy | undefined): Notice {
  return {
    code: 'legacy-fallback',
    message: `${strategy?.title ?? 'the model'} has no role boundaries here: every token but media and padding is trained, prompts included`,
    hint: 'declare role_boundaries and leave out legacy_fallback to train answers only',
  }
}

function withoutBoundaries(strategy: Strategy | undefined, notices: readonly Notice[]): LossmaskError {
  const why = notices.map(notice => notice.message).join('; ')
  const name =
    strategy === undefined
      ? 'no strategy and no role_boundaries are given'
      : `${strategy.title} has no role boundaries here`
  return new LossmaskError('strategy-without-boundaries', why === '' ? name : `${name}: ${why}`, {
    hint: 'declare role_boundaries; or write train_on_inputs: true, or lossmask.legacy_fallback: true, to train on everything',
  })
}

function resolveExclude(
  strategy: Strategy | undefined,
  tokenizer: MarkerTokenizer,
  overrides: StrategyOverrides,
): { start: number[]; end: number[] }[] {
  const own = (overrides.exclude ?? []).map((stretch, index) => {
    const start = encodeMarker(tokenizer, stretch.start)
    const end = stretch.end === undefined ? [] : encodeMarker(tokenizer, stretch.end)
    if (isUnknown(tokenizer, start) || (stretch.end !== undefined && isUnknown(tokenizer, end))) {
      throw new LossmaskError(
        'marker-not-found',
        `a marker of the exclude stretch ${JSON.stringify(stretch)} is no text of this tokenizer`,
        {
          path: `lossmask.exclude[${index}]`,
        },
      )
    }
    return { start, end }
  })
  const built = (strategy?.exclude ?? []).map(stretch => ({
    start: encodeMarker(tokenizer, stretch.start),
    end: stretch.end === undefined ? [] : encodeMarker(tokenizer, stretch.end),
  }))
  // A vocabulary without the family's control token cannot write the stretch: there is nothing to leave out.
  return [...built.filter(({ start, end }) => start.length === 1 && end.length <= 1), ...own]
}

function rolesWithoutBoundary(resolved: ResolvedStrategy): Notice[] {
  if (resolved.trainOnInputs || resolved.boundaries.length === 0) return []
  const roles = new Set(resolved.boundaries.map(boundary => boundary.role))
  return resolved.rolesToTrain
    .filter(role => !roles.has(role))
    .map(role => ({
      code: 'role-without-boundary',
      message: `roles_to_train names ${role}, which has no boundary: no turn of it is found`,
      hint: `the roles with boundaries are ${[...roles].join(', ')}`,
    }))
}

function padNotices(resolved: ResolvedStrategy): Notice[] {
  const pad = resolved.padTokenId
  if (pad === undefined) return []
  const closes = resolved.boundaries.filter(boundary => boundary.ends.some(end => end.ids.includes(pad)))
  const opens = resolved.boundaries.filter(boundary =>
    [...boundary.starts, ...boundary.tails].some(ids => ids.includes(pad)),
  )
  const hint = 'padding is told by its position; give attention_mask or the row length, never the pad id'
  if (closes.length > 0) {
    const roles = [...new Set(closes.map(boundary => boundary.role))].join(', ')
    return [{ code: 'pad-is-end-marker', message: `the pad id ${pad} is also the end marker of ${roles}`, hint }]
  }
  if (opens.length > 0)
    return [{ code: 'pad-is-marker', message: `the pad id ${pad} is also part of a start marker`, hint }]
  if (pad === resolved.eosTokenId)
    return [{ code: 'pad-is-eos', message: `the pad id ${pad} is also the EOS id`, hint }]
  return []
}
