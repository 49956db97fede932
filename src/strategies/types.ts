/**
 * What is known of a model family, as data: markers are strings, and become ids only against the tokenizer at hand
 * (`resolve.ts`). The families are `families/families.json`, which Rust reads too.
 */
import type { Severity } from '../diagnosis.js'

/** What resolving a strategy asks of a tokenizer. `loadTokenizer` returns one; any object with `encode` and `decode` can be made one. */
export interface MarkerTokenizer {
  /** Ids of a text, with control tokens recognised in it and none added around it. */
  encode(text: string): ArrayLike<number>
  /** Text of ids, control tokens included. */
  decode(ids: number[]): string
  /** The id of one token given by its exact name, `undefined` when the vocabulary does not have it. */
  tokenToId?(token: string): number | undefined
  /** Every token as the text it stands for (`"\n\n"`, not `"ĊĊ"`) and its id; makes fused header tokens exact. */
  vocabulary?(): Iterable<readonly [text: string, id: number]>
  /** The tokenizer's EOS id, what `end: eos_token` means. */
  eosTokenId?: number | undefined
  /** The tokenizer's padding id. */
  padTokenId?: number | undefined
  /** What unknown text is encoded to. */
  unkTokenId?: number | undefined
  /** The model's own chat template, for detection. */
  chatTemplate?: string | undefined
  /** Tokens the tokenizer configuration names by attribute (`image_token`, `boi_token`, ...): a token's text or its id. */
  namedTokens?: Readonly<Record<string, string | number>> | undefined
}

/** Whose an end marker is: see `EndKind` of the core (`crates/lossmask/src/options.rs`). */
export type EndKind = 'consumed' | 'anchor' | 'before'

/** One end marker of a role. */
export interface EndMarker {
  /** The marker; `eos_token` is the tokenizer's EOS, whatever its name. */
  text: string
  /** Whose it is. */
  kind: EndKind
  /** What `eos_token` is when the tokenizer does not say. */
  fallback?: string
}

/** How one role's turns are recognised. A role may be declared several times (Mistral answers after tool results too). */
export interface RoleMarkers {
  /** The role, as `roles_to_train` spells it. */
  role: string
  /** Any of these opens the turn; the header's trailing white space belongs to `tails`. */
  starts: readonly string[]
  /** What may stand between a start and the content and is header, longest first. */
  tails: readonly string[]
  /** Any of these closes the turn. None: it runs to the end of the row. */
  ends: readonly EndMarker[]
}

/** A stretch of a trained turn that is not trained; without `end` the `start` alone. */
export interface Stretch {
  /** The token that opens it. */
  start: string
  /** The token that closes it. */
  end?: string
  /** Why, for people. */
  reason: string
}

/** How far a family has been checked. */
export type Verification = 'real vocabulary and template' | 'structure only' | 'unverified'

/** How a family is told from the others when nobody names it. Every condition given must hold. */
export interface DetectionHints {
  /** Tokens that the vocabulary has, each as one token. */
  tokens?: readonly string[]
  /** Tokens that it does not have. */
  withoutTokens?: readonly string[]
  /** Strings that stand in the chat template. */
  template?: readonly string[]
  /** Strings that do not. */
  withoutTemplate?: readonly string[]
}

/** A model family. */
export interface Strategy {
  /** Its name in configs and on the command line: axolotl's `chat_template` where there is one. */
  name: string
  /** Its name for people. */
  title: string
  /** Further names it answers to. */
  aliases: readonly string[]
  /** Classes of transformers' or axolotl's processors that belong to it. */
  processors: readonly string[]
  /** Those of them whose media are not expanded. Absent: all are. */
  unexpanded?: readonly string[]
  /** Its role markers, in order of declaration; empty for a family that ids cannot be scanned for. */
  roles: readonly RoleMarkers[]
  /** Other names that `roles_to_train` may use for a role: `{ ipython: 'tool' }`. */
  roleAliases?: Readonly<Record<string, string>>
  /** Tokens of its markers that are control tokens, one id each; a vocabulary that spells one in pieces is not this family's. */
  control: readonly string[]
  /** Stretches inside trained turns that are not trained. */
  exclude: readonly Stretch[]
  /** Placeholders, delimiters, row breaks and tile tags of images, video and audio: never trained. Absent ones are skipped. */
  media: readonly string[]
  /** The project's chat template for it (`templates/NAME.jinja`), when a user may name one. */
  template?: string
  /** How it is detected; none: only by name. */
  detect: readonly DetectionHints[]
  /** `true`, or why ids alone cannot be scanned for its turns. */
  scannable: true | string
  /** Whether axolotl has role boundaries of its own for it (067b021c, `processing_strategies.py`); for the others it trains on all text. */
  axolotlScans?: boolean
  /** How far it has been checked. */
  verified: Verification
  /** The checks, and what they did not cover, in one line. */
  verification: string
  /** What people training it should know. */
  notes: readonly string[]
}

/** One item of `role_boundaries`, as axolotl defines it, with lossmask's `tail` and `endBefore`. */
export interface RoleBoundarySpec {
  role: string
  start: string | readonly string[]
  /** A marker, any of several, `eos_token`, or `null`: to the end of the row. */
  end?: string | readonly string[] | null | undefined
  includeStart?: boolean | undefined
  includeEnd?: boolean | undefined
  tail?: string | readonly string[] | undefined
  endBefore?: string | readonly string[] | undefined
}

/** `train_on_eos`. */
export type TrainOnEos = 'turn' | 'all' | 'last' | 'none'

/** What a config may say over a strategy. */
export interface StrategyOverrides {
  /** Replaces the strategy's own boundaries entirely; empty: as if it were not given. */
  roleBoundaries?: readonly RoleBoundarySpec[] | null | undefined
  rolesToTrain?: readonly string[] | null | undefined
  trainOnEos?: TrainOnEos | null | undefined
  trainOnInputs?: boolean | null | undefined
  /** Train everything but media and padding when there are no boundaries, as axolotl does. */
  legacyFallback?: boolean | null | undefined
  /** Scan for turns although the family's markers are plain text that a user may type. */
  unsafeScan?: boolean | null | undefined
  /** No error when there are no boundaries: a text route derives the mask. */
  boundariesOptional?: boolean | null | undefined
  /** Further tokens that are never trained: names or ids. */
  mediaTokens?: readonly (string | number)[] | null | undefined
  /** Further stretches that are not trained. */
  exclude?: readonly { start: string; end?: string | undefined }[] | null | undefined
}

/** A boundary in the shape the core compiles. */
export interface ResolvedBoundary {
  role: string
  starts: number[][]
  tails: number[][]
  ends: { ids: number[]; kind: EndKind }[]
  includeStart: boolean
}

/** Something the caller should show to people. */
export interface Notice {
  code: string
  /** Default `warning`. */
  severity?: Severity
  message: string
  hint?: string
}

/** A strategy against one tokenizer. */
export interface ResolvedStrategy {
  name: string
  title: string
  /** Where the boundaries come from; `none` when everything is trained. */
  source: 'built-in' | 'override' | 'none'
  boundaries: ResolvedBoundary[]
  exclude: { start: number[]; end: number[] }[]
  /** Ids that are never trained, ascending. */
  mediaTokenIds: number[]
  /** The same with their names, those given by id alone without. */
  media: { token?: string; id: number }[]
  rolesToTrain: string[]
  trainOnEos: TrainOnEos
  /** `true` also when `legacyFallback` made it so. */
  trainOnInputs: boolean
  eosTokenId?: number
  padTokenId?: number
  /** Things to tell people: left out roles, pad that is a marker, the legacy fallback. */
  notices: Notice[]
  /** The resolved masking in lines for a log. */
  lines: string[]
}
