/** Other libraries' tokenizers, as far as marker strings need them. */
import { LossmaskError } from '../errors.js'
import type { Codec } from './types.js'

/** Any object that encodes and decodes: of `@huggingface/tokenizers`, transformers.js, or one's own. */
export interface AnyTokenizer {
  /** Ids of a text, as a list or as `{ ids }`; it is asked to add no special tokens. */
  encode(text: string, options?: { add_special_tokens: boolean }): unknown
  /** Text of ids. */
  decode(ids: number[], options?: { skip_special_tokens: boolean }): string
}

/** What of a tokenizer a strategy is resolved against. */
export type AdaptedTokenizer = Pick<Codec, 'encode' | 'decode'> &
  Partial<Pick<Codec, 'tokenToId' | 'vocabulary'>> & {
    eosTokenId?: number | undefined
    padTokenId?: number | undefined
    unkTokenId?: number | undefined
    namedTokens?: Readonly<Record<string, string | number>> | undefined
  }

const adapted = new WeakMap<AnyTokenizer, AdaptedTokenizer>()

/**
 * `tokenizer` as strategies see it.
 *
 * @throws LossmaskError `tokenizer-invalid` when it has no `encode` and `decode`, or when they do not give ids and text at once.
 */
export function adaptTokenizer(tokenizer: AnyTokenizer): AdaptedTokenizer {
  if (typeof tokenizer?.encode !== 'function' || typeof tokenizer.decode !== 'function') {
    throw new LossmaskError('tokenizer-invalid', 'expected a tokenizer with encode and decode', {
      path: 'tokenizer',
      hint: 'give what loadTokenizer returns, or any object with these two functions',
    })
  }
  // One for one, so that what is read of a vocabulary is read once.
  const known = adapted.get(tokenizer)
  if (known !== undefined) return known
  const loose = tokenizer as unknown as Record<string, unknown>
  const fresh: AdaptedTokenizer = {
    ...Object.fromEntries(Object.entries(idNames).flatMap(([name, other]) => entryOf(loose, name, other))),
    ...functionOf(loose, 'tokenToId', 'token_to_id'),
    ...functionOf(loose, 'vocabulary'),
    ...namedTokensOf(loose),
    encode: text => idList(tokenizer.encode(text, { add_special_tokens: false }), text),
    decode: ids => tokenizer.decode(Array.from(ids, Number), { skip_special_tokens: false }),
  }
  adapted.set(tokenizer, fresh)
  return fresh
}

/** Media tokens that the tokenizer's configuration names. */
function namedTokensOf(tokenizer: Record<string, unknown>): Pick<AdaptedTokenizer, 'namedTokens'> {
  const { namedTokens } = tokenizer
  return isRecord(namedTokens) ? { namedTokens: namedTokens as Record<string, string | number> } : {}
}

const isRecord = (value: unknown) => typeof value === 'object' && value !== null

const idNames = { eosTokenId: 'eos_token_id', padTokenId: 'pad_token_id', unkTokenId: 'unk_token_id' }

function entryOf(tokenizer: Record<string, unknown>, name: string, other: string): [string, number][] {
  const id = tokenizer[name] ?? tokenizer[other]
  return typeof id === 'number' ? [[name, id]] : []
}

function functionOf(tokenizer: Record<string, unknown>, name: string, other = name): object {
  const found = [name, other].find(candidate => typeof tokenizer[candidate] === 'function')
  if (found === undefined) return {}
  return { [name]: (...values: unknown[]) => (tokenizer[found] as (...values: unknown[]) => unknown)(...values) }
}

function idList(encoded: unknown, text: string): number[] {
  const list = (encoded as { ids?: unknown } | null | undefined)?.ids ?? encoded
  const ids =
    typeof list === 'object' && list !== null && 'length' in list
      ? Array.from(list as ArrayLike<unknown>, Number)
      : undefined
  if (ids?.every(Number.isSafeInteger)) return ids
  throw new LossmaskError('tokenizer-invalid', `encode(${JSON.stringify(text)}) gave no list of token ids`, {
    path: 'tokenizer.encode',
    hint:
      encoded instanceof Promise
        ? 'encode must answer at once, not with a promise'
        : 'return the ids as a list, or as { ids }',
  })
}
