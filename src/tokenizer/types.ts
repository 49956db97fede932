import type { Issue } from '../errors.js'

/** A tokenizer as the Rust side loads it: `TokenizerSpec` of `crates/lossmask-chat`. */
export interface TokenizerSpec {
  /** Absolute path of `tokenizer.json` or `tekken.json`. */
  readonly path: string
  /** Tokens that the file does not hold, in the order in which they get the next free ids, and tokens of the file with flags of their own. */
  readonly addedTokens: readonly TokenToAdd[]
}

/** A token beside the model's vocabulary, with the flags of the tokenizers library. */
export interface TokenToAdd {
  readonly content: string
  /** Whether it is a control token. */
  readonly special: boolean
  /** Whether it takes the white space in front of it. */
  readonly lstrip?: boolean
  /** Whether it takes the white space behind it. */
  readonly rstrip?: boolean
  /** Whether it is found as a word of its own only. */
  readonly singleWord?: boolean
  /** Whether it is looked for in the normalized text. Default: unless it is special. */
  readonly normalized?: boolean
}

/** One token beyond the model's own vocabulary. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  /** Whether it is a control token, which decoding may leave out. */
  readonly special: boolean
}

/** What encodes and decodes; ids are vocabulary indices, text is any string. */
export interface Codec {
  /** Ids of `text`; control tokens in it are recognised, none are added around it. */
  encode(text: string): number[]
  /** Text of `ids`, control tokens included; ids beyond the vocabulary are left out. */
  decode(ids: ArrayLike<number>): string
  /** Id of a token by its exact name as the file spells it (`<|im_end|>`, `Ġthe`). */
  tokenToId(token: string): number | undefined
  /** Name of a token as the file spells it. */
  idToToken(id: number): string | undefined
  /** Every token as the text it stands for (`"\n\n"`, not `"ĊĊ"`), and its id. Bytes that are no whole character are U+FFFD. */
  vocabulary(): Iterable<readonly [text: string, id: number]>
}

/** A model's tokenizer and what its folder says about it. Made by `loadTokenizer`; `Masker.forStrategy` takes it. */
export interface LoadedTokenizer extends Codec {
  /** The folder it was loaded from. */
  readonly folder: string
  /** What the Rust side loads the same tokenizer from. */
  readonly spec: TokenizerSpec
  /** Texts and ids of the special tokens; `undefined` where the folder names none. */
  readonly bosToken: string | undefined
  readonly bosTokenId: number | undefined
  readonly eosToken: string | undefined
  readonly eosTokenId: number | undefined
  readonly padToken: string | undefined
  readonly padTokenId: number | undefined
  readonly unkToken: string | undefined
  readonly unkTokenId: number | undefined
  /** The ids that end generation (`generation_config.json`); empty when the folder does not say. */
  readonly generationEosTokenIds: readonly number[]
  /** Every added token, ascending by id. */
  readonly addedTokens: readonly AddedToken[]
  /** Special tokens under transformers' names (`bos_token`, `eos_token`, `image_token`, ...): template variables too. */
  readonly specialTokens: Readonly<Record<string, string>>
  /** Every `*_token` (text) and `*_token_id`, `*_token_index` (id) that the tokenizer's, processor's or model's configuration names. */
  readonly namedTokens: Readonly<Record<string, string | number>>
  /** The chat template, the one named `default` where there are several. */
  readonly chatTemplate: string | undefined
  /** All chat templates by name; an only one is `default`. */
  readonly chatTemplates: Readonly<Record<string, string>>
  /** Where `chatTemplate` was read from, for messages. */
  readonly chatTemplateFile: string | undefined
  /** `model_type` of `config.json`. */
  readonly modelType: string | undefined
  /** Class of the processor, when the folder names one. */
  readonly processorClass: string | undefined
  /** What is odd about the folder, without being an error. */
  readonly notices: readonly Issue[]
}

/** What a config says over the folder. */
export interface TokenizerOptions {
  /** Special tokens by name, as axolotl's `special_tokens`: `{ pad_token: '<|pad|>' }`. Unknown ones get new ids. */
  readonly specialTokens?: Readonly<Record<string, string>>
  /** Further tokens, as axolotl's `tokens`. */
  readonly tokens?: readonly string[]
  /** A branch, tag or commit of a hub id. Default `main`. */
  readonly revision?: string
}
