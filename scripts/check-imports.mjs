/**
 * The modules of the core import one another in one direction: `crates/lossmask/src` has no import cycle. Part of `npm run check`.
 *
 * A module is a file or a folder directly in `src`; within a folder the files are checked in the same way. Tests are left out.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../crates/lossmask/src', import.meta.url))

const isFolder = path => statSync(path).isDirectory()

function files(path) {
  if (!isFolder(path)) return path.endsWith('.rs') && basename(path) !== 'tests.rs' ? [path] : []
  return readdirSync(path).flatMap(name => files(join(path, name)))
}

/** The code without comments, and without the unit tests at the end of the file. */
function code(path) {
  const text = readFileSync(path, 'utf8').split(/^#\[cfg\(test\)\]\nmod \w+ \{/m)[0]
  return text.replace(/\/\/.*$/gm, '')
}

/** What follows a path in a `use` or an expression, to the names in its braces: `a::{b, c::d}` gives `a::b`, `a::c::d`. */
function paths(text, prefix) {
  const found = []
  for (const match of text.matchAll(new RegExp(`(?<![\\w:])${prefix}(\\{|\\w+(?:::\\w+)*(?:::\\{)?)`, 'g'))) {
    if (!match[1].endsWith('{')) {
      found.push(match[1])
      continue
    }
    const start = match.index + match[0].length
    const names = text.slice(start, text.indexOf('}', start)).split(',')
    for (const name of names) found.push(match[1].slice(0, -1) + name.trim())
  }
  return found
}

/** The name and the source files of each module directly in a folder. */
function modules(folder) {
  const found = new Map()
  for (const name of readdirSync(folder)) {
    if (name === 'lib.rs' || name === 'mod.rs' || name === 'tests.rs') continue
    found.set(name.replace(/\.rs$/, ''), files(join(folder, name)))
  }
  return found
}

/** What the root of a folder gives the names of its modules: `pub use set::IdSet` makes `IdSet` mean `set`. */
function reexports(folder, names) {
  const root = join(folder, folder === source ? 'lib.rs' : 'mod.rs')
  const found = new Map()
  const uses = code(root).matchAll(/^(?:pub(?:\([^)]*\))? )?use (?:self::)?(\w+)::([^;]+);/gm)
  for (const [, module, what] of uses) {
    if (!names.has(module)) continue
    for (const name of what.replace(/[{}]/g, ' ').split(/[\s,]+/)) found.set(name.split('::').at(-1), module)
  }
  return found
}

function imports(folder, prefix) {
  const all = modules(folder)
  const known = new Map([...reexports(folder, all), ...[...all.keys()].map(name => [name, name])])
  const graph = new Map()
  for (const [name, own] of all) {
    const used = own.flatMap(file => paths(code(file), prefix)).map(path => known.get(path.split('::')[0]))
    graph.set(name, new Set(used.filter(module => module && module !== name)))
  }
  return graph
}

/** A cycle as the list of its modules, if there is one. */
function cycle(graph) {
  const done = new Set()
  const visit = (module, trail) => {
    if (trail.includes(module)) return [...trail.slice(trail.indexOf(module)), module]
    if (done.has(module)) return undefined
    for (const next of graph.get(module) ?? []) {
      const found = visit(next, [...trail, module])
      if (found) return found
    }
    done.add(module)
    return undefined
  }
  for (const module of graph.keys()) {
    const found = visit(module, [])
    if (found) return found
  }
  return undefined
}

const folders = [
  source,
  ...readdirSync(source)
    .map(name => join(source, name))
    .filter(isFolder),
]
let failed = false
let edges = 0
for (const folder of folders) {
  const prefix = folder === source ? 'crate::' : `crate::${basename(folder)}::`
  const graph = imports(folder, prefix)
  for (const used of graph.values()) edges += used.size
  const found = cycle(graph)
  if (found) {
    failed = true
    console.error(`crates/lossmask/src: import cycle ${found.map(name => prefix + name).join(' -> ')}`)
  }
}
if (edges < 30) {
  failed = true
  console.error(`scripts/check-imports.mjs reads only ${edges} imports in crates/lossmask/src, and cannot be right`)
}
process.exit(failed ? 1 : 0)
