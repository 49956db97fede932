#!/usr/bin/env node
import { existsSync } from 'node:fs'

const main = new URL('../dist/cli/main.js', import.meta.url)
if (existsSync(main)) {
  await import(main)
} else {
  console.error('lossmask: this checkout is not built; `npm run quickstart` builds it, or: npm ci && npm run build')
  process.exitCode = 2
}
