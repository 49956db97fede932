/** A dataset and a config of a test, sent through `lossmask audit` and `lossmask preprocess` as a user would. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Audit, Finding } from '../../src/audit/types.js'
import type { Issue } from '../../src/errors.js'
import { pieces } from '../../src/inspect/pieces.js'
import { Prepared } from '../../src/inspect/prepared.js'
import type { Report, ShownRow } from '../../src/pipeline/report.js'
import { inFolder, type Outcome, runCli } from './inProcess.js'
import { SMALL_MODEL } from './smallModel.js'

/** A message of a row. */
export type Message = { role: string; content: unknown } & Record<string, unknown>

export const user = (content: unknown, more: Record<string, unknown> = {}): Message => ({
  role: 'user',
  content,
  ...more,
})
export const assistant = (content: unknown, more: Record<string, unknown> = {}): Message => ({
  role: 'assistant',
  content,
  ...more,
})

/** ChatML as the shortest template writes it. */
export const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"

/** What a run is made from; everything but the rows has a default. */
export interface Run {
  /** Rows of the data file, in order; a string is a line as it stands. */
  rows: readonly (object | string)[]
  /** Further files beside the config. */
  files?: Readonly<Record<string, Uint8Array>>
  /** Keys of the config's root, laid over the quick start's model and its template. */
  config?: Record<string, unknown>
  /** Keys of its one dataset. */
  dataset?: Record<string, unknown>
  /** Changes to a copy of the quick start's model. */
  model?: {
    /** New names of its control tokens, by their old ones. */
    tokens?: Record<string, string>
    /** Files of the model folder: text, JSON laid over what is there, or `null` for one that must not be there. */
    files?: Record<string, string | null | Record<string, unknown>>
  }
}

/** What `audit --json` said. */
export interface Audited extends Outcome {
  /** What stopped it, if something did. */
  issues: readonly Issue[]
  findings: readonly Finding[]
  report: Report | undefined
}

/** What `preprocess --json` said, and the rows it wrote. */
export interface Preprocessed extends Outcome {
  issues: readonly Issue[]
  report: Report | undefined
  rows: readonly ShownRow[]
}

export function auditRun(run: Run): Promise<Audited> {
  return inFolder(async folder => {
    const outcome = shortened(await runCli(['audit', written(folder, run), '--json']), folder)
    const answer = JSON.parse(outcome.stdout) as Partial<Audit> & { report?: Report; issues?: Issue[] }
    return { ...outcome, issues: answer.issues ?? [], findings: answer.findings ?? [], report: answer.report }
  })
}

export function preprocessRun(run: Run): Promise<Preprocessed> {
  return inFolder(async folder => {
    const out = join(folder, 'prepared')
    const outcome = shortened(await runCli(['preprocess', written(folder, run), '--output', out, '--json']), folder)
    const answer = JSON.parse(outcome.stdout) as Report & { issues?: Issue[] }
    if (outcome.code !== 0) return { ...outcome, issues: answer.issues ?? [], report: undefined, rows: [] }
    const { train = 0 } = answer.splits
    const rows = await new Prepared(out).rows(
      'train',
      Array.from({ length: train }, (_, index) => index),
    )
    return { ...outcome, issues: [], report: answer, rows }
  })
}

/** The trained stretches of a row, as text. */
export function trainedTexts(row: ShownRow): string[] {
  return pieces(row).flatMap(({ trained, text }) => (trained ? [text] : []))
}

/** Writes the run's files and answers with the config's path. */
export function written(folder: string, { rows, files = {}, config = {}, dataset = {}, model = {} }: Run): string {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  const lines = rows.map(row => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`)
  writeFileSync(join(folder, 'rows.jsonl'), lines.join(''))
  const whole = {
    base_model: changedModel(folder, model),
    datasets: [{ path: 'rows.jsonl', type: 'chat_template', ...dataset }],
    ...config,
  }
  const file = join(folder, 'config.yml')
  writeFileSync(file, JSON.stringify(whole, undefined, 2))
  return file
}

function changedModel(folder: string, { tokens = {}, files = {} }: NonNullable<Run['model']>): string {
  if (Object.keys({ ...tokens, ...files }).length === 0) return SMALL_MODEL
  const model = join(folder, 'model')
  cpSync(SMALL_MODEL, model, { recursive: true })
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    const file = join(model, name)
    const renamed = Object.entries(tokens).reduce(
      (text, [from, to]) => text.replaceAll(JSON.stringify(from), JSON.stringify(to)),
      readFileSync(file, 'utf8'),
    )
    writeFileSync(file, renamed)
  }
  for (const [name, content] of Object.entries(files)) {
    const file = join(model, name)
    if (content === null) {
      rmSync(file, { force: true })
      continue
    }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify({ ...jsonOf(file), ...content }))
  }
  return './model'
}

function jsonOf(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

/** Paths as they are from the run's own folder. */
function shortened(outcome: Outcome, folder: string): Outcome {
  const short = (text: string) => text.replaceAll(`${folder}/`, '').replaceAll(folder, '.')
  return { ...outcome, stdout: short(outcome.stdout), stderr: short(outcome.stderr) }
}
