/** A `tokenizer.json` as a `Codec`, for marker strings. Bulk tokenization happens in Rust from the same file. */
import { Tokenizer } from '@huggingface/tokenizers'
import { LossmaskError } from '../errors.js'
import type { JsonObject } from './files.js'
import type { TokenWithId } from './special.js'
import type { AddedToken, Codec } from './types.js'
import { modelVocabulary, tokenSpeller } from './vocabulary.js'

/** The codec of `tokenizerJson` (content of `file`) with `added` tokens beyond those it holds. Building is put off to the first use. */
export function jsonCodec(
  file: string,
  tokenizerJson: JsonObject,
  tokenizerConfig: JsonObject,
  all: AddedToken[],
  added: TokenWithId[],
): Codec {
  const build = once(() => buildTokenizer(file, withTokens(tokenizerJson, added), tokenizerConfig))
  const contents = new Set(all.map(token => token.content))
  return {
    encode: text => build().encode(text, { add_special_tokens: false }).ids,
    decode: ids => {
      const known = Array.from(ids, Number).filter(id => build().id_to_token(id) !== undefined)
      if (known.length === 0) return ''
      return build().decode(known, { skip_special_tokens: false, clean_up_tokenization_spaces: false })
    },
    tokenToId: token => build().token_to_id(token),
    idToToken: id => build().id_to_token(id),
    *vocabulary() {
      const spell = tokenSpeller(tokenizerJson)
      for (const [token, id] of modelVocabulary(tokenizerJson)) if (!contents.has(token)) yield [spell(token), id]
      for (const { content, id } of all) yield [content, id]
    },
  }
}

function buildTokenizer(file: string, tokenizerJson: JsonObject, tokenizerConfig: JsonObject): Tokenizer {
  try {
    return new Tokenizer(tokenizerJson, tokenizerConfig)
  } catch (cause) {
    throw new LossmaskError('tokenizer-file-invalid', `not a tokenizer: ${(cause as Error).message}`, { file, cause })
  }
}

function withTokens(tokenizerJson: JsonObject, added: readonly TokenWithId[]): JsonObject {
  if (added.length === 0) return tokenizerJson
  const changed = new Set(added.map(token => token.id))
  const own = Array.isArray(tokenizerJson.added_tokens) ? tokenizerJson.added_tokens : []
  const more = added.map(({ id, content, special, lstrip, rstrip, singleWord, normalized }) => ({
    id,
    content,
    special,
    lstrip: lstrip === true,
    rstrip: rstrip === true,
    single_word: singleWord === true,
    normalized: normalized ?? !special,
  }))
  return { ...tokenizerJson, added_tokens: [...own.filter(token => !changed.has(token.id)), ...more] }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
