/** What a `Masker` is made from: the public shape, its validation, and the core's shape (`crates/lossmask/src/options.rs`). */
import { z } from 'zod'
import { type Issue, LossmaskError } from './errors.js'
import { nearestName } from './nearest.js'

/** Token ids of one marker, or of several of which any counts. */
export type Markers = readonly number[] | readonly (readonly number[])[]

/** How one role's span is recognised. Ids are whole numbers from -2^31 to 2^31 - 1. */
export interface RoleBoundary {
  /** The role, as `rolesToTrain` spells it. Several boundaries may have the same. */
  readonly role: string
  /** What opens the turn. The longest match at a position wins, then the first declared. Empty: never opens. */
  readonly start: Markers
  /** What closes the turn; `null`, empty or absent (and no `endBefore`, no `endAnchor`): it runs to the end of the row. */
  readonly end?: Markers | null | undefined
  /** Further header tokens, skipped where they stand right behind the start; the longest wins. */
  readonly tail?: Markers | undefined
  /** The turn stops in front of any of these, and they open the next one. */
  readonly endBefore?: Markers | undefined
  /** Like `end`: part of the turn; but they stay to open the next one too. */
  readonly endAnchor?: Markers | undefined
  /** Whether the start marker and tail of a trained turn are trained. Default `false`. */
  readonly includeStart?: boolean | undefined
  /** `false`: `end` is read as `endBefore`, as axolotl's `include_end: false`. Default `true`. */
  readonly includeEnd?: boolean | undefined
}

/** Options of a `Masker`; the defaults are axolotl's. */
export interface MaskerOptions {
  /** The role boundaries, in order of declaration. */
  readonly boundaries: readonly RoleBoundary[]
  /** Roles whose turns are trained. Default `['assistant']`; `[]` trains nothing. */
  readonly rolesToTrain?: readonly string[] | null | undefined
  /** Which end markers are trained: those of trained turns, of all turns, of the row's last trained turn, or none. Default `turn`. */
  readonly trainOnEos?: 'turn' | 'all' | 'last' | 'none' | null | undefined
  /** Train every token but ignored ids and padding. Default `false`. */
  readonly trainOnInputs?: boolean | undefined
  /** Train an `endBefore` marker where it ends a trained turn, under the rule of `trainOnEos`. Default `false`. */
  readonly trainOnSharedEnd?: boolean | undefined
  /** Ids that are never trained: media tokens, and padding where its position is not known. Default none. */
  readonly ignoreTokenIds?: readonly number[] | undefined
  /** The label of a token that is not trained. Default `-100`. */
  readonly ignoreIndex?: number | undefined
  /** Stretches inside trained turns that are not trained, from `start` to the next `end`; without `end` the `start` alone. */
  readonly exclude?:
    | readonly { readonly start: readonly number[]; readonly end?: readonly number[] | undefined }[]
    | undefined
  /** What ends a turn: its own end marker, or the next start of any role (TRL). Default `end-marker`. */
  readonly termination?: 'end-marker' | 'next-start' | undefined
  /** What becomes of a turn whose end marker is not in the row. Default `run-to-end`. */
  readonly unterminated?: 'run-to-end' | 'mask' | undefined
  /** Train every turn of the roles, or the row's last one only. Default `all`. */
  readonly turns?: 'all' | 'last' | undefined
}

/** Options of `Masker.completionOnly`. */
export interface CompletionOnlyOptions {
  /** Ids of the response template, which opens what is trained. */
  readonly response: readonly number[]
  /** Ids of the instruction template, or of several (the multi-role change). Default none. */
  readonly instruction?: Markers | undefined
  /** The padding id: never trained, and a template that holds it is never found. Default none. */
  readonly padTokenId?: number | undefined
  /** The label of a token that is not trained. Default `-100`. */
  readonly ignoreIndex?: number | undefined
  /** The rules of TRL's class up to v0.19 itself, rather than those of the multi-role change. Default `false`. */
  readonly classic?: boolean | undefined
}

/** Options of `Masker.responsesOnly`. */
export interface ResponsesOnlyOptions {
  /** Ids of the instruction part. */
  readonly instruction: readonly number[]
  /** Ids of the response part. */
  readonly response: readonly number[]
  /** Train the row's last response only. Default `false`. */
  readonly lastResponseOnly?: boolean | undefined
  /** The label of a token that is not trained. Default `-100`. */
  readonly ignoreIndex?: number | undefined
}

const id = z.int32({ error: 'expected a token id: a whole number from -2147483648 to 2147483647' })
const ids = z.array(id, { error: 'expected a list of token ids' })
const markers = z
  .union([ids, z.array(ids.min(1, 'expected a marker of at least one token id'))], {
    error: 'expected a list of token ids, or a list of such lists',
  })
  .transform(asMarkers)
const role = z.string().min(1, 'expected the name of a role')

const boundary = z
  .strictObject({
    role,
    start: markers,
    end: markers.nullish(),
    tail: markers.optional(),
    endBefore: markers.optional(),
    endAnchor: markers.optional(),
    includeStart: z.boolean().optional(),
    includeEnd: z.boolean().optional(),
  })
  .transform(({ role, start, end, tail, endBefore, endAnchor, includeStart, includeEnd }) => {
    const ends = (list: number[][] | null | undefined, kind: string) => (list ?? []).map(ids => ({ ids, kind }))
    return {
      role,
      starts: start,
      tails: tail ?? [],
      ends: [
        ...ends(end, includeEnd === false ? 'before' : 'consumed'),
        ...ends(endBefore, 'before'),
        ...ends(endAnchor, 'anchor'),
      ],
      includeStart: includeStart ?? false,
    }
  })

const maskerOptions = z.strictObject({
  boundaries: z.array(boundary),
  rolesToTrain: z.array(role).nullish(),
  trainOnEos: z.enum(['turn', 'all', 'last', 'none']).nullish(),
  trainOnInputs: z.boolean().optional(),
  trainOnSharedEnd: z.boolean().optional(),
  ignoreTokenIds: ids.optional(),
  ignoreIndex: id.optional(),
  exclude: z
    .array(z.strictObject({ start: ids.min(1, 'expected at least one token id'), end: ids.optional() }))
    .optional(),
  termination: z.enum(['end-marker', 'next-start']).optional(),
  unterminated: z.enum(['run-to-end', 'mask']).optional(),
  turns: z.enum(['all', 'last']).optional(),
})

const completionOnly = z
  .strictObject({
    response: ids.min(1, 'expected at least one token id'),
    instruction: markers.optional(),
    padTokenId: id.optional(),
    ignoreIndex: id.optional(),
    classic: z.boolean().optional(),
  })
  .transform(({ instruction, ...rest }) => ({ ...rest, instructions: instruction ?? [] }))

const responsesOnly = z.strictObject({
  instruction: ids.min(1, 'expected at least one token id'),
  response: ids.min(1, 'expected at least one token id'),
  lastResponseOnly: z.boolean().optional(),
  ignoreIndex: id.optional(),
})

const schemas = { boundaries: maskerOptions, 'completion-only': completionOnly, 'responses-only': responsesOnly }

/** Whose rules a masker follows. */
export type Rules = keyof typeof schemas

/**
 * Options as the JSON that the core reads.
 *
 * @throws LossmaskError with all issues: `unknown-option`, `missing-option`, `invalid-option`.
 */
export function coreOptions(rules: Rules, options: unknown): string {
  const parsed = schemas[rules].safeParse(options, { reportInput: true })
  if (!parsed.success) throw LossmaskError.of(parsed.error.issues.flatMap(issue => optionIssues(issue, rules)))
  return JSON.stringify(Object.fromEntries(Object.entries(parsed.data).filter(([, value]) => value !== null)))
}

/** `[1, 2]` is one marker, `[[1], [2]]` are two, `[]` is none. */
function asMarkers(value: number[] | number[][]): number[][] {
  if (value.length === 0) return []
  return Array.isArray(value[0]) ? (value as number[][]) : [value as number[]]
}

function optionIssues(issue: z.core.$ZodIssue, rules: Rules): Issue[] {
  const path = optionPath(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => {
      const near = nearestName(key, optionNames(rules, issue.path.length > 0))
      return {
        code: 'unknown-option',
        message: `unknown option \`${key}\``,
        path: optionPath([...issue.path, key]),
        ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }),
      }
    })
  }
  if (issue.input === undefined)
    return [{ code: 'missing-option', message: `it is missing; ${describeIssue(issue)}`, path }]
  return [{ code: 'invalid-option', message: describeIssue(issue), path }]
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `expected ${issue.values.join(', ')}, found ${JSON.stringify(issue.input)}`
  return issue.code === 'invalid_type' && issue.message.startsWith('Invalid input')
    ? `expected ${issue.expected}`
    : issue.message
}

/** Names that stand at the top, or in the objects below. */
function optionNames(rules: Rules, nested: boolean): string[] {
  if (nested) return [...Object.keys(boundary.in.shape)]
  const schema = schemas[rules]
  return Object.keys('shape' in schema ? schema.shape : schema.in.shape)
}

function optionPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : `${text}.${String(step)}`),
    'options',
  )
}
