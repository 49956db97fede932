import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LossmaskError } from '../errors.js'
import { jsonCodec } from './codec.js'
import { type JsonObject, kindOf, readJson } from './files.js'
import { resolveModel } from './hub.js'
import {
  type Additions,
  addTokens,
  declaredTokens,
  fileAddedTokens,
  namedTokensOf,
  specialTokensOf,
  unnamedSpecialTokens,
} from './special.js'
import { tekkenCodec, tekkenSpecialTokens } from './tekken.js'
import { readChatTemplates } from './templates.js'
import type { Codec, LoadedTokenizer, TokenizerOptions, TokenToAdd } from './types.js'
import { modelVocabulary } from './vocabulary.js'

/**
 * Loads the tokenizer of a model.
 *
 * @param model a folder with `tokenizer.json` or `tekken.json`, such a file itself, or a hub id (`Qwen/Qwen3-8B`), which is looked up in
 * the local Hugging Face cache and else downloaded (`HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_TOKEN`, `HF_HUB_OFFLINE`).
 * @throws LossmaskError `tokenizer-not-found`, `tokenizer-format-unsupported`, `tokenizer-file-invalid`, `tokenizer-file-unreadable`,
 * `special-token-invalid`, and the `hub-*` codes.
 *
 * ```ts
 * const tokenizer = await loadTokenizer('path/to/model')
 * tokenizer.encode('ab<|im_end|>') // => [5, 21]
 * tokenizer.eosToken // => '<|im_end|>'
 * ```
 */
export async function loadTokenizer(model: string, options: TokenizerOptions = {}): Promise<LoadedTokenizer> {
  const folder = await folderOf(model, options)
  const configs = await readConfigs(folder)
  const { codec, additions, path, usual } = await readCodec(folder, configs, options)
  const { templates, file } = await readChatTemplates(folder, configs.tokenizer, configs.processor)
  const named = specialTokensOf([configs.tokenizer, configs.specialMap])
  const specialTokens = { ...usual, ...named, ...options.specialTokens }
  const special = (name: string) => specialTokens[`${name}_token`]
  const specialId = (name: string) => {
    const token = special(name)
    return token === undefined ? undefined : codec.tokenToId(token)
  }
  return {
    ...codec,
    folder,
    spec: { path, addedTokens: additions.added.map(({ id: _, ...token }) => token) },
    bosToken: special('bos'),
    bosTokenId: specialId('bos'),
    eosToken: special('eos'),
    eosTokenId: specialId('eos'),
    padToken: special('pad'),
    padTokenId: specialId('pad'),
    unkToken: special('unk'),
    unkTokenId: specialId('unk'),
    generationEosTokenIds: idList(configs.generation.eos_token_id),
    addedTokens: additions.all,
    specialTokens,
    namedTokens: namedTokensOf([specialTokens, configs.tokenizer, configs.processor, configs.model]),
    chatTemplate: templates.default,
    chatTemplates: templates,
    chatTemplateFile: file === undefined ? undefined : join(folder, file),
    modelType: textOf(configs.model.model_type),
    processorClass: textOf(configs.processor.processor_class ?? configs.tokenizer.processor_class),
    notices: additions.notices,
  }
}

/** The configuration files beside a tokenizer; an absent one is empty. */
interface Configs {
  tokenizer: JsonObject
  specialMap: JsonObject
  processor: JsonObject
  generation: JsonObject
  model: JsonObject
}

async function readConfigs(folder: string): Promise<Configs> {
  const read = async (name: string) => (await readJson(folder, name)) ?? {}
  const [tokenizer, specialMap, processor, preprocessor, generation, model] = await Promise.all([
    read('tokenizer_config.json'),
    read('special_tokens_map.json'),
    read('processor_config.json'),
    read('preprocessor_config.json'),
    read('generation_config.json'),
    read('config.json'),
  ])
  return { tokenizer, specialMap, processor: { ...preprocessor, ...processor }, generation, model }
}

interface ReadCodec {
  codec: Codec
  additions: Additions
  /** The tokenizer file. */
  path: string
  /** Special tokens where the configuration names none. */
  usual: Record<string, string>
}

async function readCodec(folder: string, configs: Configs, options: TokenizerOptions): Promise<ReadCodec> {
  const path = join(folder, 'tokenizer.json')
  const json = await readJson(folder, 'tokenizer.json')
  if (json === undefined) return readTekken(folder, options)
  const file = fileAddedTokens(json)
  const vocabulary = new Map(modelVocabulary(json))
  if (vocabulary.size === 0) {
    throw new LossmaskError('tokenizer-file-invalid', 'tokenizer.json has no model vocabulary', {
      file: path,
      path: 'model.vocab',
    })
  }
  const declared = [...declaredTokens(configs.tokenizer), ...namedAsSpecial(configs, options)]
  const additions = addTokens(file, vocabulary.size, token => vocabulary.get(token), declared)
  return { codec: jsonCodec(path, json, configs.tokenizer, additions.all, additions.added), additions, path, usual: {} }
}

/** The tokens that the configuration names as special, and those of the options: they are added where the vocabulary lacks them. */
function namedAsSpecial(configs: Configs, options: TokenizerOptions): TokenToAdd[] {
  const sources = [configs.tokenizer, configs.specialMap]
  const special = [
    ...Object.values(specialTokensOf(sources)),
    ...unnamedSpecialTokens(sources),
    ...optionTokens(options.specialTokens),
  ]
  return [
    ...special.map(content => ({ content, special: true })),
    // axolotl adds them so: matched in the text as it stands, also where the vocabulary normalizes.
    ...(options.tokens ?? []).map(content => ({ content, special: false, normalized: false })),
  ]
}

function optionTokens(specialTokens: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(specialTokens).map(([name, token]) => {
    if (typeof token === 'string' && token !== '') return token
    throw new LossmaskError('special-token-invalid', `expected a token's text, found ${JSON.stringify(token)}`, {
      path: `special_tokens.${name}`,
    })
  })
}

async function readTekken(folder: string, options: TokenizerOptions): Promise<ReadCodec> {
  const path = join(folder, 'tekken.json')
  const json = await readJson(folder, 'tekken.json')
  if (json === undefined) throw await unsupported(folder)
  const wanted = [...optionTokens(options.specialTokens), ...(options.tokens ?? [])]
  const codec = tekkenCodec(path)
  const missing = wanted.find(token => codec.tokenToId(token) === undefined)
  if (missing !== undefined) {
    throw new LossmaskError(
      'special-token-invalid',
      `tekken.json has no token ${JSON.stringify(missing)}, and none can be added to it`,
      {
        file: path,
      },
    )
  }
  const additions = { all: codec.addedTokens, added: [], notices: [] }
  return { codec, additions, path, usual: tekkenSpecialTokens(codec) }
}

/** Why a folder has no tokenizer that can be loaded. */
async function unsupported(folder: string): Promise<LossmaskError> {
  const names = await readdir(folder)
  const convert = `python -c "from transformers import AutoTokenizer as T; T.from_pretrained('${folder}').save_pretrained('${folder}')" writes a tokenizer.json`
  const found = names.find(name => /(^|\.)(tokenizer|spiece|sentencepiece.*)\.model$|\.tiktoken$|\.spm$/u.test(name))
  if (found !== undefined) {
    const format = found.endsWith('.tiktoken') ? 'tiktoken' : 'SentencePiece (or tiktoken)'
    return new LossmaskError(
      'tokenizer-format-unsupported',
      `${found} is a ${format} file; lossmask reads tokenizer.json and tekken.json`,
      {
        file: join(folder, found),
        hint: convert,
      },
    )
  }
  const slow = ['vocab.json', 'vocab.txt', 'merges.txt'].find(name => names.includes(name))
  if (slow !== undefined) {
    return new LossmaskError(
      'tokenizer-format-unsupported',
      `${slow} is of a slow tokenizer; lossmask reads tokenizer.json and tekken.json`,
      {
        file: join(folder, slow),
        hint: convert,
      },
    )
  }
  return new LossmaskError('tokenizer-not-found', 'the folder has neither tokenizer.json nor tekken.json', {
    file: folder,
    hint: 'give the folder of a model, or a hub id such as Qwen/Qwen3-8B',
  })
}

async function folderOf(model: string, options: TokenizerOptions): Promise<string> {
  if (typeof model !== 'string' || model === '' || model.includes('\0')) {
    throw new LossmaskError(
      'invalid-argument',
      `expected a folder or a hub id, found ${JSON.stringify(model) ?? typeof model}`,
      { path: 'model' },
    )
  }
  const kind = await kindOf(model)
  if (kind === 'folder') return resolve(model)
  if (kind === undefined)
    return resolveModel(model, options.revision === undefined ? {} : { revision: options.revision })
  if (['tokenizer.json', 'tekken.json'].includes(basename(model))) return resolve(dirname(model))
  throw new LossmaskError('tokenizer-format-unsupported', 'expected a folder, tokenizer.json or tekken.json', {
    file: model,
  })
}

function idList(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]).filter(id => Number.isSafeInteger(id)) as number[]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
