/** Writes the examples of `docs/diagnostics.md`: each is what lossmask says when it is brought about. */
import { readFileSync, writeFileSync } from 'node:fs'
import { withExamples } from '../__test__/helpers/examples.js'

const file = new URL('../docs/diagnostics.md', import.meta.url)
writeFileSync(file, await withExamples(readFileSync(file, 'utf8')))
