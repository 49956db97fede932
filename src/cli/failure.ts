import { CommanderError } from 'commander'
import { formatIssue, type Issue, LossmaskError } from '../errors.js'

/** What the process ends with. */
export const exitCode = {
  /** Done. */
  done: 0,
  /** The data or the mask is at fault. */
  data: 1,
  /** The command or the config is at fault. */
  usage: 2,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const

/** The data or the mask is at fault: thrown by commands for what happens once the work has begun. */
export class DataFault extends Error {
  constructor(override readonly cause: LossmaskError) {
    super(cause.message)
  }
}

/** The user stopped the command. */
export class Interrupted extends Error {}

/** What is said on stderr about an error, and the exit code. Nothing is said where commander has said it already. */
export function failure(error: unknown): { text?: string; issues: readonly Issue[]; code: number } {
  if (error instanceof CommanderError) {
    return { issues: [], code: error.exitCode === 0 ? exitCode.done : exitCode.usage }
  }
  if (error instanceof Interrupted)
    return { text: 'stopped; nothing was written', issues: [], code: exitCode.interrupted }
  if (error instanceof DataFault) return described(error.cause, exitCode.data)
  if (error instanceof LossmaskError) return described(error, exitCode.usage)
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const issue = {
    code: 'internal-error',
    message: stack,
    hint: 'this is a bug in lossmask; please report it with what led to it',
  }
  return { text: formatIssue(issue), issues: [issue], code: exitCode.usage }
}

function described(error: LossmaskError, code: number): { text: string; issues: readonly Issue[]; code: number } {
  return { text: error.issues.map(formatIssue).join('\n'), issues: error.issues, code }
}

/** Work on data: what it throws is the data's fault, but for a template or tokenizer that is found wrong before any row is read. */
export async function onData<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof LossmaskError && !isConfigFault(error) ? new DataFault(error) : error
  }
}

function isConfigFault({ code, row }: LossmaskError): boolean {
  return row === undefined && /^(template|tokenizer)-|^no-(chat-template|generation-tags)$/.test(code)
}
