/** Runs the command line as a user does, in a process of its own. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
/** The small model of `examples/quickstart`. */
export const quickstartModel = join(root, 'examples/quickstart/model')

/** What a command left behind. */
export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** How a command is run. */
export interface RunOptions {
  cwd?: string
  stdin?: string | Buffer
  env?: NodeJS.ProcessEnv
  /** Called once with the process, to send it signals. */
  started?: (child: ReturnType<typeof spawn>) => void
}

/** `lossmask ARGS` from the sources. */
export function lossmask(
  args: readonly string[],
  { cwd = root, stdin, env, started }: RunOptions = {},
): Promise<Outcome> {
  const command = ['--import', import.meta.resolve('tsx'), join(root, 'src/cli/main.ts'), ...args]
  const clean = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined, ...env }
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, command, { cwd, env: clean })
    const outcome = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', text => (outcome.stdout += text))
    child.stderr.setEncoding('utf8').on('data', text => (outcome.stderr += text))
    child.on('error', failed)
    child.on('close', (code, signal) => done({ ...outcome, code, signal }))
    child.stdin.on('error', () => {})
    child.stdin.end(stdin ?? '')
    started?.(child)
  })
}

/** A new folder with these files in it, gone after the test. */
export function folder(
  t: { teardown(work: () => void): void },
  files: Readonly<Record<string, string | Buffer>> = {},
): string {
  const made = mkdtempSync(join(tmpdir(), 'lossmask-test-'))
  t.teardown(() => rmSync(made, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(made, name)), { recursive: true })
    writeFileSync(join(made, name), content)
  }
  return made
}
