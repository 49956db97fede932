/** The definition of what is trained, one token after the other and quadratic: what the native masker is held to. */
import type { MaskerOptions, RoleBoundary } from '../../src/index.js'

type Ids = readonly number[]
type Kind = 'consumed' | 'anchor' | 'before'
type Span = [start: number, end: number]

interface Found {
  boundary: RoleBoundary
  start: number
  content: Span
  end?: { kind: Kind; span: Span }
  trained: boolean
  terminated: boolean
}

/** Labels of one row. */
export function naiveLabels(options: MaskerOptions, ids: Ids): number[] {
  const keep = new Array<boolean>(ids.length).fill(options.trainOnInputs === true)
  if (options.trainOnInputs !== true) keepTurns(options, ids, keep)
  const ignored = options.ignoreTokenIds ?? []
  return ids.map((id, at) => (keep[at] && !ignored.includes(id) ? id : (options.ignoreIndex ?? -100)))
}

function keepTurns(options: MaskerOptions, ids: Ids, keep: boolean[]): void {
  const turns = scan(options, ids)
  const eos = options.trainOnEos ?? 'turn'
  const ends = turns.map(turn => ownEnd(options, turn))
  const last = turns.findLastIndex((turn, index) => turn.trained && ends[index] !== undefined)
  for (const [index, turn] of turns.entries()) {
    const kept = new Array<boolean>(ids.length).fill(false)
    if (turn.trained) kept.fill(true, turn.boundary.includeStart ? turn.start : turn.content[0], turn.content[1])
    const end = ends[index]
    const keepEnd = eos === 'all' || (turn.trained && (eos === 'turn' || (eos === 'last' && last === index)))
    if (end !== undefined) kept.fill(keepEnd, ...end)
    const behind = turn.end !== undefined && turn.end.kind !== 'before' ? turn.end.span[1] : turn.content[1]
    if (turn.trained) leaveOut(options, ids, [turn.content[0], behind], kept)
    for (const [at, value] of kept.entries()) keep[at] ||= value
  }
}

function ownEnd(options: MaskerOptions, turn: Found): Span | undefined {
  if (turn.end?.kind !== 'before') return turn.end?.span
  return turn.trained && options.trainOnSharedEnd ? turn.end.span : undefined
}

function scan(options: MaskerOptions, ids: Ids): Found[] {
  const found: Found[] = []
  let at = 0
  while (at < ids.length) {
    const opened = open(options, ids, at)
    if (opened === undefined) {
      at += 1
      continue
    }
    const turn = close(options, ids, at, opened)
    found.push(turn)
    at = turn.end?.kind === 'consumed' ? turn.end.span[1] : turn.content[1]
  }
  const last = found.findLastIndex(turn => turn.trained)
  for (const [index, turn] of found.entries()) {
    if (options.turns === 'last' && index !== last) turn.trained = false
    if (options.unterminated === 'mask' && !turn.terminated) turn.trained = false
  }
  return found
}

interface Opened {
  boundary: RoleBoundary
  core: number
  header: number
}

function open(options: MaskerOptions, ids: Ids, at: number): Opened | undefined {
  let best: Opened | undefined
  for (const boundary of options.boundaries) {
    const core = longest(markersOf(boundary.start), ids, at)
    if (core === undefined) continue
    const header = core + (longest(markersOf(boundary.tail), ids, at + core) ?? 0)
    const wins = best === undefined || core > best.core || (core === best.core && header > best.header)
    if (wins) best = { boundary, core, header }
  }
  return best
}

function close(options: MaskerOptions, ids: Ids, start: number, { boundary, header }: Opened): Found {
  const from = start + header
  const trained = (options.rolesToTrain ?? ['assistant']).includes(boundary.role)
  const places = Array.from({ length: ids.length - from }, (_, index) => from + index)
  if (options.termination === 'next-start') {
    const next = places.find(place => open(options, ids, place) !== undefined) ?? ids.length
    return { boundary, start, content: [from, next], trained, terminated: true }
  }
  const ends = endsOf(boundary)
  for (const place of places) {
    const here = ends.filter(end => at(ids, place, end.ids)).sort((a, b) => b.ids.length - a.ids.length)[0]
    if (here === undefined) continue
    const end = { kind: here.kind, span: [place, place + here.ids.length] as Span }
    return { boundary, start, content: [from, place], end, trained, terminated: true }
  }
  return { boundary, start, content: [from, ids.length], trained, terminated: ends.length === 0 }
}

function endsOf(boundary: RoleBoundary): { ids: Ids; kind: Kind }[] {
  const of = (markers: RoleBoundary['end'], kind: Kind) => markersOf(markers).map(ids => ({ ids, kind }))
  const own = of(boundary.end, boundary.includeEnd === false ? 'before' : 'consumed')
  return [...own, ...of(boundary.endBefore, 'before'), ...of(boundary.endAnchor, 'anchor')]
}

function leaveOut(options: MaskerOptions, ids: Ids, [from, to]: Span, kept: boolean[]): void {
  const row = ids.slice(0, to)
  let place = from
  while (place < to) {
    const here = (options.exclude ?? []).filter(stretch => at(row, place, stretch.start))
    const stretch = here.sort((a, b) => b.start.length - a.start.length)[0]
    if (stretch === undefined) {
      place += 1
      continue
    }
    let stop = place + stretch.start.length
    const end = stretch.end ?? []
    if (end.length > 0) {
      while (stop < to && !at(row, stop, end)) stop += 1
      stop = Math.min(to, stop + end.length)
    }
    kept.fill(false, place, stop)
    place = stop
  }
}

function markersOf(markers: RoleBoundary['end']): Ids[] {
  if (markers === undefined || markers === null || markers.length === 0) return []
  return Array.isArray(markers[0]) ? (markers as Ids[]) : [markers as Ids]
}

function longest(markers: Ids[], ids: Ids, place: number): number | undefined {
  const lengths = markers.filter(marker => at(ids, place, marker)).map(marker => marker.length)
  return lengths.length === 0 ? undefined : Math.max(...lengths)
}

function at(ids: Ids, place: number, marker: Ids): boolean {
  return marker.every((id, index) => ids[place + index] === id)
}
