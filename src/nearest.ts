/** Suggestions for misspelt names. */

/** The name nearest to `key`, when it is near enough to be meant: a third of its length, at most `most` edits. */
export function nearestName(key: string, names: readonly string[], most = 3): string | undefined {
  let best: string | undefined
  let least = Math.min(most, Math.floor(key.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(key, name, least)
    if (distance < least) {
      best = name
      least = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`; `limit` when there are as many or more. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(before, j - 2) + 1)
      current.push(least)
    }
    before = previous
    previous = current
  }
  return Math.min(limit, at(previous, b.length))
}

function at(row: number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
