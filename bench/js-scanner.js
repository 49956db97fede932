/**
 * The rival: the best scanner that JavaScript allows for the boundaries of one family, written for V8.
 *
 * Starts are told by their first two ids, ends by one; typed arrays only, no objects in the loops, and the parts of the output
 * that need no look at single tokens are filled and copied by `fill` and `set`. It knows less than lossmask: one start marker per
 * role, of two tokens or more that share the first, one end marker of one token, no tails but one.
 */

/**
 * @param {{ first: number, seconds: number[], rests: number[][], trained: boolean[], tail: number[], end: number, ignored: number[], ignoreIndex: number }} family
 * @returns {(ids: Int32Array, out: Int32Array) => void}
 */
export function jsScanner({ first, seconds, rests, trained, tail, end, ignored, ignoreIndex }) {
  const low = Math.min(...ignored)
  const high = Math.max(...ignored)
  const isIgnored = new Uint8Array(high - low + 1)
  for (const id of ignored) isIgnored[id - low] = 1
  const roles = seconds.length
  const firstTail = tail[0]
  return (ids, out) => {
    const length = ids.length
    let at = 0
    while (at < length) {
      // Outside a turn: up to a start.
      let from = at
      let role = -1
      for (; at < length; at++) {
        if (ids[at] !== first) continue
        const second = ids[at + 1]
        for (role = roles - 1; role >= 0; role--)
          if (seconds[role] === second && matches(ids, at + 2, rests[role])) break
        if (role >= 0) break
      }
      if (role >= 0) {
        at += 2 + rests[role].length
        if (ids[at] === firstTail) at += tail.length
      }
      if (at - from < 64) for (; from < at; from++) out[from] = ignoreIndex
      else out.fill(ignoreIndex, from, at)
      if (role < 0) break
      // Inside: up to its end.
      from = at
      if (!trained[role]) {
        while (at < length && ids[at] !== end) at++
        if (at < length) at++
        if (at - from < 64) for (; from < at; from++) out[from] = ignoreIndex
        else out.fill(ignoreIndex, from, at)
        continue
      }
      for (; at < length; at++) {
        const id = ids[at]
        out[at] = id >= low && id <= high && isIgnored[id - low] === 1 ? ignoreIndex : id
        if (id === end) {
          at++
          break
        }
      }
    }
  }
}

function matches(ids, at, rest) {
  for (let index = 0; index < rest.length; index++) if (ids[at + index] !== rest[index]) return false
  return true
}
