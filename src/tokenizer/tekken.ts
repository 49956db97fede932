/** Mistral's `tekken.json`, which only the Rust side reads. */
import { guarded, native } from '../native.js'
import type { AddedToken, Codec } from './types.js'

/** A codec that knows its added tokens. */
export interface TekkenCodec extends Codec {
  readonly addedTokens: AddedToken[]
}

/** Special tokens as mistral_common names them; a `tekken.json` says nothing of their roles. */
const SPECIAL = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' }

/**
 * The codec of a `tekken.json`.
 *
 * @throws LossmaskError `tokenizer-unreadable`, `tokenizer-invalid`.
 */
export function tekkenCodec(file: string): TekkenCodec {
  const { NativeTokenizer } = native()
  const tokenizer = guarded(() => new NativeTokenizer(JSON.stringify({ path: file })))
  let texts: string[] | undefined
  const vocabulary = () => {
    texts ??= tokenizer.vocabulary()
    return texts
  }
  return {
    encode: text => Array.from(tokenizer.encode(text)),
    decode: ids => tokenizer.decode(Int32Array.from(ids)),
    tokenToId: token => tokenizer.tokenToId(token) ?? undefined,
    idToToken: id => vocabulary()[id],
    *vocabulary() {
      for (const [id, text] of vocabulary().entries()) yield [text, id]
    },
    addedTokens: tokenizer.addedTokens(),
  }
}

/** The special tokens that a vocabulary has, under transformers' names. */
export function tekkenSpecialTokens(codec: Codec): Record<string, string> {
  return Object.fromEntries(Object.entries(SPECIAL).filter(([, token]) => codec.tokenToId(token) !== undefined))
}
