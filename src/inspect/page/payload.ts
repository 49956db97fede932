/**
 * What a page holds. The head is small and read at once; the rows stand in chunks of gzipped JSON that are opened when
 * somebody looks at them, so that ten thousand rows open as fast as ten.
 */

/** Everything known before a row is opened. One entry per row in each column of `rows`. */
export type PageHead = {
  title: string
  /** Facts in reading order, such as the knobs and the marker ids: `[name, value]`. */
  facts: [string, string][]
  roles: string[]
  /** Names that the spans of the rows point into. */
  kinds: string[]
  reasons: string[]
  statuses: string[]
  codes: { code: string; severity: 'info' | 'warning' | 'error'; hint: string | null }[]
  files: string[]
  rows: {
    tokens: number[]
    trained: number[]
    status: number[]
    /** Index into `files`. */
    file: number[]
    /** 1-based line or row of the file. */
    line: number[]
    /** Indices into `codes`, without repeats. */
    codes: number[][]
  }
  /** Trained and all tokens per role, over all rows. */
  perRole: { role: string; tokens: number; trained: number }[]
  /** Rows that were not written, by reason. */
  dropped: { reason: string; rows: number }[]
  chunkRows: number
  chunks: number
}

/** One row, as it stands in a chunk. */
export type PageRow = {
  /** The row's text. */
  x: string
  /** Length of each token's text in UTF-16 units; a token that ends inside a character has 0, the one that completes it has all. */
  n: number[]
  /** Token ids. */
  i: number[]
  /** Spans, flat: `tokens, turn or -1, kind, trained 0|1, reason, weight` each. */
  s: number[]
  /** Role of each turn. */
  t: number[]
  /** Diagnoses: code, message, span in tokens. */
  d: { c: number; m: string; s: [number, number] | null }[]
}
