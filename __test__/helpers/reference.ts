/** The scan as `DESIGN.md` section 4 words it, one token after the other: what tests hold the native masker to. */
import type { ResolvedBoundary, ResolvedStrategy } from '../../src/strategies/types.js'

const at = (ids: readonly number[], place: number, marker: readonly number[]) =>
  marker.length > 0 && marker.every((id, index) => ids[place + index] === id)

const longest = (ids: readonly number[], place: number, markers: readonly (readonly number[])[]) =>
  markers.filter(marker => at(ids, place, marker)).sort((a, b) => b.length - a.length)[0]

/** Labels of one row. */
export function referenceLabels(ids: readonly number[], resolved: ResolvedStrategy): number[] {
  const keep = new Array<boolean>(ids.length).fill(resolved.trainOnInputs)
  if (!resolved.trainOnInputs) scan(ids, resolved, keep)
  const media = new Set(resolved.mediaTokenIds)
  return ids.map((id, place) => (keep[place] && !media.has(id) ? id : -100))
}

function scan(ids: readonly number[], resolved: ResolvedStrategy, keep: boolean[]): void {
  const { trainOnEos: eos, rolesToTrain, exclude } = resolved
  let last: [number, number] | undefined
  let place = 0
  while (place < ids.length) {
    const opened = open(ids, place, resolved.boundaries)
    if (opened === undefined) {
      place += 1
      continue
    }
    const { boundary, start, content } = opened
    const found = close(ids, content, boundary)
    const stop = found?.place ?? ids.length
    const endLength = found === undefined || found.kind === 'before' ? 0 : found.ids.length
    const trained = rolesToTrain.includes(boundary.role)
    if (trained) {
      if (boundary.includeStart) keep.fill(true, start, content)
      keep.fill(true, content, stop)
      for (const stretch of exclude) leaveOut(ids, content, stop, stretch, keep)
      if (eos === 'last' && endLength > 0) last = [stop, stop + endLength]
    }
    if (eos === 'all' || (eos === 'turn' && trained)) keep.fill(true, stop, stop + endLength)
    place = found?.kind === 'consumed' ? stop + endLength : stop
  }
  if (last !== undefined) keep.fill(true, ...last)
}

function open(ids: readonly number[], start: number, boundaries: readonly ResolvedBoundary[]) {
  let best: { boundary: ResolvedBoundary; length: number } | undefined
  for (const boundary of boundaries) {
    const length = longest(ids, start, boundary.starts)?.length ?? 0
    if (length > (best?.length ?? 0)) best = { boundary, length }
  }
  if (best === undefined) return undefined
  const behind = start + best.length
  return { boundary: best.boundary, start, content: behind + (longest(ids, behind, best.boundary.tails)?.length ?? 0) }
}

function close(ids: readonly number[], from: number, boundary: ResolvedBoundary) {
  for (let place = from; place < ids.length; place++) {
    const end = boundary.ends.filter(other => at(ids, place, other.ids)).sort((a, b) => b.ids.length - a.ids.length)[0]
    if (end !== undefined) return { ...end, place }
  }
  return undefined
}

function leaveOut(
  ids: readonly number[],
  from: number,
  to: number,
  stretch: { start: number[]; end: number[] },
  keep: boolean[],
): void {
  for (let place = from; place < to; place++) {
    if (!at(ids, place, stretch.start)) continue
    let stop = place + stretch.start.length
    if (stretch.end.length > 0) {
      while (stop < to && !at(ids, stop, stretch.end)) stop += 1
      stop = Math.min(to, stop + stretch.end.length)
    }
    keep.fill(false, place, stop)
    place = stop - 1
  }
}
