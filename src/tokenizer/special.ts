/** Special and added tokens: what the configuration files of a folder say beyond `tokenizer.json`. */
import type { Issue } from '../errors.js'
import { isObject, type JsonObject } from './files.js'
import type { AddedToken, TokenToAdd } from './types.js'

const CLASSIC = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const

/** The text of a special token, which configuration files write as a string or as an object with `content`. */
export function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  return isObject(value) ? tokenText(value.content) : undefined
}

/** Special tokens by transformers' names; a later source gives way to an earlier one, a token set to `null` stays unset. */
export function specialTokensOf(sources: readonly JsonObject[]): Record<string, string> {
  const found: Record<string, string> = {}
  const seen = new Set<string>()
  const add = (name: string, value: unknown) => {
    if (value === undefined || seen.has(name)) return
    seen.add(name)
    const text = tokenText(value)
    if (text !== undefined) found[name] = text
  }
  for (const source of sources) {
    for (const name of CLASSIC) add(name, source[name])
    for (const group of ['extra_special_tokens', 'model_specific_special_tokens']) {
      const extra = source[group]
      if (isObject(extra)) for (const [name, value] of Object.entries(extra)) add(name, value)
    }
  }
  return found
}

/** Special tokens without a name of their own. */
export function unnamedSpecialTokens(sources: readonly JsonObject[]): string[] {
  return sources.flatMap(source =>
    ['additional_special_tokens', 'extra_special_tokens'].flatMap(key => {
      const list = source[key]
      return Array.isArray(list) ? list.flatMap(value => tokenText(value) ?? []) : []
    }),
  )
}

/** Every `*_token` and `*_token_id` or `*_token_index` that is a text or an id. */
export function namedTokensOf(sources: readonly JsonObject[]): Record<string, string | number> {
  const found: Record<string, string | number> = {}
  for (const source of sources) {
    for (const [name, value] of Object.entries(source)) {
      if (name in found) continue
      const text = /_token$/u.test(name) ? tokenText(value) : undefined
      if (text !== undefined) found[name] = text
      else if (/_token(_id|_index)$/u.test(name) && Number.isSafeInteger(value)) found[name] = value as number
    }
  }
  return found
}

/** A token that some configuration file declares. */
interface Declared extends TokenToAdd {
  readonly id?: number
}

const FLAGS = ['lstrip', 'rstrip', 'singleWord', 'normalized'] as const

/** The flags of a declaration, as far as they are not the defaults. */
function flagsOf(value: unknown, special: boolean): Omit<TokenToAdd, 'content' | 'special'> {
  if (!isObject(value)) return {}
  const { lstrip, rstrip, single_word: singleWord, normalized } = value
  return {
    ...(lstrip === true && { lstrip }),
    ...(rstrip === true && { rstrip }),
    ...(singleWord === true && { singleWord }),
    ...(normalized === special && { normalized }),
  }
}

const sameFlags = (a: TokenToAdd, b: TokenToAdd) => a.special === b.special && FLAGS.every(flag => a[flag] === b[flag])

/** `added_tokens_decoder` of `tokenizer_config.json`, ascending by id. */
export function declaredTokens(tokenizerConfig: JsonObject): Declared[] {
  const decoder = tokenizerConfig.added_tokens_decoder
  if (!isObject(decoder)) return []
  return Object.entries(decoder)
    .flatMap(([key, value]) => {
      const content = tokenText(value)
      const special = isObject(value) && value.special === true
      return content === undefined ? [] : [{ content, special, ...flagsOf(value, special), id: Number(key) }]
    })
    .sort((a, b) => a.id - b.id)
}

/** Tokens of `tokenizer.json`'s `added_tokens`, ascending by id. */
export function fileAddedTokens(tokenizerJson: JsonObject): TokenWithId[] {
  const list = tokenizerJson.added_tokens
  if (!Array.isArray(list)) return []
  return list
    .flatMap(item => {
      const content = tokenText(item)
      const id = isObject(item) ? item.id : undefined
      if (content === undefined || typeof id !== 'number') return []
      const special = isObject(item) && item.special === true
      return [{ id, content, special, ...flagsOf(item, special) }]
    })
    .sort((a, b) => a.id - b.id)
}

/** An added token with its flags. */
export type TokenWithId = AddedToken & TokenToAdd

/** What a folder adds to its tokenizer file. */
export interface Additions {
  /** All added tokens, those of the file included, ascending by id. */
  all: AddedToken[]
  /** The new ones, in the order in which they are added, and those of the file whose flags the folder changes. */
  added: TokenWithId[]
  notices: Issue[]
}

/**
 * Adds `declared` tokens to those of the file as transformers does: a token that the model's vocabulary has keeps its id, any other
 * gets the next free one, whatever id it was declared with. A token of the file that is declared with other flags gets those.
 */
export function addTokens(
  file: TokenWithId[],
  vocabularySize: number,
  idOf: (token: string) => number | undefined,
  declared: Declared[],
): Additions {
  const known = new Map(file.map(token => [token.content, token]))
  const added: TokenWithId[] = []
  const notices: Issue[] = []
  let next = Math.max(vocabularySize, ...file.map(token => token.id + 1))
  for (const token of declared) {
    const old = known.get(token.content)
    if (old !== undefined) {
      if (token.id === old.id && !sameFlags(token, old)) added.push({ ...token, id: old.id })
      continue
    }
    const id = idOf(token.content) ?? next++
    const fresh = { ...token, id }
    known.set(token.content, fresh)
    added.push(fresh)
    if (token.id !== undefined && token.id !== id) notices.push(movedToken(token.content, token.id, id))
  }
  const all = new Map([...file, ...added].map(({ id, content, special }) => [id, { id, content, special }]))
  return { all: [...all.values()].sort((a, b) => a.id - b.id), added, notices }
}

function movedToken(content: string, declared: number, id: number): Issue {
  return {
    code: 'added-token-moved',
    message: `${JSON.stringify(content)} is declared with id ${declared}, but gets id ${id}, as in transformers`,
    path: `added_tokens_decoder.${declared}`,
    hint: 'tokenizer.json lacks the token and ids before it; save the tokenizer again with transformers',
  }
}
