export { loadTokenizer } from './load.js'
export type { AddedToken, Codec, LoadedTokenizer, TokenizerOptions, TokenizerSpec } from './types.js'
