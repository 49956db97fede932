/**
 * Rows end to end, as a user runs them: `preprocess` from JSONL to a prepared folder, and `audit` over the same rows. The commands take
 * turns; figures are medians over the rounds. That both made the same tokens is checked before anything is said.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Tells the peak of its memory on stderr when it ends. */
const atExit = 'process.on("exit", () => process.stderr.write("\\npeak " + process.resourceUsage().maxRSS + "\\n"))'
const probe = `data:text/javascript,${encodeURIComponent(atExit)}`

/**
 * @param {{ rows?: number, rounds?: number, model?: string }} options `model`: a folder with a tokenizer and a chat template
 */
export async function benchRows({ rows = 50_000, rounds = 3, model = join(root, 'examples/quickstart/model') } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lossmask-bench-'))
  try {
    writeFileSync(join(folder, 'rows.jsonl'), conversations(rows))
    const config = { base_model: model, datasets: [{ path: 'rows.jsonl', type: 'chat_template' }] }
    writeFileSync(join(folder, 'config.yml'), JSON.stringify(config))
    const commands = {
      preprocess: ['preprocess', 'config.yml', '--output', 'prepared', '--json'],
      audit: ['audit', 'config.yml', '--json'],
    }
    const runs = { preprocess: [], audit: [] }
    for (let round = 0; round < rounds; round++) {
      for (const [name, args] of Object.entries(commands)) runs[name].push(await run(args, folder))
    }
    return figures(runs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function figures(runs) {
  const [first] = runs.preprocess
  for (const { report } of [...runs.preprocess, ...runs.audit]) {
    if (report.tokens !== first.report.tokens || report.trainedTokens !== first.report.trainedTokens) {
      throw new Error('preprocess and audit made different rows')
    }
  }
  const { rowsRead: rows, tokens } = first.report
  const each = Object.entries(runs).map(([name, list]) => {
    const seconds = median(list.map(one => one.seconds))
    const { read, parse, render, tokenize, mask, write } = list[0].report.timing
    const work = read + parse + render + tokenize + mask + write
    return [
      name,
      {
        seconds,
        rowsPerSecond: rows / seconds,
        tokensPerSecond: tokens / seconds,
        peakMegabytes: median(list.map(one => one.peak)) / 1024,
        shareOfTokenization: tokenize / work,
      },
    ]
  })
  const ratio = median(runs.audit.map((one, round) => one.seconds / runs.preprocess[round].seconds))
  return { rows, tokens, ...Object.fromEntries(each), auditToPreprocess: ratio }
}

/** One command in a process of its own: its report, its time from start to end, its peak memory in KiB. */
function run(args, cwd) {
  const began = process.hrtime.bigint()
  const child = spawn(process.execPath, ['--import', probe, join(root, 'bin/lossmask.js'), ...args], { cwd })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', text => (texts[name] += text))
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', () => {
      const seconds = Number(process.hrtime.bigint() - began) / 1e9
      const peak = Number(/^peak (\d+)$/m.exec(texts.stderr)?.[1])
      const answer = parsed(texts)
      done({ seconds, peak, report: answer.report ?? answer })
    })
  })
}

function parsed({ stdout, stderr }) {
  try {
    const answer = JSON.parse(stdout)
    if (answer.error === undefined) return answer
  } catch {}
  throw new Error(`the command failed:\n${stderr}${stdout.slice(0, 2000)}`)
}

/** Conversations of one to four questions, no two alike, from the words of the quick start's corpus. */
function conversations(rows) {
  const words = readFileSync(join(root, 'examples/quickstart/corpus.txt'), 'utf8').split(/\s+/)
  let state = 42
  const random = below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const text = (least, most) =>
    Array.from({ length: least + random(most - least) }, () => words[random(words.length)]).join(' ')
  const line = () => {
    const pairs = Array.from({ length: 1 + random(4) }, () => [
      { role: 'user', content: text(5, 40) },
      { role: 'assistant', content: text(20, 120) },
    ])
    return `${JSON.stringify({ messages: pairs.flat() })}\n`
  }
  return Array.from({ length: rows }, line).join('')
}

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
