import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { judge } from '../../src/audit/audit.js'
import { auditInput } from '../../src/audit/input.js'
import type { Audit } from '../../src/audit/types.js'
import { loadConfig } from '../../src/config/index.js'
import { pieces } from '../../src/inspect/pieces.js'
import { compileConfig, type RunOptions, runSpec } from '../../src/pipeline/compile.js'
import type { Report, ShownRow } from '../../src/pipeline/report.js'
import { runPipeline } from '../../src/pipeline/run.js'
import { SMALL_MODEL } from './smallModel.js'

/** A message of a row of these tests. */
export type Message = { role: string; content: unknown } & Record<string, unknown>

export const user = (content: unknown): Message => ({ role: 'user', content })
export const assistant = (content: unknown, more: Record<string, unknown> = {}): Message => ({
  role: 'assistant',
  content,
  ...more,
})

/** What became of rows that went through a whole run. */
export interface Run {
  report: Report
  audit: Audit
  rows: ShownRow[]
  /** Codes of all diagnoses, of the rows and of the config. */
  codes: string[]
}

/** Runs rows through config, pipeline and audit, as `preprocess` and `audit` do. `config` is laid over one for the quick start's model. */
export async function runRows(
  rows: unknown[],
  config: Record<string, unknown> & { dataset?: Record<string, unknown> } = {},
  options: RunOptions = {},
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), 'lossmask-run-'))
  try {
    const path = join(folder, 'rows.jsonl')
    await writeFile(path, rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    const { dataset = {}, ...root } = config
    const loaded = await loadConfig({
      base_model: SMALL_MODEL,
      datasets: [{ path, type: 'chat_template', ...dataset }],
      ...root,
    })
    const compiled = await compileConfig(loaded)
    const spec = await runSpec(compiled, { debugRows: rows.length, onError: 'skip', ...options })
    const report = await runPipeline({ untrainedRows: 'keep', ...spec })
    const audit = judge(auditInput(compiled, report), loaded.lossmask.audit)
    const codes = [...report.diagnostics, ...compiled.notices].map(({ code }) => code)
    return { report, audit, rows: report.debug, codes }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The trained stretches of a row as text. */
export function trained(row: ShownRow | undefined): string[] {
  if (row === undefined) return []
  return pieces(row)
    .filter(piece => piece.trained)
    .map(piece => piece.text)
}
