/** One thing that is wrong, as data. Text is made from it by {@link formatIssue} and nothing else. */
export interface Issue {
  /** Stable name in kebab case, documented in `docs/diagnostics.md`. */
  readonly code: string
  /** What is wrong, in one sentence. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
  /** Where in a value: `datasets[0].roles_to_train`, `options.boundaries[1].start`. */
  readonly path?: string
  /** The file it stands in. */
  readonly file?: string
  /** Line in the file, from 1. */
  readonly line?: number
  /** Column in the line, from 1, in UTF-16 code units. */
  readonly column?: number
  /** Index of the data row, from 0. */
  readonly row?: number
}

const fields = ['code', 'message', 'hint', 'path', 'file', 'line', 'column', 'row'] as const

/** Extra context of a {@link LossmaskError}: everything of an {@link Issue} but code and message, and the cause. */
export interface ErrorDetails extends Omit<Issue, 'code' | 'message'> {
  /** The error that led to this one. */
  readonly cause?: unknown
}

/**
 * The error of everything that lossmask refuses. The properties are those of the first of its `issues`.
 *
 * ```ts
 * const error = await loadConfig({ sequence_len: 0 }).catch(error => error)
 * error instanceof LossmaskError // => true
 * error.code // => 'config-invalid-value'
 * error.path // => 'sequence_len'
 * ```
 */
export class LossmaskError extends Error implements Issue {
  override readonly name = 'LossmaskError'
  readonly code: string
  declare readonly hint?: string
  declare readonly path?: string
  declare readonly file?: string
  declare readonly line?: number
  declare readonly column?: number
  declare readonly row?: number
  /** All that was found wrong, in the order in which it stands in the input. Never empty. */
  readonly issues: readonly Issue[]

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    const { cause, ...rest } = details
    super(message, cause === undefined ? undefined : { cause })
    const issue = compact({ code, message, ...rest })
    this.code = code
    this.issues = [issue]
    Object.assign(this, omitMessage(issue))
  }

  /** One error for all `issues`, which must not be empty. Its message is that of the first, and how many more there are. */
  static of(issues: readonly Issue[], cause?: unknown): LossmaskError {
    const [first, ...rest] = issues
    if (first === undefined) throw new TypeError('LossmaskError.of needs at least one issue')
    const { code, message, ...details } = first
    const count = rest.length === 0 ? '' : ` (and ${rest.length} more, see error.issues)`
    const error = new LossmaskError(code, message + count, { ...details, ...(cause === undefined ? {} : { cause }) })
    ;(error as { issues: readonly Issue[] }).issues = issues.map(compact)
    return error
  }

  /** The error as plain data: the first issue's fields, and all `issues` when there are several. */
  toJSON(): Issue & { issues?: readonly Issue[] } {
    const first = this.issues[0] as Issue
    return this.issues.length > 1 ? { ...first, issues: this.issues } : { ...first }
  }

  /** All issues as text, one after the other, as {@link formatIssue} gives them. */
  override toString(): string {
    return this.issues.map(formatIssue).join('\n')
  }
}

/** `config.yml:3:5: datasets[0].type: message [code]`, with the hint on a line of its own. */
export function formatIssue(issue: Issue): string {
  const place = [issue.file, issue.line, issue.column].filter(part => part !== undefined).join(':')
  const row = issue.row === undefined ? '' : `row ${issue.row}`
  const head = [place, row, issue.path].filter(part => part !== undefined && part !== '')
  const text = [...head, `${issue.message} [${issue.code}]`].join(': ')
  return issue.hint === undefined ? text : `${text}\n  hint: ${issue.hint}`
}

/** Only the fields of an issue, without those that are undefined. */
function compact(issue: Issue): Issue {
  return Object.fromEntries(
    fields.flatMap(field => (issue[field] === undefined ? [] : [[field, issue[field]]])),
  ) as unknown as Issue
}

function omitMessage({ message: _, ...rest }: Issue): Omit<Issue, 'message'> {
  return rest
}
