// Runs commands for the project's scripts. Node built-ins only: it works before anything is installed.
import { spawn } from 'node:child_process'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's root. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/**
 * Runs a command from the checkout's root and waits for it.
 *
 * `show` passes its output through as it comes; the output is kept either way. A command that cannot be started, or that
 * takes longer than `timeout` milliseconds, ends with a `code` other than 0 and says so in `output`.
 */
export function run(
  command,
  args,
  { cwd = root, env = process.env, show = false, timeout = 0, stdin = 'ignore' } = {},
) {
  return new Promise(done => {
    let output = ''
    const child = spawn(command, args, { cwd, env, stdio: [stdin, 'pipe', 'pipe'], ...(timeout ? { timeout } : {}) })
    const keep = stream => chunk => {
      output += chunk
      if (show) stream.write(chunk)
    }
    child.stdout.setEncoding('utf8').on('data', keep(process.stdout))
    child.stderr.setEncoding('utf8').on('data', keep(process.stderr))
    child.on('error', error => done({ code: 127, output: `${output}${command}: ${error.message}\n` }))
    child.on('close', (code, signal) => {
      if (signal) output += `${command}: ended by ${signal}${timeout ? ` (limit ${timeout / 1000} s)` : ''}\n`
      done({ code: code ?? 1, output })
    })
  })
}

/** `npm` as a command and its first arguments, on every platform, also when this script itself was started by npm. */
export function npm(...args) {
  const own = process.env.npm_execpath
  if (own?.endsWith('.js')) return [process.execPath, [own, ...args]]
  return process.platform === 'win32' ? ['cmd', ['/c', 'npm', ...args]] : ['npm', args]
}

/** A package's own command, run by this Node: `bin('ava', '--version')`. */
export function bin(path, ...args) {
  return [process.execPath, [resolve(root, 'node_modules', path), ...args]]
}
