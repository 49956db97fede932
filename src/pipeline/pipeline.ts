import type { Config, DatasetConfig } from '../config/index.js'
import { LossmaskError } from '../errors.js'
import type { Notice } from '../strategies/index.js'
import type { LoadedTokenizer } from '../tokenizer/index.js'
import { type Compiled, compileConfig, rowSpec } from './compile.js'
import { type EncodedRow, openRows, type RowEncoder } from './rows.js'

/** A message of a conversation, as the chat template gets it. */
export type Message = Readonly<Record<string, unknown>>

/** What `encodeAll` does with rows that cannot be encoded. */
export interface EncodeAllOptions {
  /** Called for a bad row, which is then left out. Without it the first bad row is thrown. */
  onError?: (error: LossmaskError, index: number) => void
}

/** Rows encoded at a time, and batches on their way at a time. */
const batchRows = 32
const batchesAhead = 4

/**
 * Conversations in, rows out, as `lossmask preprocess` makes them from files.
 *
 * ```ts
 * const pipeline = await Pipeline.fromConfig(await loadConfig('config.yml'))
 * const { inputIds, labels, status } = await pipeline.encode([{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Hello' }])
 * ```
 */
export class Pipeline {
  /** The model's tokenizer. */
  readonly tokenizer: LoadedTokenizer
  /** What is odd about the config, the tokenizer or the strategy. */
  readonly notices: readonly Notice[]
  readonly #messages: string
  readonly #rows: RowEncoder

  private constructor({ tokenizer, notices, config }: Compiled, rows: RowEncoder) {
    this.tokenizer = tokenizer
    this.notices = notices
    this.#messages = config.datasets[0]?.fieldMessages ?? 'messages'
    this.#rows = rows
  }

  /**
   * Loads the tokenizer and compiles the template and the strategy of a config. Rows are treated as those of its first dataset; a
   * config without datasets is one of `messages`.
   */
  static async fromConfig(config: Config): Promise<Pipeline> {
    const compiled = await compileConfig(withDataset(config))
    return new Pipeline(compiled, await openRows(rowSpec(compiled)))
  }

  /**
   * Encodes one row: a list of messages, or an object as it would stand in a data file.
   *
   * @throws LossmaskError when the row is not what the config says, or the template refuses it.
   */
  async encode(row: readonly Message[] | object): Promise<EncodedRow> {
    const [encoded] = await this.#rows.rows([this.#json(row)])
    if (encoded instanceof LossmaskError) throw encoded
    return encoded as EncodedRow
  }

  /**
   * Encodes one row that is JSON, as it would stand in a data file. Use it where a row has numbers: `JSON.parse` makes `1` of `1.0` and rounds
   * integers beyond 2^53, so that a row which went through JavaScript trains other digits than its file holds.
   *
   * @throws LossmaskError `invalid-json`, `invalid-utf8`, or as `encode`.
   */
  async encodeJson(json: string | Uint8Array): Promise<EncodedRow> {
    const text = typeof json === 'string' ? json : utf8(json)
    const isList = /^\s*\[/u.test(text)
    const [encoded] = await this.#rows.rows([isList ? `{${JSON.stringify(this.#messages)}:${text}}` : text])
    if (encoded instanceof LossmaskError) throw encoded
    return encoded as EncodedRow
  }

  /** Encodes rows in their order, several at a time, reading ahead only so far. */
  async *encodeAll(
    rows: AsyncIterable<readonly Message[] | object> | Iterable<readonly Message[] | object>,
    { onError }: EncodeAllOptions = {},
  ): AsyncGenerator<EncodedRow> {
    const queue: Promise<(EncodedRow | LossmaskError)[]>[] = []
    let first = 0
    const next = async function* () {
      const results = (await queue.shift()) ?? []
      for (const [index, row] of results.entries()) {
        if (!(row instanceof LossmaskError)) yield row
        else if (onError === undefined) throw row
        else onError(row, first + index)
      }
      first += results.length
    }
    let batch: string[] = []
    const send = () => {
      const results = this.#rows.rows(batch)
      results.catch(() => {})
      queue.push(results)
      batch = []
    }
    for await (const row of rows) {
      batch.push(this.#json(row))
      if (batch.length < batchRows) continue
      send()
      if (queue.length >= batchesAhead) yield* next()
    }
    if (batch.length > 0) send()
    while (queue.length > 0) yield* next()
  }

  #json(row: readonly Message[] | object): string {
    return JSON.stringify(Array.isArray(row) ? { [this.#messages]: row } : row)
  }
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new LossmaskError('invalid-utf8', 'the row is not UTF-8', { hint: 'give the text or its UTF-8 bytes', cause })
  }
}

/** A config without datasets is one of `messages`. */
export function withDataset(config: Config): Config {
  if (config.datasets.length > 0) return config
  const messages = { path: '', type: 'chat_template', dropSystemMessage: false, splitThinking: false }
  return { ...config, datasets: [messages as DatasetConfig] }
}
