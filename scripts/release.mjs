// `npm run release`: what has to be true before anything is published, and the step that makes it so.
//
//   node scripts/release.mjs version    the version and the optional dependencies of package.json go to every package in npm/
//   node scripts/release.mjs check      refuses a release that lacks a binary, or whose versions differ; writes nothing
//
// `--root DIR` works on another tree: the tests use a copy with stand-in binaries.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const [command = 'check', ...rest] = process.argv.slice(2)
const root = resolve(rest[0] === '--root' ? rest[1] : join(import.meta.dirname, '..'))
const read = file => JSON.parse(readFileSync(file, 'utf8'))
const write = (file, value) => writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`)

const rootFile = join(root, 'package.json')
const main = read(rootFile)
const packages = readdirSync(join(root, 'npm'))
  .sort()
  .map(name => join(root, 'npm', name))

if (command === 'version') version()
else if (command === 'check') check()
else fail([`unknown command ${command}: version or check`])

/** Without optional dependencies an installed package has no binary; with them in the repository, `npm ci` would look for unpublished ones. */
function version() {
  const names = packages.map(dir => {
    const file = join(dir, 'package.json')
    const of = { ...read(file), version: main.version }
    write(file, of)
    return of.name
  })
  write(rootFile, { ...main, optionalDependencies: Object.fromEntries(names.map(name => [name, main.version])) })
}

function check() {
  const problems = []
  const wanted = new Set(Object.keys(main.optionalDependencies ?? {}))
  if (wanted.size === 0)
    problems.push('package.json has no optionalDependencies: run `node scripts/release.mjs version`')
  for (const dir of packages) {
    const { name, version: its, main: binary } = read(join(dir, 'package.json'))
    const file = join(dir, binary)
    if (its !== main.version) problems.push(`${name} is version ${its}, lossmask ${main.version}`)
    if (main.optionalDependencies !== undefined && main.optionalDependencies[name] !== main.version) {
      problems.push(`package.json does not depend on ${name} ${main.version}`)
    }
    wanted.delete(name)
    if (!existsSync(file)) problems.push(`${name} lacks its binary ${binary}`)
    else if (statSync(file).size > 40 * 2 ** 20) problems.push(`${name} is larger than 40 MB`)
  }
  for (const name of wanted) problems.push(`package.json depends on ${name}, which npm/ does not have`)
  const changelog = join(root, 'CHANGELOG.md')
  if (!existsSync(changelog) || !readFileSync(changelog, 'utf8').includes(`## ${main.version}`)) {
    problems.push(`CHANGELOG.md says nothing of ${main.version}`)
  }
  if (problems.length > 0) fail(problems)
  console.log(`lossmask ${main.version}: complete, ${packages.length} binaries`)
}

function fail(problems) {
  for (const problem of problems) console.error(`release: ${problem}`)
  process.exit(1)
}
