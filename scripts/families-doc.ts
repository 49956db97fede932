// Writes docs/families.md from the strategies.
import { writeFileSync } from 'node:fs'
import { familiesMarkdown } from '../src/strategies/markdown.js'

writeFileSync(new URL('../docs/families.md', import.meta.url), familiesMarkdown())
