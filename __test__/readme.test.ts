/** What the README shows is what happens. */

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../src/index.js'
import { folder, lossmask, root } from './helpers/cli.js'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The first code block of a language, or a later one. */
function block(language: string, index = 0): string {
  const found = [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))][index]?.[1]
  if (found === undefined) throw new Error(`README.md has no ${language} block ${index}`)
  return found
}

test('the config is one', async t => {
  const cwd = folder(t, { 'config.yml': block('yaml') })
  const config = await loadConfig(join(cwd, 'config.yml'))
  t.is(config.datasets.length, 1)
  t.deepEqual(config.notices, [])
})

test('the example runs as it stands, on the sources', t => {
  const file = join(root, '__test__', `readme-${process.pid}.mts`)
  t.teardown(() => rmSync(file, { force: true }))
  writeFileSync(file, block('js').replace("'lossmask'", "'../src/index.ts'"))
  const run = spawnSync(process.execPath, ['--import', 'tsx', file], { cwd: root, encoding: 'utf8' })
  t.is(run.status, 0, run.stderr)
  t.true(run.stdout.includes('Int32Array'))
})

test('the debug view is what the quick start shows, and its figures are true', async t => {
  const cwd = folder(t)
  const config = join(root, 'examples/quickstart/config.yml')
  const run = await lossmask(['preprocess', config, '--debug', '1', '--output', join(cwd, 'out')])
  t.is(run.code, 0, run.stderr)
  for (const part of block('text')
    .split(/\n| \.\.\. ?/)
    .filter(text => text !== ''))
    t.true(run.stdout.includes(part), part)
  t.true(run.stdout.includes('63 of 63 turns'))
})

test('the audit says what the README shows of it', async t => {
  const run = await lossmask(['audit', 'examples/quickstart/config.yml'])
  t.is(run.code, 0, run.stderr)
  for (const line of block('text', 1).trim().split('\n')) t.true(run.stdout.includes(line), line)
})

test('every file the README links to is there', t => {
  for (const [, file] of readme.matchAll(/\]\(([^):]+)\)/g)) t.notThrows(() => readFileSync(join(root, file as string)))
})
