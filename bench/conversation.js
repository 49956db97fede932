/** ChatML as Qwen writes it, and rows of it. */

const IM_START = 151644
const IM_END = 151645
const roles = { system: 8948, user: 872, assistant: 77091, tool: 14172 }
const tail = [198]
const ignored = [151643, 151652, 151653, 151655]

/** For `new Masker()`. */
export const maskerOptions = {
  boundaries: Object.entries(roles).map(([role, id]) => ({ role, start: [IM_START, id], tail: [tail], end: [IM_END] })),
  ignoreTokenIds: ignored,
}

/** For `jsScanner()`. */
export const scannerOptions = {
  first: IM_START,
  seconds: Object.values(roles),
  rests: Object.values(roles).map(() => []),
  trained: Object.keys(roles).map(role => role === 'assistant'),
  tail,
  end: IM_END,
  ignored,
  ignoreIndex: -100,
}

/** A row of `length` tokens in which users and assistants take turns of about `turn` tokens. */
export function conversation(turn, length) {
  const random = xorshift(turn)
  const ids = new Int32Array(length)
  let at = 0
  const push = id => {
    if (at < length) ids[at++] = id
  }
  for (let assistant = false; at < length; assistant = !assistant) {
    for (const id of [IM_START, assistant ? roles.assistant : roles.user, ...tail]) push(id)
    for (let left = Math.floor(turn / 2) + (random() % turn) + 1; left > 0; left--) push(5000 + (random() % 90000))
    push(IM_END)
    push(198)
  }
  return ids
}

function xorshift(seed) {
  let state = seed + 0x5eed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
