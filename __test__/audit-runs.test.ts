/** Whole runs of `lossmask audit`: a clean one passes, each of the ways in which it can be broken fails under its own code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { parse } from 'yaml'
import { checkCodes } from '../src/audit/checks.js'
import { loadConfig } from '../src/config/index.js'
import { BROKEN, CLEAN } from './helpers/broken.js'
import { root } from './helpers/cli.js'
import { auditRun } from './helpers/wholeRun.js'

test.serial('a clean run passes every check', async t => {
  const { code, findings, stderr } = await auditRun(CLEAN)
  t.is(code, 0, stderr)
  t.deepEqual(
    findings.filter(({ verdict }) => verdict !== 'pass').map(({ code }) => code),
    [],
  )
  t.true(findings.length >= 20)
})

for (const { name, code, exit, line, ...run } of BROKEN) {
  test.serial(`${code}: ${name}`, async t => {
    const outcome = await auditRun(run)
    t.is(outcome.code, exit, outcome.stdout + outcome.stderr)
    if (exit === 2) {
      t.is(outcome.issues[0]?.code, code)
      return t.true(outcome.stderr.includes(`[${code}]`))
    }
    const finding = outcome.findings.find(each => each.code === code)
    t.is(
      finding?.verdict,
      'fail',
      JSON.stringify(
        outcome.findings.filter(({ verdict }) => verdict !== 'pass'),
        null,
        1,
      ),
    )
    t.is(finding?.first?.line, line)
    t.is(finding?.first?.file, line === undefined ? undefined : 'rows.jsonl')
    t.truthy(finding?.hint)
  })
}

test.serial('what is broken fails for that alone', async t => {
  // Other checks may see the same fault from their side; none of them may fail in a run where it is not to be seen.
  const aside: Record<string, readonly string[]> = {
    'no-trained-token': [],
    'near-miss': [],
    'end-not-trained': ['stop-token-never-trained', 'self-test-failed'],
    'stop-token-never-trained': [],
    'pad-is-end-marker': [],
    'typed-marker': ['routes-differ'],
    'truncated-trained-tokens': [],
    'double-bos': [],
    'history-rewritten': [],
    'field-not-rendered': [],
    'duplicate-rows': [],
    'rows-rejected': ['unknown-role'],
  }
  for (const [code, others] of Object.entries(aside)) {
    const broken = BROKEN.find(each => each.code === code)
    if (broken === undefined) return t.fail(code)
    const { findings } = await auditRun(broken)
    const failed = findings.filter(({ verdict }) => verdict === 'fail').map(each => each.code)
    t.deepEqual(
      failed.filter(each => each !== code && !others.includes(each)),
      [],
      code,
    )
  }
})

test('docs/audit.md has a row for each check, and a config that is one', async t => {
  const doc = readFileSync(join(root, 'docs/audit.md'), 'utf8')
  t.deepEqual([...doc.matchAll(/^\| `([a-z-]+)` \|/gm)].map(match => match[1]).sort(), [...checkCodes].sort())
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(doc) ?? []
  t.deepEqual(Object.keys((await loadConfig({ ...parse(yaml) })).lossmask.audit), [
    'no-trained-token',
    'rows-too-long',
    'pad-is-end-marker',
  ])
})
