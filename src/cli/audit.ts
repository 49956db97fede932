import { Command, InvalidArgumentError } from 'commander'
import { judge } from '../audit/audit.js'
import { checkCodes } from '../audit/checks.js'
import { comparePeers, type PeerView } from '../audit/compare.js'
import { compareText } from '../audit/compareText.js'
import { auditInput } from '../audit/input.js'
import { type Peer, peers } from '../audit/peers.js'
import { auditText } from '../audit/text.js'
import type { Audit } from '../audit/types.js'
import { loadConfig } from '../config/index.js'
import { nearestName } from '../nearest.js'
import { type Compiled, compileConfig, runSpec } from '../pipeline/compile.js'
import { runPipeline } from '../pipeline/run.js'
import { strategyFaults } from '../pipeline/selfTest.js'
import { exitCode, onData } from './failure.js'
import { interruptible } from './interrupt.js'
import { type CommandIo, print, printJson, say } from './io.js'
import { positiveNumber } from './options.js'
import { ProgressLine } from './progress.js'

interface Options {
  sample?: number
  workers?: number
  compare?: Peer[]
  max?: Record<string, number>
  json?: boolean
}

/** Rows that `--compare` shows when `--sample` does not say. */
const compareSample = 200

/** `lossmask audit CONFIG` */
export function auditCommand(io: CommandIo): Command {
  return new Command('audit')
    .description(
      'Say what would be trained, and what of it is wrong, before anything is. Exit code 1 when a check fails.',
    )
    .argument('<config>', "axolotl's YAML")
    .option('--sample <n>', 'look at this many rows of each dataset, drawn by the seed (default: all)', positiveNumber)
    .option('-w, --workers <n>', 'threads (default: one per core)', positiveNumber)
    .option('--compare <tools>', `what other tools would train on instead: ${peers.join(',')}`, peerList)
    .option('--max <code=share>', 'let a check pass up to this share, fail above it (repeatable)', threshold)
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      '\nEach check has a code, which docs/diagnostics.md explains; shares may stand in the config too, under lossmask.audit.',
    )
    .action((file: string, options: Options) => audit(io, file, options))
}

async function audit(io: CommandIo, file: string, options: Options): Promise<void> {
  const config = await loadConfig(file)
  const compiled = await compileConfig(config)
  const { sample, workers } = options
  const spec = await runSpec(compiled, {
    onError: 'skip',
    findDuplicates: true,
    ...(sample === undefined ? {} : { sample }),
    ...(workers === undefined ? {} : { workers }),
  })
  const faults = await strategyFaults(compiled)
  const progress = new ProgressLine(io.err)
  const report = await interruptible(signal =>
    onData(() => runPipeline(spec, { signal, onProgress: at => progress.update(at) })).finally(() => progress.clear()),
  )
  const thresholds = { ...config.lossmask.audit, ...options.max }
  const judged = judge(auditInput(compiled, report, faults), thresholds)
  sayUnknown(io, Object.keys(thresholds), judged)
  const views = await peerViews(compiled, options)
  if (options.json === true) printJson(io, { ...judged, ...(views === undefined ? {} : { peers: views }), report })
  else
    print(
      io,
      [auditText(judged, report, io.paint), ...(views === undefined ? [] : [compareText(views, io.paint)])].join(
        '\n\n',
      ),
    )
  if (judged.failed) io.verdict = exitCode.data
}

/** A threshold for a code that no check has would do nothing. */
function sayUnknown(io: CommandIo, codes: readonly string[], { findings }: Audit): void {
  const known = [...new Set([...checkCodes, ...findings.map(({ code }) => code)])]
  for (const code of codes.filter(each => !known.includes(each))) {
    const near = nearestName(code, known)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    say(io, `${io.errPaint.yellow('notice')}: no check of this run is called ${JSON.stringify(code)}${hint}`)
  }
}

async function peerViews(compiled: Compiled, { compare, sample }: Options): Promise<PeerView[] | undefined> {
  if (compare === undefined) return undefined
  return (await comparePeers(compiled, sample ?? compareSample, compare)).views
}

function peerList(text: string): Peer[] {
  const wanted = text.split(',').map(name => name.trim())
  const unknown = wanted.find(name => !peers.includes(name as Peer))
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${JSON.stringify(unknown)} is none of ${peers.join(', ')}.`)
  return wanted as Peer[]
}

function threshold(text: string, previous: Record<string, number> = {}): Record<string, number> {
  const match = /^([a-z-]+)=([0-9.]+)$/.exec(text)
  const share = Number(match?.[2])
  if (match === null || !(share >= 0 && share <= 1))
    throw new InvalidArgumentError('Expected CODE=SHARE with a share from 0 to 1.')
  return { ...previous, [match[1] as string]: share }
}
