// What a fresh clone needs before anything can run: packages, the native binding, the compiled TypeScript.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { npm, root, run } from './run.mjs'

const oldest = [20, 19]

/** What is missing on this machine that no script of ours installs; an empty list when nothing is. */
export async function missingTools() {
  const missing = []
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    missing.push(`Node ${oldest.join('.')} or newer (this is ${process.versions.node})`)
  }
  const cargo = await run('cargo', ['--version'])
  if (cargo.code !== 0) missing.push('a Rust toolchain (https://rustup.rs): `cargo` was not found')
  return missing
}

/** Installs the packages of `package-lock.json`, once for each state of that file. */
export async function installPackages(options = {}) {
  const stamp = resolve(root, 'node_modules/.lossmask-lock')
  const want = createHash('sha256')
    .update(readFileSync(resolve(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === want) return { code: 0, output: 'up to date\n' }
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  const result = await run(...npm(...args), { timeout: 600_000, ...options })
  if (result.code === 0) writeFileSync(stamp, want)
  return result
}

/** Builds the binding for this machine; cargo decides what is out of date. */
export function buildBinding(options = {}) {
  return run(...npm('run', '--silent', 'build:native'), options)
}

/** Compiles `src` to `dist`, and builds the page that goes with it. */
export function buildTypeScript(options = {}) {
  return run(...npm('run', '--silent', 'build:ts'), options)
}
