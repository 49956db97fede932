/** Mistral's `tekken.json`. */
import { LossmaskError } from '../errors.js'
import type { AddedToken, Codec } from './types.js'

/** The codec of a `tekken.json`. */
export function tekkenCodec(file: string): Codec & { specialTokens(): AddedToken[] } {
  throw new LossmaskError('tokenizer-format-unsupported', 'tekken.json is not read yet', { file })
}
