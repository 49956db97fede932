import { Command, Option } from 'commander'
import { loadConfig } from '../config/index.js'
import { type Compiled, compileConfig, runSpec } from '../pipeline/compile.js'
import type { OutputFormat, Report } from '../pipeline/report.js'
import { runPipeline } from '../pipeline/run.js'
import { proveStrategies } from '../pipeline/selfTest.js'
import { onData } from './failure.js'
import { interruptible } from './interrupt.js'
import { type CommandIo, print, printJson, say } from './io.js'
import { positiveNumber, wholeNumber } from './options.js'
import { ProgressLine } from './progress.js'
import { placeText, rowText } from './rowText.js'
import { summaryText } from './summary.js'
import { count, counted } from './terminal.js'

interface Options {
  output?: string
  format: OutputFormat
  debug?: number
  workers?: number
  onError?: 'fail' | 'skip'
  limit?: number
  json?: boolean
}

/** What axolotl shows without a number. */
const debugRows = 5
/** axolotl's default for `dataset_prepared_path`. */
const defaultFolder = 'last_run_prepared'

/** `--debug` takes a number or none: in `preprocess --debug config.yml` the config is not its number. */
export function withDebugRows(args: readonly string[]): string[] {
  return args.map((arg, index) =>
    args[0] === 'preprocess' && arg === '--debug' && !/^\d+$/.test(args[index + 1] ?? '')
      ? `--debug=${debugRows}`
      : arg,
  )
}

/** `lossmask preprocess CONFIG` */
export function preprocessCommand(io: CommandIo): Command {
  return new Command('preprocess')
    .description('Read the datasets of a config and write input_ids, labels and attention_mask, ready for training.')
    .argument('<config>', "axolotl's YAML")
    .option('-o, --output <dir>', `where rows go (default: dataset_prepared_path of the config, else ${defaultFolder})`)
    .addOption(
      new Option('-f, --format <format>', 'of the files written')
        .choices(['arrow', 'parquet', 'jsonl'])
        .default('arrow'),
    )
    .option(
      '--debug [n]',
      `print the first rows as token(label, id), masked red, trained green (${debugRows} without a number)`,
      wholeNumber,
    )
    .option('--limit <n>', 'read no more than this many rows of each dataset, for a first look', positiveNumber)
    .option('-w, --workers <n>', 'threads (default: one per core)', positiveNumber)
    .addOption(
      new Option('--on-error <what>', 'a bad row stops the run and nothing is written, or goes to rejected.jsonl')
        .choices(['fail', 'skip'])
        .default(undefined, 'fail'),
    )
    .option('--json', 'one JSON document with all figures on stdout')
    .action((file: string, options: Options) => preprocess(io, file, options))
}

async function preprocess(io: CommandIo, file: string, options: Options): Promise<void> {
  const config = await loadConfig(file)
  const compiled = await compileConfig(config)
  const { debug, limit, onError, workers } = options
  const spec = await runSpec(compiled, {
    output: { dir: options.output ?? config.datasetPreparedPath ?? defaultFolder, format: options.format },
    ...(debug === undefined ? {} : { debugRows: debug }),
    ...(limit === undefined ? {} : { limit }),
    ...(onError === undefined ? {} : { onError }),
    ...(workers === undefined ? {} : { workers }),
  })
  sayMasking(io, compiled)
  await proveStrategies(compiled)
  const progress = new ProgressLine(io.err)
  const report = await interruptible(signal =>
    onData(() => runPipeline(spec, { signal, onProgress: at => progress.update(at) })).finally(() => progress.clear()),
  )
  sayUntrained(io, report)
  if (options.json === true) printJson(io, report)
  else show(io, report)
}

/** A row that trains nothing is left out, as in axolotl, but never in silence. */
function sayUntrained(io: CommandIo, { rowsWithoutTrainedTokens: rows, rowsRead, diagnostics }: Report): void {
  if (rows === 0) return
  const found = diagnostics.find(({ code }) => code === 'no-trained-token')
  const first = found === undefined ? '' : `, first ${placeText(found.first)}: ${found.message}`
  say(
    io,
    `${io.errPaint.yellow('warning')}: ${count(rows)} of ${counted(rowsRead, 'row')} train nothing${first} [no-trained-token]`,
  )
}

/** How rows are masked, as axolotl logs it: the knobs, the markers with their ids, and what is odd about them. */
function sayMasking(io: CommandIo, { datasets, notices }: Compiled): void {
  const told = new Set<string>()
  for (const { strategy, why, resolved } of datasets) {
    const lines = [`${strategy === undefined ? 'no model family' : strategy.title}: ${why}`, ...resolved.lines]
    for (const line of lines.filter(each => !told.has(each))) say(io, line)
    for (const line of lines) told.add(line)
  }
  for (const { code, message, hint } of notices) {
    say(io, `${io.errPaint.yellow('notice')}: ${message} [${code}]${hint === undefined ? '' : `\n  hint: ${hint}`}`)
  }
}

function show(io: CommandIo, report: Report): void {
  for (const row of report.debug) print(io, `${rowText(row, io.paint)}\n`)
  print(io, summaryText(report, io.paint))
}
