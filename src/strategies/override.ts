import { LossmaskError } from '../errors.js'
import { distinct, encodeMarker, isUnknown, resolveEnd, resolveHeader, splitTrailingWhiteSpace } from './markers.js'
import type { EndKind, MarkerTokenizer, ResolvedBoundary, RoleBoundarySpec } from './types.js'

/**
 * The config's `role_boundaries` as ids, by axolotl's rules: `end: null` runs to the end of the row, `end: eos_token` is the tokenizer's EOS,
 * `include_end: false` leaves the end to open the next turn. A start that ends in white space is split into core and tail where its ids
 * allow it, so that a token in which that white space is fused with the content does not hide the turn.
 *
 * @throws LossmaskError `role-boundary-incomplete`, `marker-not-found`, `no-eos-token`, each with the path of the item.
 */
export function resolveOverride(specs: readonly RoleBoundarySpec[], tokenizer: MarkerTokenizer): ResolvedBoundary[] {
  return specs.map((spec, index) => resolveSpec(spec, `role_boundaries[${index}]`, tokenizer))
}

function resolveSpec(spec: RoleBoundarySpec, path: string, tokenizer: MarkerTokenizer): ResolvedBoundary {
  const starts = list(spec.start)
  if (!spec.role || starts.length === 0) {
    throw new LossmaskError(
      'role-boundary-incomplete',
      `a role boundary needs both role and start, this is ${JSON.stringify(spec)}`,
      {
        path,
      },
    )
  }
  const tails = list(spec.tail)
  const headers = starts.map(start => resolveStart(start, tails, `${path}.start`, tokenizer))
  const kind: EndKind = spec.includeEnd === false ? 'before' : 'consumed'
  return {
    role: spec.role,
    starts: distinct(headers.flatMap(header => header.starts)),
    tails: distinct(headers.flatMap(header => header.tails)),
    ends: [
      ...list(spec.end).flatMap(end => resolveEndSpec(end, kind, `${path}.end`, tokenizer)),
      ...list(spec.endBefore).flatMap(end => resolveEndSpec(end, 'before', `${path}.end_before`, tokenizer)),
    ],
    includeStart: spec.includeStart === true,
  }
}

function resolveStart(start: string, tails: readonly string[], path: string, tokenizer: MarkerTokenizer) {
  const { core, tail } = splitTrailingWhiteSpace(start)
  const literal = encodeMarker(tokenizer, start)
  if (isUnknown(tokenizer, literal)) throw notFound('start', start, literal, path)
  // White space alone is a marker as it is: its continuations would match anywhere.
  if (core === '') return { starts: [literal], tails: [] }
  if (tail === '') return resolveHeader(tokenizer, start, tails)
  const header = resolveHeader(tokenizer, core, [...tails.map(further => tail + further), tail])
  // A core whose ids are not those of the literal's beginning would match other text than the config says.
  const splits = header.starts.some(
    ids => ids.every((id, index) => literal[index] === id) && ids.length < literal.length,
  )
  return splits ? header : resolveHeader(tokenizer, start, tails)
}

function resolveEndSpec(
  end: string,
  kind: EndKind,
  path: string,
  tokenizer: MarkerTokenizer,
): ResolvedBoundary['ends'] {
  if (end === 'eos_token') {
    if (tokenizer.eosTokenId !== undefined) return [{ ids: [tokenizer.eosTokenId], kind }]
    throw new LossmaskError('no-eos-token', 'the end is eos_token, but the tokenizer has no EOS token', {
      path,
      hint: 'set special_tokens.eos_token, or write the marker itself',
    })
  }
  const forms = resolveEnd(tokenizer, end)
  if (forms.length === 0) throw notFound('end', end, encodeMarker(tokenizer, end), path)
  return forms.map(ids => ({ ids, kind }))
}

function notFound(what: 'start' | 'end', marker: string, ids: readonly number[], path: string): LossmaskError {
  const found = ids.length === 0 ? 'encodes to nothing' : `encodes to unknown tokens only ([${ids.join(', ')}])`
  return new LossmaskError(
    'marker-not-found',
    `the ${what} marker ${JSON.stringify(marker)} ${found}, so it cannot match`,
    {
      path,
      hint:
        what === 'end'
          ? 'write the marker as the chat template writes it, null to run to the end of the row, or eos_token for the EOS of the tokenizer'
          : 'write the marker as the chat template writes it',
    },
  )
}

function list(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  return typeof value === 'string' ? [value] : value
}
