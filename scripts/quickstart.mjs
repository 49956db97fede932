// `npm run quickstart`: installs and builds what is missing, then runs the example. Arguments go on to the command.
import { spawnSync } from 'node:child_process'
import { buildBinding, buildTypeScript, installPackages, missingTools } from './lib/prepare.mjs'
import { root } from './lib/run.mjs'

function stop(what, output) {
  console.error(`${output.trimEnd()}\n\nquickstart: ${what}`)
  process.exit(2)
}

const missing = await missingTools()
if (missing.length > 0) stop(`this machine needs ${missing.join(' and ')}`, '')

for (const [title, work] of [
  ['install the packages', installPackages],
  ['build the native binding (some minutes the first time)', buildBinding],
  ['compile the TypeScript', buildTypeScript],
]) {
  console.error(`- ${title}`)
  const { code, output } = await work()
  if (code !== 0) stop(`could not ${title}`, output)
}

const extra = process.argv.slice(2)
const args = [
  'bin/lossmask.js',
  'preprocess',
  'examples/quickstart/config.yml',
  ...(extra.length > 0 ? extra : ['--debug', '3']),
]
console.error(`$ node ${args.join(' ')}\n`)
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
