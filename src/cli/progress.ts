import { counted, duration, short } from './terminal.js'

/** Where a run stands. */
export interface Progress {
  rows: number
  tokens: number
  bytesRead: number
  bytesTotal: number
}

/** Where progress goes. */
interface Stream {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

/** Nothing is shown of a run shorter than this. */
const patience = 1000
const everyOnTerminal = 100
const everyInLog = 10_000

/**
 * Shows how far a run is: one line that is written over on a terminal, a plain line every ten seconds elsewhere. Silent for runs of
 * less than a second.
 */
export class ProgressLine {
  readonly #began: number
  #next: number
  #shown = false

  constructor(
    readonly stream: Stream,
    readonly now: () => number = Date.now,
  ) {
    this.#began = now()
    this.#next = this.#began + patience
  }

  update(progress: Progress): void {
    const now = this.now()
    if (now < this.#next) return
    this.#next = now + (this.stream.isTTY ? everyOnTerminal : everyInLog)
    const line = progressText(progress, (now - this.#began) / 1000)
    this.stream.write(this.stream.isTTY ? `\r\u001b[2K${line.slice(0, (this.stream.columns ?? 80) - 1)}` : `${line}\n`)
    this.#shown = true
  }

  /** Takes the line away, so that what follows begins on a clean one. */
  clear(): void {
    if (this.#shown && this.stream.isTTY) this.stream.write('\r\u001b[2K')
    this.#shown = false
  }
}

/** ` 42 % [########............] 12,000 rows, 1.25 M tokens/s, 8.2 s left` */
export function progressText({ rows, tokens, bytesRead, bytesTotal }: Progress, seconds: number): string {
  const speed = `${counted(rows, 'row')}, ${short(tokens / Math.max(seconds, 1e-3))} tokens/s`
  if (bytesTotal <= 0) return `${speed}, ${duration(seconds)}`
  const share = Math.min(bytesRead / bytesTotal, 1)
  const full = Math.floor(share * 20)
  const bar = `${'#'.repeat(full)}${'.'.repeat(20 - full)}`
  const left = share > 0 ? `, ${duration((seconds / share) * (1 - share))} left` : ''
  return `${String(Math.floor(share * 100)).padStart(3)} % [${bar}] ${speed}${left}`
}
