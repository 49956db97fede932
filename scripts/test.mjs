// `npm test`: everything a change must pass, on a machine with Node and a Rust toolchain and nothing else.
//
// Every cargo step uses the release profile for the target that the binding is built for, so that dependencies are compiled once for
// the binding and the tests. The project's own crates are compiled with overflow checks and debug assertions for the tests.
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { buildBinding, buildTypeScript, installPackages, missingTools } from './lib/prepare.mjs'
import { bin, npm, root, run } from './lib/run.mjs'

const total = { passed: 0, failed: 0 }
const failedSteps = []
const began = Date.now()
const seconds = since => `${((Date.now() - since) / 1000).toFixed(1)} s`

/** Runs one step under a header. `count` reads passed and failed tests from its output; a step without tests that fails counts as one. */
async function step(title, work, { count, needed = false } = {}) {
  console.log(`\n=== ${title}`)
  const start = Date.now()
  const { code, output } = await work({ show: true })
  const { passed = 0, failed = 0 } = count ? count(output) : {}
  total.passed += passed
  total.failed += code !== 0 ? Math.max(failed, 1) : failed
  const good = code === 0 && failed === 0
  if (!good) failedSteps.push(title)
  console.log(`--- ${title}: ${good ? 'ok' : 'FAILED'} (${seconds(start)})`)
  if (needed && !good) finish()
}

function finish() {
  console.log(`\nall steps: ${seconds(began)}`)
  for (const title of failedSteps) console.log(`failed: ${title}`)
  console.log(`${total.passed} passed, ${total.failed} failed`)
  process.exit(total.failed > 0 ? 1 : 0)
}

const sum = (output, pattern) => [...output.matchAll(pattern)].reduce((all, match) => all + Number(match[1]), 0)

/** `test result: ok. 12 passed; 0 failed; ...`, once for each test binary. */
const countCargo = output => ({
  passed: sum(output, /^test result:.* (\d+) passed;/gm),
  failed: sum(output, /^test result:.* (\d+) failed;/gm),
})

/** `12 tests passed`, `1 test failed`, `1 uncaught exception`, ... at the end of ava's report. */
const countAva = output => ({
  passed: sum(output, /^\s*(\d+) tests? passed/gm),
  failed: sum(
    output,
    /^\s*(\d+) (?:tests? failed|tests? remained pending|uncaught exceptions?|unhandled rejections?)/gm,
  ),
})

const cargo =
  (...args) =>
  options =>
    run('cargo', args, options)

/** The target that `napi build` compiles for, so that its dependencies serve clippy and the tests too. */
const host = await run('rustc', ['-vV'])
const target = /^host: (.+)$/m.exec(host.output)?.[1]
const release = ['--release', '--workspace', ...(target === undefined ? [] : ['--target', target])]

/** Checks that cost nothing where it counts: in the project's crates, not in their dependencies. */
function debugChecks() {
  return readdirSync(resolve(root, 'crates')).flatMap(crate =>
    ['debug-assertions', 'overflow-checks'].flatMap(check => [
      '--config',
      `profile.release.package.${crate}.${check}=true`,
    ]),
  )
}

/** `--only rust,ava`: some steps, for work on one part; the whole is what counts. */
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1].split(',') : undefined
const wanted = name => only === undefined || only.includes(name)

const missing = await missingTools()
if (missing.length > 0) {
  console.error(`npm test: this machine needs ${missing.join(' and ')}`)
  process.exit(2)
}

await step('packages', installPackages, { needed: true })
await step('native binding', buildBinding, { needed: true })
await step('TypeScript', buildTypeScript, { needed: true })
if (wanted('rust')) {
  await step('rustfmt', cargo('fmt', '--all', '--check'))
  await step('clippy', cargo('clippy', ...release, '--all-targets', '--', '-D', 'warnings'))
}
if (wanted('check')) {
  await step('lint, format and types', options => run(...npm('run', '--silent', 'check'), options))
}
await step('test resources', options =>
  run(process.execPath, ['scripts/test-resources.mjs'], { timeout: 900_000, ...options }),
)
if (wanted('rust'))
  await step('cargo test', cargo('test', '--no-fail-fast', ...release, ...debugChecks()), {
    count: countCargo,
  })
if (wanted('ava')) await step('ava', options => run(...bin('ava/entrypoints/cli.mjs'), options), { count: countAva })
if (wanted('quickstart'))
  await step('quick start', options => run(process.execPath, ['scripts/quickstart.mjs'], options))
finish()
