/**
 * The vocabularies of `vectors/families`, built from the cached npm packages, mistral-common's files and `../shared/families` as each row's `vocabulary`
 * text says. None of them may stand in the repository; what is absent is said by the test that needs it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MarkerTokenizer } from '../../src/strategies/types.js'
import { jsonCodec } from '../../src/tokenizer/codec.js'

export const CACHE = process.env.LOSSMASK_TEST_CACHE || join(homedir(), '.cache/lossmask-test')
export const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url))

interface AddedToken {
  id: number
  content: string
  special?: boolean
  lstrip?: boolean
  rstrip?: boolean
  single_word?: boolean
  normalized?: boolean
}
/** What of `tokenizer.json` is looked at here. */
export interface TokenizerJson {
  added_tokens: AddedToken[]
  model: { type: string; vocab: Record<string, number>; merges: unknown[] }
  post_processor: unknown
  pre_tokenizer: unknown
  normalizer: unknown
  decoder: unknown
}

/** Why a vocabulary cannot be built here. */
export class Absent extends Error {}

/** The tokenizer that a row's `vocabulary` text describes. @throws Absent */
export function tokenizerOf(vocabulary: string): MarkerTokenizer {
  return markerTokenizer(tokenizerJsonOf(vocabulary))
}

/** The same as a `tokenizer.json` holds it. @throws Absent */
export function tokenizerJsonOf(vocabulary: string): TokenizerJson {
  return edit(base(vocabulary), vocabulary)
}

/**
 * A `tokenizer.json` for every reader: with these special tokens behind the others, unless it has them. The tokenizers library gives an
 * added token its id by the vocabulary, or else by its place in the list, whatever the file says: so all of them stand in both.
 */
export function withTokens(json: TokenizerJson, tokens: readonly string[]): TokenizerJson {
  const known = new Set(json.added_tokens.map(token => token.content))
  const ids = [...Object.values(json.model.vocab), ...json.added_tokens.map(token => token.id)]
  let next = ids.reduce((most, id) => Math.max(most, id), 0)
  for (const content of new Set(tokens)) if (!known.has(content)) put(json, { id: ++next, content, special: true })
  for (const { content, id } of json.added_tokens) json.model.vocab[content] = id
  return json
}

/** The same as the text of a `tokenizer.json`. @throws Absent */
export function tokenizerFile(vocabulary: string): string {
  return JSON.stringify(edit(base(vocabulary), vocabulary))
}

/** The source of a recorded template (`axolotl/chatml.jinja`). @throws Absent */
export function templateFile(name: string): string {
  return read(join(CACHE, 'templates', name))
}

/** The tokenizer of one cached model folder. @throws Absent */
export function modelTokenizer(name: string): MarkerTokenizer {
  const folder = join(CACHE, 'models', name)
  const config = JSON.parse(read(join(folder, 'tokenizer_config.json')))
  return { ...markerTokenizer(tokenizerJson(folder)), chatTemplate: templateOf(config.chat_template) }
}

function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const named = value as { name: string; template: string }[] | undefined
  return named?.find(entry => entry.name === 'default')?.template
}

function base(vocabulary: string): TokenizerJson {
  const npm = /npm @lenml\/tokenizer-(\S+) /.exec(vocabulary)?.[1]
  if (npm !== undefined) return tokenizerJson(join(CACHE, 'models', npm))
  const tekken = /data\/(tekken_\d+)\.json/.exec(vocabulary)?.[1]
  if (tekken !== undefined) return fromTekken(join(CACHE, 'tekken', `${tekken}.json`))
  const folder = /families\/([\w.-]+)\//.exec(vocabulary)?.[1]
  if (folder === undefined) throw new Absent(`nothing known of ${vocabulary}`)
  const path = join(SHARED, 'families', folder)
  if (folder === 'llama4') return fromTiktoken(join(path, 'tokenizer.model'))
  return existsSync(join(path, 'tokenizer.json')) ? tokenizerJson(path) : fromVocabAndMerges(path)
}

/** The additions, renamings and omissions that the text lists. */
function edit(json: TokenizerJson, vocabulary: string): TokenizerJson {
  const limit = /ids >= (\d+) of the package dropped/.exec(vocabulary)?.[1]
  if (limit !== undefined) {
    json.added_tokens = json.added_tokens.filter(token => token.id < Number(limit))
    json.model.vocab = Object.fromEntries(Object.entries(json.model.vocab).filter(([, id]) => id < Number(limit)))
  }
  const list = (title: RegExp) => title.exec(vocabulary)?.[1]?.split(', ') ?? []
  for (const item of list(/added special tokens, in this order: ([^;]+)/)) {
    const at = item.lastIndexOf('=')
    put(json, { id: Number(item.slice(at + 1)), content: item.slice(0, at), special: true })
  }
  const flags = flagsOf(/flags of the renamed ids as in added_tokens_decoder of (\S+)/.exec(vocabulary)?.[1])
  for (const title of [/slots renamed: ([^;]+)/, /control slots named: ([^;]+)/]) {
    for (const item of list(title)) {
      const [id, ...name] = item.split('=')
      put(json, { ...flags[id as string], id: Number(id), content: name.join('='), special: true })
    }
  }
  return json
}

function flagsOf(config: string | undefined): Record<string, Partial<AddedToken>> {
  return config === undefined ? {} : JSON.parse(read(join(SHARED, config))).added_tokens_decoder
}

function put(json: TokenizerJson, token: AddedToken): void {
  const vocab = json.model.vocab
  const old = json.added_tokens.find(other => other.id === token.id)?.content
  json.added_tokens = json.added_tokens.filter(other => other.id !== token.id)
  for (const text of [old, token.content]) if (text !== undefined && text in vocab) delete vocab[text]
  json.added_tokens.push({
    lstrip: false,
    rstrip: false,
    single_word: false,
    normalized: false,
    special: true,
    ...token,
  })
}

function read(path: string): string {
  if (!existsSync(path)) throw new Absent(`${path} is absent`)
  return readFileSync(path, 'utf8')
}

function tokenizerJson(folder: string): TokenizerJson {
  return { ...JSON.parse(read(join(folder, 'tokenizer.json'))), post_processor: null }
}

/** GPT-2's letters for bytes. */
const LETTERS = byteLetters()

function byteLetters(): string[] {
  const plain = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255)
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(plain(byte) ? byte : next++))
}

function byteLevel(
  pattern: string,
  vocab: Record<string, number>,
  merges: string[][],
  added: AddedToken[],
): TokenizerJson {
  return {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: 'BPE', vocab, merges, ignore_merges: true } as TokenizerJson['model'],
  }
}

const TEKKEN_PATTERN =
  '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const LLAMA4_PATTERN =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
const GPT4_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/** 1000 control slots, then the ranks. */
function fromTekken(path: string): TokenizerJson {
  const slots = 1000
  const file: { vocab: { rank: number; token_bytes: string }[] } = JSON.parse(read(path))
  const ranks = file.vocab.slice(0, 131072 - slots).map(entry => latin1(entry.token_bytes))
  return fromRanks(ranks, slots, TEKKEN_PATTERN)
}

function fromTiktoken(path: string): TokenizerJson {
  const ranks = read(path)
    .split('\n')
    .filter(line => line !== '')
    .map(line => latin1(line.split(' ')[0] as string))
  const json = fromRanks(ranks, 0, LLAMA4_PATTERN)
  for (const [index, content] of llama4Specials().entries())
    put(json, { id: ranks.length + index, content, special: true })
  return json
}

const latin1 = (base64: string) => Buffer.from(base64, 'base64').toString('latin1')

/** tiktoken has ranks only; the merge that makes a token is the one its bytes end in when only earlier tokens may be made. */
function fromRanks(ranks: readonly string[], offset: number, pattern: string): TokenizerJson {
  const rankOf = new Map(ranks.map((bytes, rank) => [bytes, rank]))
  const letters = (bytes: string) => Array.from(bytes, byte => LETTERS[byte.charCodeAt(0)]).join('')
  const merges: string[][] = []
  for (const [rank, bytes] of ranks.entries()) {
    if (bytes.length < 2) continue
    const parts = mergedBelow(bytes, rank, rankOf)
    if (parts.length === 2) merges.push(parts.map(letters))
  }
  const vocab = Object.fromEntries(ranks.map((bytes, rank) => [letters(bytes), rank + offset]))
  return byteLevel(pattern, vocab, merges, [])
}

function mergedBelow(bytes: string, limit: number, rankOf: Map<string, number>): string[] {
  let parts = Array.from(bytes)
  for (;;) {
    let best = -1
    let bestRank = limit
    for (let index = 0; index + 1 < parts.length; index++) {
      const rank = rankOf.get(`${parts[index]}${parts[index + 1]}`)
      if (rank !== undefined && rank < bestRank) [best, bestRank] = [index, rank]
    }
    if (best < 0) return parts
    parts = [...parts.slice(0, best), `${parts[best]}${parts[best + 1]}`, ...parts.slice(best + 2)]
  }
}

/** The control tokens of Llama 4 that the rows use, at their places behind the ranks. */
function llama4Specials(): string[] {
  const names = new Map([
    [0, '<|begin_of_text|>'],
    [1, '<|end_of_text|>'],
    [2, '<|fim_prefix|>'],
    [3, '<|fim_middle|>'],
    [4, '<|fim_suffix|>'],
    [5, '<|header_start|>'],
    [6, '<|header_end|>'],
    [7, '<|eom|>'],
    [8, '<|eot|>'],
    [18, '<|finetune_right_pad|>'],
    [80, '<|image_start|>'],
    [81, '<|image_end|>'],
    [84, '<|tile_x_separator|>'],
    [85, '<|tile_y_separator|>'],
    [90, '<|image|>'],
    [92, '<|patch|>'],
  ])
  return Array.from({ length: 93 }, (_, index) => names.get(index) ?? `<|slot_${index}|>`)
}

function fromVocabAndMerges(folder: string): TokenizerJson {
  const vocab = JSON.parse(read(join(folder, 'vocab.json')))
  const merges = read(join(folder, 'merges.txt'))
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#version'))
    .map(line => line.split(' '))
  const config = JSON.parse(read(join(folder, 'tokenizer_config.json')))
  const added = Object.entries(config.added_tokens_decoder as Record<string, AddedToken>).map(([id, token]) => ({
    ...token,
    id: Number(id),
  }))
  return byteLevel(GPT4_PATTERN, vocab, merges, added)
}

function markerTokenizer(json: TokenizerJson): MarkerTokenizer {
  const all = json.added_tokens.map(({ id, content, special }) => ({ id, content, special: special === true }))
  return jsonCodec('tokenizer.json', json as unknown as Record<string, unknown>, {}, all, [])
}
