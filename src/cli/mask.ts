import { availableParallelism } from 'node:os'
import { Command, Option } from 'commander'
import { loadConfig } from '../config/index.js'
import { formatIssue, LossmaskError } from '../errors.js'
import { compileConfig, rowSpec } from '../pipeline/compile.js'
import { type EncodedLines, openRows } from '../pipeline/rows.js'
import { onData } from './failure.js'
import { type CommandIo, say } from './io.js'
import { counted } from './terminal.js'

interface Options {
  config: string
  tokenizer?: string
  onError: 'fail' | 'skip'
}

const source = '<stdin>'
const newline = 0x0a

/** `lossmask mask` */
export function maskCommand(io: CommandIo): Command {
  return new Command('mask')
    .description(
      'Read rows as JSON lines on stdin, write input_ids, labels and attention_mask as JSON lines on stdout.',
    )
    .requiredOption('-c, --config <config>', "axolotl's YAML; rows are treated as those of its first dataset")
    .option('--tokenizer <model>', "a folder or hub id instead of the config's model")
    .addOption(
      new Option('--on-error <what>', 'a bad row stops the command, or is left out and told on stderr')
        .choices(['fail', 'skip'])
        .default('fail'),
    )
    .action((options: Options) => mask(io, options))
}

async function mask(io: CommandIo, { config, tokenizer, onError }: Options): Promise<void> {
  const compiled = await compileConfig(await loadConfig(config), tokenizer)
  const rows = await openRows(rowSpec(compiled, { onError }))
  const totals = { read: 0, written: 0, rejected: 0, dropped: 0 }
  await onData(async () => {
    let firstLine = 1
    const encode = (piece: Buffer) => {
      const out = rows.lines(piece, source, firstLine)
      firstLine += lineCount(piece)
      return out
    }
    for await (const out of ordered(pieces(io.in), encode)) {
      await write(io.out, out.lines)
      for (const issue of out.rejected) {
        if (onError === 'fail') throw LossmaskError.of([issue])
        say(io, `left out: ${formatIssue(issue)}`)
      }
      totals.read += out.report.rowsRead
      totals.written += out.report.rowsWritten
      totals.rejected += out.rejected.length
      totals.dropped += Object.values(out.report.dropped).reduce((sum, rows) => sum + rows, 0)
    }
  })
  const lost = [
    ...(totals.dropped > 0 ? [`${totals.dropped} dropped by length or for want of a trained token`] : []),
    ...(totals.rejected > 0 ? [`${totals.rejected} rejected`] : []),
  ]
  if (lost.length > 0) say(io, `${counted(totals.read, 'row')} read, ${totals.written} written, ${lost.join(', ')}`)
}

/** Whole lines of a stream, as they come; the last one may lack its line break. */
async function* pieces(stream: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  for await (const chunk of stream) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
    const end = bytes.lastIndexOf(newline) + 1
    if (end > 0) {
      yield Buffer.concat([...parts, bytes.subarray(0, end)])
      parts = []
    }
    if (end < bytes.length) parts.push(bytes.subarray(end))
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}

/** Works on as many pieces at a time as there are cores, and yields the results in order. */
async function* ordered(
  source: AsyncIterable<Buffer>,
  work: (piece: Buffer) => Promise<EncodedLines>,
): AsyncGenerator<EncodedLines> {
  const queue: Promise<EncodedLines>[] = []
  for await (const piece of source) {
    const result = work(piece)
    result.catch(() => {})
    queue.push(result)
    if (queue.length > availableParallelism()) yield (await queue.shift()) as EncodedLines
  }
  for (const result of queue) yield await result
}

function lineCount(piece: Buffer): number {
  let lines = 0
  for (let at = piece.indexOf(newline); at >= 0; at = piece.indexOf(newline, at + 1)) lines += 1
  return lines
}

/** Waits where the reader is slow. */
async function write(out: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0 && !out.write(bytes)) await new Promise<void>(resolve => out.once('drain', resolve))
}
