import { type Paint, paintFor, printable } from './terminal.js'

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
    if (error.code === 'EPIPE') process.exit(0)
    const full = error.code === 'ENOSPC' || error.code === 'EDQUOT'
    say(io, `lossmask: cannot write to stdout: ${error.message} [${full ? 'disk-full' : 'io-error'}]`)
    process.exit(1)
  })
  // Messages that cannot be written do not stop the work.
  process.stderr.on('error', () => {})
  const io: CommandIo = {
    in: process.stdin,
    out: process.stdout,
    err: process.stderr,
    paint: paintFor(process.stdout),
    errPaint: paintFor(process.stderr),
  }
  return io
}

/** Writes one line of result. */
export function print(io: CommandIo, text: string): void {
  io.out.write(`${printable(text)}\n`)
}

/** Writes one line about the work. */
export function say(io: CommandIo, text: string): void {
  io.err.write(`${printable(text)}\n`)
}

/** Writes the one JSON document of `--json`. */
export function printJson(io: CommandIo, value: unknown): void {
  io.out.write(`${JSON.stringify(value, undefined, 2)}\n`)
}
