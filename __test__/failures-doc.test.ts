import { readdirSync, readFileSync } from 'node:fs'
import test from 'ava'

const folder = new URL('./failures/', import.meta.url)
const doc = readFileSync(new URL('../docs/failures.md', import.meta.url), 'utf8')
const diagnostics = readFileSync(new URL('../docs/diagnostics.md', import.meta.url), 'utf8')
const rows = doc.split('\n').filter(line => /^\| [A-W] \|/u.test(line))

test('the catalogue has a row for each letter and a test for each row', t => {
  t.deepEqual(
    rows.map(row => row[2]),
    [...'ABCDEFGHIJKLMNOPQRSTUVW'],
  )
  const named = rows.flatMap(row =>
    [
      ...(row
        .split('|')
        .at(-2)
        ?.matchAll(/`([^`]+)`/gu) ?? []),
    ].map(match => match[1]),
  )
  const files = readdirSync(folder)
    .filter(name => name.endsWith('.test.ts'))
    .map(name => name.replace(/\.test\.ts$/u, ''))
  t.deepEqual([...named].sort(), files.sort())
})

test('every code that the catalogue names is documented', t => {
  const codes = rows.flatMap(row =>
    [
      ...(row
        .split('|')
        .at(-3)
        ?.matchAll(/`([a-z]+(?:-[a-z]+)+)`/gu) ?? []),
    ].map(match => match[1]),
  )
  t.true(codes.length > 8)
  t.deepEqual(
    codes.filter(code => !diagnostics.includes(`### \`${code}\``)),
    [],
  )
})
