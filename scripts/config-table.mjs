/**
 * Which configs of a collection load, and why the others are refused: `node scripts/config-table.mjs PATH [--json]`. PATH is a folder with YAML
 * files, or JSON lines with `config` and `file` or `id`. Nothing but the configs themselves is read.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { loadConfig } from '../dist/index.js'

const [path] = process.argv.slice(2).filter(arg => !arg.startsWith('--'))
if (path === undefined) {
  console.error('usage: node scripts/config-table.mjs PATH [--json]')
  process.exit(2)
}

/** The configs at `path`: their names, and what `loadConfig` takes. */
function configsAt(path) {
  if (statSync(path).isDirectory()) {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && /\.ya?ml$/u.test(entry.name))
      .map(entry => join(entry.parentPath, entry.name))
      .sort()
      .map(file => ({ name: relative(path, file), config: file }))
  }
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line))
    .map(({ file, id, config }) => ({ name: String(file ?? id), config }))
}

/** A reason without what is of one config alone. */
const general = ({ code, path, message }) =>
  `${path === undefined ? '' : `${path.replaceAll(/\[\d+\]/gu, '[]')}: `}${message} [${code}]`

const rows = []
for (const { name, config } of configsAt(path)) {
  const { reasons, notices } = await loadConfig(config).then(
    ({ notices }) => ({ reasons: [], notices }),
    error => ({ reasons: error.issues?.map(general) ?? [String(error)], notices: [] }),
  )
  rows.push({ name, loads: reasons.length === 0, reasons, notices: notices.map(({ code }) => code) })
}

if (process.argv.includes('--json')) {
  console.log(JSON.stringify(rows, null, 2))
} else {
  for (const { name, loads, reasons } of rows)
    console.log(`${loads ? 'loads  ' : 'refused'}  ${name}${loads ? '' : `: ${reasons.join('; ')}`}`)
  const counts = new Map()
  for (const reason of rows.flatMap(({ reasons }) => [...new Set(reasons)]))
    counts.set(reason, (counts.get(reason) ?? 0) + 1)
  console.log('')
  for (const [reason, count] of [...counts].sort((a, b) => b[1] - a[1]))
    console.log(`${String(count).padStart(5)}  ${reason}`)
  console.log(`${rows.filter(({ loads }) => loads).length} of ${rows.length} configs load`)
}
