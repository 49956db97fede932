// Builds the page of `lossmask inspect --html`: its script and style go into one file, dist/inspect/page.html.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = new URL('../src/inspect/page/', import.meta.url)
const target = new URL('../dist/inspect/', import.meta.url)

const bundle = async entry => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, source))],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  })
  return outputFiles[0].text
}

const [page, script, style] = await Promise.all([
  readFile(new URL('page.html', source), 'utf8'),
  bundle('main.ts'),
  bundle('page.css'),
])
await mkdir(target, { recursive: true })
await writeFile(
  new URL('page.html', target),
  page.replace('/*{style}*/', () => style).replace('/*{script}*/', () => script),
)
