/** A conversation of 40 turns: what its labels cost beside its tokenization, here and in the peers that Python has (`LOSSMASK_PYTHON`). */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** One case a model: ours, and each peer's, as `{ seconds, ratio }`. `run` starts a program and gives its output. */
export function benchTurns(run, { quick = false } = {}) {
  // The target of the tests and the binding: what it depends on is compiled already.
  const target = /^host: (.+)$/m.exec(run('rustc', ['-vV']))?.[1]
  const args = [
    'run',
    '-q',
    '--release',
    '--target',
    target,
    '-p',
    'lossmask-chat',
    '--example',
    'cost',
    '--',
    '--json',
  ]
  const cases = JSON.parse(run('cargo', args))
  const python = process.env.LOSSMASK_PYTHON ?? 'python3'
  const script = [`${root}bench/turns.py`, ...(quick ? ['--quick'] : [])]
  const done = spawnSync(python, script, { input: JSON.stringify(cases), encoding: 'utf8', maxBuffer: 1 << 28 })
  const peers =
    done.error || done.status !== 0
      ? { cases: [], absent: [`${python}: ${done.error ?? done.stderr.trim().split('\n').at(-1)}`] }
      : JSON.parse(done.stdout.slice(done.stdout.indexOf('{"cases"')))
  const rows = cases.map(({ job: _, ...ours }, index) => ({ ...ours, peers: peers.cases[index] ?? {} }))
  return { cases: rows, absent: peers.absent }
}

export function printTurns({ cases, absent }) {
  console.log('\n40 turns: time for ids and labels, and its ratio to the tokenization of the text by the same library')
  const line = (name, { seconds, ratio, sameLabels }) =>
    console.log(
      `    ${name.padEnd(14)} ${(seconds * 1e3).toFixed(2).padStart(9)} ms ${ratio.toFixed(2).padStart(8)} x${sameLabels === false ? '   other labels' : ''}`,
    )
  for (const { model, template, tokens, seconds, ratio, peers } of cases) {
    console.log(`  ${model}, ${template}, ${tokens} tokens`)
    line('lossmask', { seconds, ratio })
    for (const [name, figures] of Object.entries(peers)) line(name, figures)
  }
  for (const reason of absent) console.log(`  left out: ${reason}`)
}
