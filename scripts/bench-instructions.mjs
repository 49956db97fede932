#!/usr/bin/env node
/**
 * `npm run bench:instructions [-- --save FILE] [--against FILE]`: how many instructions the scanner takes for fixed rows, counted by
 * valgrind's callgrind, so that a busy machine changes nothing. `--save` keeps the counts as JSON, `--against` prints the ratio to counts
 * that were kept before. Exit code 1 when a case takes over 3 % more instructions than before.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const LIMIT = 1.03

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: flags } = parseArgs({ options: { save: { type: 'string' }, against: { type: 'string' } } })

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options })
  if (done.error || done.status !== 0) {
    process.stderr.write(`${done.stderr ?? ''}\n${command} ${args.join(' ')} failed: ${done.error ?? done.status}\n`)
    process.exit(1)
  }
  return done.stdout
}

/** The bench with the names of its functions, which callgrind counts by. */
function build() {
  const args = ['bench', '-p', 'lossmask', '--bench', 'scanner', '--no-run', '--message-format', 'json']
  const messages = run('cargo', args, { env: { ...process.env, CARGO_PROFILE_BENCH_STRIP: 'none' } })
  const built = messages.split('\n').filter(line => line.includes('"executable":"'))
  return JSON.parse(built.at(-1)).executable
}

/** Instructions per case: callgrind writes one file after each counted call, numbered in their order. */
function count(bench) {
  const folder = mkdtempSync(join(tmpdir(), 'lossmask-instructions-'))
  try {
    const args = [
      '--tool=callgrind',
      '--toggle-collect=lossmask_counted_call',
      '--dump-after=lossmask_counted_call',
      `--callgrind-out-file=${folder}/calls`,
      bench,
      '--once',
    ]
    const names = run('valgrind', args).trim().split('\n')
    const number = name => Number(name.match(/^calls\.(\d+)$/)?.[1])
    const files = readdirSync(folder)
      .filter(number)
      .sort((a, b) => number(a) - number(b))
    const total = file => Number(readFileSync(join(folder, file), 'utf8').match(/^totals: (\d+)/m)[1])
    return Object.fromEntries(names.map((name, index) => [name, total(files[index])]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const counts = count(build())
const before = flags.against ? JSON.parse(readFileSync(flags.against, 'utf8')) : {}
let slower = 0
for (const [name, instructions] of Object.entries(counts)) {
  const ratio = instructions / before[name]
  if (ratio > LIMIT) slower += 1
  const beside = Number.isNaN(ratio) ? '' : `${ratio.toFixed(3).padStart(8)} of before`
  console.log(`${name.padEnd(74)}${String(instructions).padStart(12)}${beside}`)
}
if (flags.save) writeFileSync(flags.save, `${JSON.stringify(counts, null, 2)}\n`)
if (slower > 0) {
  console.error(`${slower} cases take over ${Math.round(100 * (LIMIT - 1))} % more instructions than before`)
  process.exit(1)
}
