#!/usr/bin/env node
/**
 * `npm run bench [-- --json] [--quick] [--rows] [--turns] [--model DIR]`: the scanner beside a memory copy, JavaScript and its peers, a
 * conversation of 40 turns beside its tokenization and the peers, and rows end to end, in one run. `--turns` and `--rows`: one of the last
 * two alone; `--model`: the model of the rows, the quick start's by default.
 *
 * Builds what it needs. The parts: the core by `cargo bench` (the cases with a copy of the same row beside them), the same through
 * N-API beside JavaScript, and what Python has of the peers (`LOSSMASK_PYTHON`, else `python3`).
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const flags = process.argv.slice(2)
const json = flags.includes('--json')
const quick = flags.includes('--quick')

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, maxBuffer: 1 << 30, encoding: 'utf8', ...options })
  if (done.status !== 0) {
    process.stderr.write(`${done.stderr ?? ''}\n${command} ${args.join(' ')} failed\n`)
    process.exit(1)
  }
  return done.stdout
}

function build() {
  if (!existsSync(`${root}node_modules`)) run('npm', ['ci'])
  run('npm', ['run', 'build'])
}

function benchCore() {
  const args = ['bench', '-q', '-p', 'lossmask', '--bench', 'scanner', '--', '--json', '--outputs']
  return JSON.parse(run('cargo', quick ? [...args, '--quick'] : args))
}

async function benchPeers() {
  const { Masker } = await import('../dist/index.js')
  const { conversation, maskerOptions } = await import('../bench/conversation.js')
  const masker = new Masker(maskerOptions)
  // Peers know no ignored ids, and the rows hold none.
  const rows = [30, 200, 2000, 200].map(turn => conversation(turn, 8192))
  const labels = rows.map(row => Array.from(masker.labels(row)))
  const python = process.env.LOSSMASK_PYTHON ?? 'python3'
  const input = JSON.stringify({ rows: rows.map(row => Array.from(row)), labels })
  const done = spawnSync(python, [`${root}bench/peers.py`], { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (done.error || done.status !== 0)
    return { tokensPerSecond: {}, absent: [`${python}: ${done.error ?? done.stderr.trim().split('\n').at(-1)}`] }
  return JSON.parse(done.stdout)
}

const number = (value, digits = 2) => value.toFixed(digits).padStart(7)

function printRows({ rows, tokens, preprocess, audit, auditToPreprocess }) {
  console.log(`\nRows end to end, process start included: ${rows} conversations, ${tokens} tokens`)
  console.log('               rows/s  M tokens/s   peak MB  tokenization')
  for (const [name, { rowsPerSecond, tokensPerSecond, peakMegabytes, shareOfTokenization }] of Object.entries({
    preprocess,
    audit,
  })) {
    const share = `${(100 * shareOfTokenization).toFixed(0)} % of the work`
    console.log(
      `  ${name.padEnd(11)} ${number(rowsPerSecond, 0)}     ${number(tokensPerSecond / 1e6)}   ${number(peakMegabytes, 0)}  ${share}`,
    )
  }
  console.log(`  audit takes ${auditToPreprocess.toFixed(2)} times as long as preprocess`)
}

function print({ core, node, peers }) {
  console.log('Core, one thread: G tokens/s, and ratio to a memory copy of the row in the same run')
  for (const row of core) {
    const name = `${row.case}, ${row.output}`
    console.log(`  ${name.padEnd(72)}${number(row.gigatokensPerSecond)}${number(row.ratioToCopy)}`)
  }
  console.log('\nThrough N-API, call included: G tokens/s')
  console.log('   tokens  turns   copy     js   labelsInto  labels   i64   x js  x copy  us/call')
  for (const row of node) {
    const speed = row.gigatokensPerSecond
    const columns = [speed.copy, speed.javascript, speed.labelsInto, speed.labels, speed['labelsInto, i64']]
    const ratios = [row.labelsIntoToJavascript, row.labelsIntoToCopy, row.microsecondsPerCall]
    console.log(
      `  ${String(row.tokens).padStart(7)} ${String(row.turn).padStart(6)} ${[...columns, ...ratios].map(value => number(value)).join(' ')}`,
    )
  }
  console.log('\nPeers, rows of 8192: M tokens/s')
  for (const [peer, speed] of Object.entries(peers.tokensPerSecond))
    console.log(`  ${peer.padEnd(30)}${number(speed / 1e6)}`)
  for (const reason of peers.absent) console.log(`  left out: ${reason}`)
}

const { benchTurns, printTurns } = await import('../bench/turns.js')
if (flags.includes('--turns')) {
  const turns = benchTurns(run, { quick })
  if (json) console.log(JSON.stringify({ turns }, null, 2))
  else printTurns(turns)
  process.exit()
}

build()
const { benchRows } = await import('../bench/rows.js')
const model = flags.includes('--model') ? flags[flags.indexOf('--model') + 1] : undefined
const rows = await benchRows({ ...(quick ? { rows: 10_000 } : {}), ...(model === undefined ? {} : { model }) })
if (flags.includes('--rows')) {
  if (json) console.log(JSON.stringify({ rows }, null, 2))
  else printRows(rows)
} else {
  const core = benchCore()
  const { benchNode } = await import('../bench/node.js')
  const results = {
    core,
    node: benchNode(quick ? { rounds: 11 } : {}),
    peers: await benchPeers(),
    turns: benchTurns(run, { quick }),
    rows,
  }
  if (json) console.log(JSON.stringify(results, null, 2))
  else {
    print(results)
    printTurns(results.turns)
    printRows(rows)
  }
}
