import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'ava'

const root = resolve('.')
const platform = 'linux-x64-gnu'
const here =
  process.platform === 'linux' && process.arch === 'x64' && readdirSync('native').includes(`lossmask.${platform}.node`)

function temporary(t: { teardown: (clean: () => void) => void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'lossmask-packed-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function run(cwd: string, command: string, args: string[]): string {
  // What npm sets for this run must not reach the runs within it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

;(here ? test : test.skip)('packed and installed in a clean folder: the command, import, require', t => {
  const dir = temporary(t)
  cpSync(join('npm', platform), join(dir, 'binding'), { recursive: true })
  cpSync(join('native', `lossmask.${platform}.node`), join(dir, 'binding', `lossmask.${platform}.node`))
  const pack = (from: string) =>
    run(from, 'npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir]).trim()
  const tarballs = [pack(root), pack(join(dir, 'binding'))].map(name => join(dir, name.split('\n').at(-1) as string))
  const consumer = join(dir, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), '{"private": true}')
  run(consumer, 'npm', [
    'install',
    '--silent',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefer-offline',
    ...tarballs,
  ])
  cpSync(join(root, 'examples/quickstart'), join(consumer, 'examples/quickstart'), { recursive: true })

  const lossmask = join(consumer, 'node_modules/.bin/lossmask')
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.is(run(consumer, lossmask, ['--version']).trim(), version)
  const report = JSON.parse(
    run(consumer, lossmask, ['preprocess', 'examples/quickstart/config.yml', '-o', 'out', '--json']),
  )
  t.is(report.rowsWritten, 40)
  // A family and a format that are read from the package's own data.
  t.regex(run(consumer, lossmask, ['strategies', 'chatml']), /im_end/)

  const labels =
    'console.log(new Masker({ boundaries: [{ role: "assistant", start: [1], end: [2] }] }).labels([1, 5, 2]).join())'
  writeFileSync(join(consumer, 'a.mjs'), `import { Masker } from 'lossmask'\n${labels}`)
  writeFileSync(join(consumer, 'a.cjs'), `const { Masker } = require('lossmask')\n${labels}`)
  for (const file of ['a.mjs', 'a.cjs'])
    t.is(run(consumer, process.execPath, ['--no-warnings', file]).trim(), '-100,5,2', file)
})

test('a release is refused while anything of it is missing, and accepted when it is whole', t => {
  const dir = temporary(t)
  cpSync('npm', join(dir, 'npm'), { recursive: true })
  for (const file of ['package.json', 'CHANGELOG.md']) cpSync(file, join(dir, file))
  const release = (command: string) => run(root, process.execPath, ['scripts/release.mjs', command, '--root', dir])
  const refused = () => (t.throws(() => release('check')) as { stderr?: string }).stderr ?? ''
  t.regex(refused(), /no optionalDependencies/)
  release('version')
  t.regex(refused(), /lacks its binary/)
  for (const name of readdirSync(join(dir, 'npm'))) {
    const { main } = JSON.parse(readFileSync(join(dir, 'npm', name, 'package.json'), 'utf8'))
    writeFileSync(join(dir, 'npm', name, main), 'stand-in')
  }
  t.regex(release('check'), /complete, 8 binaries/)
  const file = join(dir, 'npm', platform, 'package.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"version": "[^"]*"/u, '"version": "9.9.9"'))
  t.regex(refused(), /9\.9\.9/)
})
