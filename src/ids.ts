import { LossmaskError } from './errors.js'
import { guarded, native } from './native.js'

/**
 * Numbers as token ids; `path` is what an error calls them.
 *
 * @throws LossmaskError `invalid-token-id` for anything that is not a whole number of 32 bits.
 */
export function fromNumbers(numbers: readonly number[], path: string): Int32Array {
  let floats: Float64Array
  try {
    floats = Float64Array.from(numbers)
  } catch (cause) {
    throw new LossmaskError('invalid-token-id', `expected a list of numbers: ${(cause as Error).message}`, {
      path,
      cause,
    })
  }
  return guarded(() => native().tokenIds(floats, path))
}
