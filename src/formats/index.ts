/** The formats of rows that `formats/*.json` declare; the rows themselves are made in Rust, from the same files. */
import { readdirSync, readFileSync } from 'node:fs'
import { nearestName } from '../nearest.js'

/** What a format's declaration tells this side. */
export interface FormatDeclaration {
  /** One sentence. */
  about: string
  /** A row. */
  row: object
  /** Other names. */
  also?: string[]
  /** Whether a style may follow a colon. */
  styles?: boolean
  /** What a mapping may set, with the defaults. */
  settings?: Record<string, string>
}

const folder = new URL('../../formats/', import.meta.url)
const mapping = 'user_defined'

/** Every declared format by its name. */
export const formats: Readonly<Record<string, FormatDeclaration>> = Object.assign(
  {},
  ...readdirSync(folder)
    .filter(file => file.endsWith('.json') && file !== 'schema.json')
    .sort()
    .map(file => JSON.parse(readFileSync(new URL(file, folder), 'utf8')).formats),
)

/** Rows that are no declared format: conversations, and pieces of text that say themselves what is trained. */
const others = ['chat_template', 'input_output'] as const

/** What kind of rows a dataset's `type` means. */
export function rowTypeOf(type: unknown): (typeof others)[number] | 'format' {
  return others.find(name => name === type) ?? 'format'
}

/** Whether a text is the name of rows that lossmask reads, with or without a style. */
export function isRowFormat(type: string): boolean {
  const [base] = type.split(':') as [string]
  const format = declared(base)
  if (type !== base) return format?.styles === true
  return format !== undefined || rowTypeOf(type) !== 'format'
}

/** The keys of a format of the user's own. */
export function settingsOfMapping(): string[] {
  return Object.keys(formats[mapping]?.settings ?? {})
}

/** What somebody may have meant. */
export function nearestType(type: string): string {
  const names = [...others, ...Object.entries(formats).flatMap(([name, { also = [] }]) => [name, ...also])]
  const near = nearestName(
    type.trim().replace(':', '.'),
    names.filter(name => name !== mapping),
  )
  return `${near === undefined ? '' : `did you mean ${near}? `}docs/formats.md lists the types`
}

function declared(name: string): FormatDeclaration | undefined {
  if (name === mapping) return undefined
  return Object.entries(formats).find(([key, { also }]) => key === name || also?.includes(name))?.[1]
}
