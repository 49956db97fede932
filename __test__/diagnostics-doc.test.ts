/**
 * docs/diagnostics.md has an entry for each code in the sources, and no entry for a code that is gone; its examples are what lossmask says when
 * they are brought about.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { root } from './helpers/cli.js'
import { EXAMPLES, withExamples } from './helpers/examples.js'

const doc = readFileSync(join(root, 'docs/diagnostics.md'), 'utf8')
const code = '([a-z0-9]+(?:-[a-z0-9]+)+|cancelled)'
/** How a code is written where an error or a finding is made. */
const patterns = {
  ts: [`LossmaskError\\(\\s*'${code}'`, `\\bcode(?::| =)\\s*'${code}'`],
  rs: [
    `(?:DataError|Issue|RowError|SpecError|Diagnosis|TemplateError|MediaError|Refusal|Refused|MediaFault|Error)::new\\(\\s*"${code}"`,
    `\\bcode: "${code}"`,
  ],
  // A kind of error and its code.
  'error.rs': [`=> (?:\\(\\s*)?"${code}"`],
} as const

function codesIn(): Map<string, string> {
  const found = new Map<string, string>()
  for (const [top, extension] of [
    ['src', '.ts'],
    ['crates', '.rs'],
  ] as const) {
    for (const entry of readdirSync(join(root, top), { recursive: true, withFileTypes: true })) {
      const file = join(entry.parentPath, entry.name)
      if (
        !entry.isFile() ||
        !file.endsWith(extension) ||
        /[\\/](tests|benches|examples|inspect[\\/]page)[\\/]|tests\.rs$/.test(file)
      )
        continue
      const text = readFileSync(file, 'utf8').split('#[cfg(test)]')[0] as string
      const sources = [
        ...patterns[extension.slice(1) as 'ts' | 'rs'],
        ...(entry.name === 'error.rs' ? patterns['error.rs'] : []),
      ]
      for (const source of sources) {
        for (const match of text.matchAll(new RegExp(source, 'g'))) found.set(match[1] as string, file)
      }
    }
  }
  return found
}

const entries = [...doc.matchAll(/^### `([a-z0-9-]+)`$/gm)].map(match => match[1] as string)

test('every code in the sources has an entry', t => {
  const codes = codesIn()
  t.true(codes.size > 80)
  const missing = [...codes]
    .filter(([name]) => !entries.includes(name))
    .map(([name, file]) => `${name} (${file.slice(root.length + 1)})`)
  t.deepEqual(missing, [])
})

test('every entry is of a code that stands in the sources, once, with an example', t => {
  const sources = ['src', 'crates'].flatMap(top =>
    readdirSync(join(root, top), { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && /\.(ts|rs)$/.test(entry.name))
      .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8')),
  )
  const all = sources.join('\n')
  t.deepEqual(
    entries.filter(name => !all.includes(`'${name}'`) && !all.includes(`"${name}"`)),
    [],
  )
  t.is(new Set(entries).size, entries.length)
  for (const section of doc.split(/^### /m).slice(1)) {
    const name = section.slice(1, section.indexOf('`', 1))
    t.true(section.includes(`[${name}]`), `${name} has an example`)
  }
})

test.serial('the examples are what is said: `npm run docs:diagnostics` writes them', async t => {
  const absent = Object.keys(EXAMPLES).filter(name => !entries.includes(name))
  t.deepEqual(absent, [])
  t.is(await withExamples(doc), doc)
  t.log(`${Object.keys(EXAMPLES).length} of ${entries.length} examples are brought about`)
})
