import { type Paint, paintFor } from './terminal.js'

/** Where a command reads and writes. Results go to `out`, everything else to `err`. */
export interface CommandIo {
  in: NodeJS.ReadableStream
  out: NodeJS.WritableStream & { isTTY?: boolean }
  err: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
  /** Colours of `out`. */
  paint: Paint
  /** Colours of `err`. */
  errPaint: Paint
  /** Set by a command that did its work and found fault: the exit code. */
  verdict?: number
}

/** The process's own streams. A reader of stdout that goes away (`| head`) ends the command in silence. */
export function processIo(): CommandIo {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    in: process.stdin,
    out: process.stdout,
    err: process.stderr,
    paint: paintFor(process.stdout),
    errPaint: paintFor(process.stderr),
  }
}

/** Writes one line of result. */
export function print(io: CommandIo, text: string): void {
  io.out.write(`${text}\n`)
}

/** Writes one line about the work. */
export function say(io: CommandIo, text: string): void {
  io.err.write(`${text}\n`)
}

/** Writes the one JSON document of `--json`. */
export function printJson(io: CommandIo, value: unknown): void {
  io.out.write(`${JSON.stringify(value, undefined, 2)}\n`)
}
