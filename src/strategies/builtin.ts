import { distinct, isInPieces, resolveEnd, resolveHeader } from './markers.js'
import type { EndMarker, MarkerTokenizer, Notice, ResolvedBoundary, RoleMarkers, Strategy } from './types.js'

/**
 * A strategy's own boundaries as ids. A role whose start or whose every end this vocabulary cannot write is left out and said in
 * `notices`, as axolotl leaves it out: a model of the family without tool calls has no tool markers.
 */
export function resolveBuiltIn(strategy: Strategy, tokenizer: MarkerTokenizer, notices: Notice[]): ResolvedBoundary[] {
  const missing = strategy.control.filter(token => isInPieces(tokenizer, token))
  const writable = (marker: string) => !missing.some(token => marker.includes(token))
  const boundaries: ResolvedBoundary[] = []
  const out = new Set<string>()
  for (const markers of strategy.roles) {
    const boundary = resolveRole(markers, tokenizer, writable)
    if (boundary === undefined) out.add(markers.role)
    else boundaries.push(boundary)
  }
  if (out.size > 0) notices.push(leftOut([...out], missing))
  return boundaries
}

function resolveRole(
  markers: RoleMarkers,
  tokenizer: MarkerTokenizer,
  writable: (marker: string) => boolean,
): ResolvedBoundary | undefined {
  const tails = markers.tails.filter(writable)
  const headers = markers.starts.filter(writable).map(start => resolveHeader(tokenizer, start, tails))
  const starts = distinct(headers.flatMap(header => header.starts))
  const ends = markers.ends.flatMap(end => resolveEndMarker(end, tokenizer, writable))
  if (starts.length === 0 || (markers.ends.length > 0 && ends.length === 0)) return undefined
  return {
    role: markers.role,
    starts,
    tails: distinct(headers.flatMap(header => header.tails)),
    ends,
    includeStart: false,
  }
}

function resolveEndMarker(
  end: EndMarker,
  tokenizer: MarkerTokenizer,
  writable: (marker: string) => boolean,
): ResolvedBoundary['ends'] {
  if (end.text === 'eos_token' && tokenizer.eosTokenId !== undefined) {
    return [{ ids: [tokenizer.eosTokenId], kind: end.kind }]
  }
  const text = end.text === 'eos_token' ? end.fallback : end.text
  if (text === undefined || !writable(text)) return []
  return resolveEnd(tokenizer, text).map(ids => ({ ids, kind: end.kind }))
}

function leftOut(roles: readonly string[], missing: readonly string[]): Notice {
  const pieces = missing.length === 0 ? '' : ` (not one token each: ${missing.join(' ')})`
  return { code: 'role-left-out', message: `this vocabulary cannot write the markers of ${roles.join(', ')}${pieces}` }
}
