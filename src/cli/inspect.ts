import { basename, resolve } from 'node:path'
import { Command } from 'commander'
import { flowText } from '../inspect/flow.js'
import { writePage } from '../inspect/html.js'
import { Prepared } from '../inspect/prepared.js'
import type { ShownRow } from '../pipeline/report.js'
import { onData } from './failure.js'
import { type CommandIo, print, printJson, say } from './io.js'
import { positiveNumber, wholeNumber } from './options.js'
import { rowText } from './rowText.js'
import { counted } from './terminal.js'

interface Options {
  row?: number[]
  split?: string
  failing?: boolean
  code?: string
  limit?: number
  textOnly?: boolean
  html?: string
  json?: boolean
}

const shownRows = 5
/** Rows that a page holds unless `--limit` says otherwise: as many as a browser walks through without effort. */
const pageRows = 10_000
/** Rows that the page unpacks at a time. */
const chunkRows = 200

/** `lossmask inspect PREPARED` */
export function inspectCommand(io: CommandIo): Command {
  return new Command('inspect')
    .description('Show rows of a prepared folder: what is trained, and why.')
    .argument('<prepared>', 'a folder that lossmask preprocess wrote')
    .option('-r, --row <n...>', 'rows by number, from 0', (text, all: number[] = []) => [...all, wholeNumber(text)])
    .option('--split <name>', 'train or test (default: train)')
    .option('--failing', 'rows with a warning, an error, or a conflict of routes')
    .option('--code <code>', 'rows with this diagnosis')
    .option('-n, --limit <n>', `no more rows than this (default: ${shownRows}, ${pageRows} in a page)`, positiveNumber)
    .option('--text-only', 'flowing text with roles in the margin instead of token(label, id)')
    .option('--html <file>', 'write one self-contained page instead')
    .option('--json', 'one JSON document on stdout')
    .action((dir: string, options: Options) => onData(() => inspect(io, dir, options)))
}

async function inspect(io: CommandIo, dir: string, options: Options): Promise<void> {
  const prepared = new Prepared(dir)
  const problem = prepared.tokenizerProblem
  if (problem !== undefined)
    say(io, `${io.errPaint.yellow('notice')}: tokens are shown without text: ${problem.message}`)
  const split =
    options.split ??
    (prepared.report.splits.train === undefined ? (Object.keys(prepared.report.splits)[0] ?? 'train') : 'train')
  const numbers = await wantedRows(prepared, split, options)
  if (options.html !== undefined) return writeHtml(io, dir, prepared, split, numbers, options.html)
  const rows = await prepared.rows(split, numbers)
  if (options.json === true) return printJson(io, { split, rows })
  const show = options.textOnly === true ? flowText : rowText
  for (const row of rows) print(io, `${show(row as ShownRow, io.paint)}\n`)
  if (rows.length === 0) say(io, 'no row of this split passes')
}

async function wantedRows(prepared: Prepared, split: string, options: Options): Promise<number[]> {
  if (options.row !== undefined) return options.row
  const { failing, code } = options
  const limit = options.limit ?? (options.html === undefined ? shownRows : pageRows)
  return prepared.find(split, {
    limit,
    ...(failing === undefined ? {} : { failing }),
    ...(code === undefined ? {} : { code }),
  })
}

async function writeHtml(
  io: CommandIo,
  dir: string,
  prepared: Prepared,
  split: string,
  numbers: readonly number[],
  file: string,
): Promise<void> {
  const { chunks, head } = prepared.page(split, numbers, chunkRows)
  await writePage(file, chunks, () => head(`${basename(resolve(dir))}, ${split}`))
  say(io, `${counted(numbers.length, 'row')} written to ${file}`)
}
