import { LossmaskError } from '../errors.js'
import { encodeMarker } from './markers.js'
import type { MarkerTokenizer } from './types.js'

/** Attributes under which tokenizer configurations name their media tokens (`image_token`, `boi_token`, `vision_start_token`, ...). */
const MEDIA_ATTRIBUTE = /(?:image|img|video|audio|vision|media|patch|bo[iav]|eo[iav])/u

/**
 * The ids of media tokens: the family's names, those the tokenizer's configuration names, and the user's. Names that the vocabulary
 * does not have as one token are skipped, except the user's own.
 */
export function resolveMedia(
  names: readonly string[],
  own: readonly (string | number)[],
  tokenizer: MarkerTokenizer,
): { token?: string; id: number }[] {
  const found = new Map<number, { token?: string; id: number }>()
  const add = (id: number, token?: string) => {
    if (!found.has(id)) found.set(id, token === undefined ? { id } : { token, id })
  }
  for (const name of names) {
    const id = mediaId(name, tokenizer)
    if (id !== undefined) add(id, name)
  }
  for (const [attribute, token] of Object.entries(tokenizer.namedTokens ?? {})) {
    if (!MEDIA_ATTRIBUTE.test(attribute)) continue
    const id = typeof token === 'number' ? token : mediaId(token, tokenizer)
    if (id !== undefined) add(id, typeof token === 'number' ? undefined : token)
  }
  own.forEach((token, index) => {
    const id = typeof token === 'number' ? token : mediaId(token, tokenizer)
    if (id === undefined) {
      throw new LossmaskError('media-token-not-found', `${JSON.stringify(token)} is not one token of this tokenizer`, {
        path: `lossmask.media[${index}]`,
      })
    }
    add(id, typeof token === 'number' ? undefined : token)
  })
  return [...found.values()]
}

/** The id of one media token; a tokenizer that answers with its unknown token does not have it, unless that *is* the token. */
function mediaId(token: string, tokenizer: MarkerTokenizer): number | undefined {
  const named = tokenizer.tokenToId?.(token)
  const ids = named === undefined ? encodeMarker(tokenizer, token) : [named]
  const id = ids.length === 1 ? ids[0] : undefined
  if (id === undefined || id !== tokenizer.unkTokenId) return id
  return tokenizer.decode([id]) === token ? id : undefined
}
