/** Every case of the catalogue, and `docs/failures.md` against what came out. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { catalogue } from './helpers/catalogue.js'
import { root } from './helpers/cli.js'
import { failuresDoc, outcomeOf, type Said, type Told } from './helpers/failure.js'

const files = await catalogue()
const told: Told[] = []

for (const { file, failure } of files) {
  const outcomes: Said[] = []
  told.push({ file, failure, outcomes })
  for (const [name, one] of Object.entries(failure.cases)) {
    test.serial(`${failure.row} ${file}: ${name}`, async t => {
      const said = await outcomeOf(one)
      outcomes.push(said)
      t.true(said.length > 0)
    })
  }
}

test.serial('docs/failures.md says what came out: `npm run docs:failures` writes it', t => {
  t.deepEqual(
    [...'ABCDEFGHIJKLMNOPQRSTUVW'].filter(row => told.every(({ failure }) => failure.row !== row)),
    [],
    'every row of the catalogue has a file',
  )
  t.is(readFileSync(join(root, 'docs/failures.md'), 'utf8'), failuresDoc(told))
})

test('every code that the catalogue names is documented', t => {
  const diagnostics = readFileSync(join(root, 'docs/diagnostics.md'), 'utf8')
  const codes = files.flatMap(({ failure }) =>
    Object.values(failure.cases).flatMap(one => (typeof one === 'function' ? [] : Object.keys(one.says ?? {}))),
  )
  t.true(codes.length > 30)
  t.deepEqual(
    codes.filter(code => !diagnostics.includes(`### \`${code}\``)),
    [],
  )
})
