/** The command line in this process: what a user gets, without the second that starting Node takes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { runCommand } from '../../src/cli/program.js'
import { paintFor } from '../../src/cli/terminal.js'

/** What a command left behind. */
export interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** `lossmask ARGS`, without colours. */
export async function runCli(args: readonly string[], stdin = ''): Promise<Outcome> {
  const texts = { out: '', err: '' }
  const sink = (name: keyof typeof texts) =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += chunk
        done()
      },
    })
  const plain = paintFor({}, {})
  const io = { in: Readable.from([stdin]), out: sink('out'), err: sink('err'), paint: plain, errPaint: plain }
  const code = await runCommand(args, io)
  return { code, stdout: texts.out, stderr: texts.err }
}

/** A new folder, gone after the work. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lossmask-case-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Work with things that go away after it, as ava's `t.teardown` has them. */
export async function tidied<T>(work: (t: { teardown(clean: () => void): void }) => Promise<T> | T): Promise<T> {
  const cleaning: (() => void)[] = []
  try {
    return await work({ teardown: clean => cleaning.push(clean) })
  } finally {
    for (const clean of cleaning.reverse()) clean()
  }
}
