import type { RowDiagnosis } from './diagnosis.js'
import { LossmaskError } from './errors.js'
import { fromNumbers } from './ids.js'
import {
  type CompletionOnlyOptions,
  coreOptions,
  type MaskerOptions,
  type ResponsesOnlyOptions,
  type Rules,
} from './maskerOptions.js'
import { type Binding, fromNative, guarded, native } from './native.js'
import type { StrategyOverrides } from './strategies/types.js'
import { strategyOptions } from './strategyMasker.js'
import type { AnyTokenizer } from './tokenizer/adapt.js'

/** A row of token ids. Ids that no vocabulary has are fine: they are content. */
export type TokenIds = Int32Array | Uint32Array | BigInt64Array | readonly number[]

/** What labels of such ids are stored in. Labels of a `Uint32Array` are `Int32Array`s: an id of 2^31 or more comes out with the same bits. */
export type LabelsOf<I extends TokenIds> = I extends BigInt64Array ? BigInt64Array : Int32Array

/** Where labels may be written: as wide as the ids. */
export type LabelArray = Int32Array | Uint32Array | BigInt64Array

/**
 * How rows lie in one flat array: `rowLength` for `[B, L]`; `offsets` for rows of any length, row `i` from `offsets[i]` to `offsets[i + 1]`: one
 * offset more than rows, from 0 to the number of ids, never decreasing.
 */
export type Rows =
  | { readonly rowLength: number }
  | { readonly offsets: Int32Array | Uint32Array | BigInt64Array | readonly number[] }

/** Options of a batch. */
export interface BatchOptions {
  /**
   * As long as the ids; 0 is padding. Padding is then known by position: it is never trained and never read as a marker, whatever its
   * id. Without it every id counts, and padding ids belong into `ignoreTokenIds`.
   */
  readonly attentionMask?: Uint8Array | Int32Array | Uint32Array | BigInt64Array | readonly number[] | undefined
}

/** Options of a batch whose labels are written into an array at hand. */
export interface BatchIntoOptions extends BatchOptions {
  /** Where to write: as long and as wide as the ids, or the ids themselves. */
  readonly out?: LabelArray | undefined
}

/** One recognised role span of a row. Positions are token indices; spans are `[start, end)`. */
export interface Turn {
  readonly role: string
  /** First token of the start marker. */
  readonly start: number
  /** First token behind the header: start marker, tail, and a token in which the tail is fused with content. */
  readonly contentStart: number
  /** First token of the end marker, or the end of the row. */
  readonly contentEnd: number
  /** Behind the end marker where it belongs to the turn, else `contentEnd`. */
  readonly end: number
  /** Whether any part of the turn may be trained: its role is, and the turn is selected. */
  readonly trained: boolean
  /** Whether an end marker was found; always `true` for a role without one. */
  readonly terminated: boolean
}

type NativeMasker = ReturnType<Binding['createMasker']>

/** A masker that is compiled already; see `Masker.completionOnly`. */
class Compiled {
  constructor(readonly native: NativeMasker) {}
}

/**
 * Decides for every token of a row whether a model is trained on it. Compiled once, used for any number of rows, from any number of
 * calls at once.
 *
 * ```ts
 * // <|im_start|> 151644, assistant 77091, \n 198, <|im_end|> 151645
 * const masker = new Masker({
 *   boundaries: [{ role: 'assistant', start: [151644, 77091, 198], end: [151645] }],
 * })
 * masker.labels([151644, 77091, 198, 9707, 0, 151645, 198]) // => [-100, -100, -100, 9707, 0, 151645, -100]
 * masker.turns([151644, 77091, 198, 9707, 0, 151645]).length // => 1
 * ```
 */
export class Masker {
  readonly #masker: NativeMasker
  readonly #binding: Binding
  readonly #writeLabels: ReturnType<Binding['rowWriter']>

  /**
   * @throws LossmaskError with all issues of the options: `unknown-option`, `missing-option`, `invalid-option`, `ambiguous-end`.
   */
  constructor(options: MaskerOptions)
  /** @internal */
  constructor(options: MaskerOptions | Compiled)
  constructor(options: MaskerOptions | Compiled) {
    this.#binding = native()
    this.#masker = options instanceof Compiled ? options.native : compile('boundaries', options)
    this.#writeLabels = guarded(() => this.#binding.rowWriter(this.#masker))
  }

  /**
   * A masker for a model family: its role boundaries and media tokens, resolved against a tokenizer.
   *
   * @param name the family, as `listStrategies` names it, or `undefined` when `roleBoundaries` says everything.
   * @param tokenizer what `loadTokenizer` returns, or any object with `encode` (no special tokens added) and `decode`.
   * @throws LossmaskError `strategy-unknown`, `strategy-without-boundaries`, `marker-not-found`, ...: see `docs/diagnostics.md`.
   *
   * ```ts
   * const tokenizer = await loadTokenizer('path/to/model')
   * const masker = Masker.forStrategy('chatml', tokenizer, { trainOnEos: 'none' })
   * masker.labels(tokenizer.encode('<|im_start|>assistant\na<|im_end|>')).at(-1) // => -100
   * ```
   */
  static forStrategy(name: string | undefined, tokenizer: AnyTokenizer, options: StrategyMaskerOptions = {}): Masker {
    return new Masker(strategyOptions(name, tokenizer, options))
  }

  /**
   * TRL's `DataCollatorForCompletionOnlyLM` over ids. A response template's turn runs to the next template of any kind
   * (huggingface/trl#3224); with `classic: true` as TRL's class up to v0.19 had it.
   *
   * ```ts
   * const masker = Masker.completionOnly({ response: [1, 3], instruction: [1, 2] })
   * masker.labels([1, 2, 7, 1, 3, 8, 9]) // => [-100, -100, -100, -100, -100, 8, 9]
   * ```
   */
  static completionOnly(options: CompletionOnlyOptions): Masker {
    return new Masker(new Compiled(compile('completion-only', options)))
  }

  /**
   * Unsloth's `train_on_responses_only` over ids: a response runs to the next instruction part or the end of the row, whatever stands in
   * between, exactly as there.
   *
   * ```ts
   * const masker = Masker.responsesOnly({ instruction: [1], response: [2] })
   * masker.labels([1, 7, 2, 8, 9, 1, 7]) // => [-100, -100, -100, 8, 9, -100, -100]
   * ```
   */
  static responsesOnly(options: ResponsesOnlyOptions): Masker {
    return new Masker(new Compiled(compile('responses-only', options)))
  }

  /**
   * The labels of one row, in an array of their own: the id where a token is trained, `ignoreIndex` elsewhere; unshifted.
   *
   * @throws LossmaskError `invalid-ids`, `invalid-token-id`, `shared-buffer`, `detached-buffer`.
   */
  labels<I extends TokenIds>(ids: I): LabelsOf<I> {
    if (Array.isArray(ids)) {
      const row = fromNumbers(ids, 'ids')
      return this.labelsInto(row, row) as LabelsOf<I>
    }
    return this.labelsInto(ids, emptyLabels(ids as LabelArray)) as LabelsOf<I>
  }

  /**
   * The labels of one row, written into `out`; no memory is allocated. `out` is as long and as wide as `ids`, and may be `ids` itself.
   *
   * @returns `out`
   * @throws LossmaskError as {@link labels}, `invalid-output`, `output-length`, `overlapping-arrays`; nothing is written then.
   */
  labelsInto<O extends LabelArray>(ids: TokenIds, out: O): O {
    try {
      this.#writeLabels(Array.isArray(ids) ? fromNumbers(ids, 'ids') : (ids as LabelArray), out)
    } catch (error) {
      throw fromNative(error)
    }
    return out
  }

  /**
   * The labels of many rows in one flat array, as long as `ids`.
   *
   * @throws LossmaskError as {@link labelsInto}, `row-length`, `row-offsets`, `invalid-attention-mask`, `attention-mask-length`.
   *
   * ```ts
   * const masker = new Masker({ boundaries: [{ role: 'assistant', start: [1], end: [9] }] })
   * const ids = Int32Array.of(1, 5, 9, 0, 7, 1, 6, 9)
   * masker.labelsBatch(ids, { rowLength: 4 }, { attentionMask: [1, 1, 1, 0, 1, 1, 1, 1] }) // => [-100, 5, 9, -100, -100, -100, 6, 9]
   * masker.labelsBatch(ids, { offsets: [0, 3, 8] }) // => [-100, 5, 9, -100, -100, -100, 6, 9]
   * ```
   */
  labelsBatch<I extends TokenIds>(ids: I, rows: Rows, options: BatchIntoOptions = {}): LabelsOf<I> {
    const flat = typed(ids, 'ids')
    const out = options.out ?? (Array.isArray(ids) ? flat : emptyLabels(flat))
    const [rowLength, offsets] = layout(rows)
    const mask = optionalTyped(options.attentionMask, 'attentionMask')
    guarded(() => this.#binding.labelsBatchInto(this.#masker, flat, rowLength, offsets, mask, out))
    return out as LabelsOf<I>
  }

  /**
   * The same off the JavaScript thread, on the thread pool. The arrays are copied before this returns: they may be changed, transferred or
   * dropped at once.
   */
  async labelsBatchAsync<I extends TokenIds>(ids: I, rows: Rows, options: BatchOptions = {}): Promise<LabelsOf<I>> {
    const flat = typed(ids, 'ids')
    const [rowLength, offsets] = layout(rows)
    const mask = optionalTyped(options.attentionMask, 'attentionMask')
    try {
      return (await this.#binding.labelsBatchAsync(this.#masker, flat, rowLength, offsets, mask)) as LabelsOf<I>
    } catch (error) {
      throw fromNative(error)
    }
  }

  /** The turns of one row, in order. */
  turns(ids: TokenIds): Turn[] {
    return guarded(() => this.#binding.turns(this.#masker, typed(ids, 'ids')))
  }

  /**
   * What the ids of one row alone show to be odd about its turns: `stray-end-marker`, an end marker with text in front of it that is in no
   * turn. A whole turn that was typed into a message looks as a real one does: where the messages are at hand, the pipeline tells them apart.
   */
  diagnose(ids: TokenIds): RowDiagnosis[] {
    return guarded(() => this.#binding.diagnose(this.#masker, typed(ids, 'ids'))) as RowDiagnosis[]
  }

  /**
   * Masks labels that exist already, in place: those of tokens that are not trained become `ignoreIndex`, the others stay as they are.
   *
   * @returns `labels`
   */
  maskLabels<O extends LabelArray>(ids: TokenIds, labels: O): O {
    guarded(() => this.#binding.maskLabels(this.#masker, typed(ids, 'ids'), labels))
    return labels
  }

  /**
   * What TRL's collator warns of in a row, for a masker of {@link completionOnly}: `response-not-found`, `instruction-not-found`. Empty for
   * any other.
   */
  templateWarnings(ids: TokenIds): string[] {
    return guarded(() => this.#binding.templateWarnings(this.#masker, typed(ids, 'ids')))
  }
}

/** Options of `Masker.forStrategy`: what a config says over the strategy, and the core's options that no strategy knows. */
export type StrategyMaskerOptions = StrategyOverrides &
  Pick<MaskerOptions, 'ignoreIndex' | 'ignoreTokenIds' | 'termination' | 'trainOnSharedEnd' | 'turns' | 'unterminated'>

function compile(rules: Rules, options: unknown): NativeMasker {
  const json = coreOptions(rules, options)
  return guarded(() => native().createMasker(rules, json))
}

/** An array for the labels of `ids`, of whatever realm; what is no typed array of ids is for the binding to refuse. */
function emptyLabels(ids: LabelArray): LabelArray {
  const length = ArrayBuffer.isView(ids) ? (ids.length ?? 0) : 0
  return ids?.[Symbol.toStringTag] === 'BigInt64Array' ? new BigInt64Array(length) : new Int32Array(length)
}

function typed(value: TokenIds, path: string): LabelArray {
  return Array.isArray(value) ? fromNumbers(value, path) : (value as LabelArray)
}

function optionalTyped(value: BatchOptions['attentionMask'], path: string) {
  return Array.isArray(value) ? fromNumbers(value, path) : (value as Exclude<typeof value, readonly number[]>)
}

function layout(rows: Rows): [number | undefined, Int32Array | Uint32Array | BigInt64Array | undefined] {
  const { rowLength, offsets } = (rows ?? {}) as { rowLength?: unknown; offsets?: unknown }
  if ((rowLength === undefined) === (offsets === undefined)) {
    throw new LossmaskError('row-length', 'expected either rowLength or offsets', { path: 'rows' })
  }
  if (rowLength === undefined) return [undefined, typed(offsets as readonly number[], 'offsets')]
  if (typeof rowLength === 'number' && Number.isSafeInteger(rowLength) && rowLength >= 0) return [rowLength, undefined]
  throw new LossmaskError('row-length', `expected a whole number of tokens, found ${String(rowLength)}`, {
    path: 'rowLength',
  })
}
