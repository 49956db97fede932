/** A Python helper that answers requests, one JSON line for another. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The interpreter that tests use. */
export const python = process.env.LOSSMASK_PYTHON ?? 'python3'

/** The path of a helper script. */
export const helper = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** A running helper. */
export class PythonHelper {
  readonly #child
  readonly #lines
  readonly #errors: string[] = []

  constructor(name: string) {
    this.#child = spawn(python, [helper(name)])
    this.#child.on('error', error => this.#errors.push(error.message))
    this.#child.stdin.on('error', () => {})
    this.#child.stderr.setEncoding('utf8').on('data', text => this.#errors.push(text))
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** The answer to a request; `undefined` when the helper is gone. */
  async ask<Answer>(request: unknown): Promise<Answer | undefined> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const { done, value } = await this.#lines.next()
    return done ? undefined : (JSON.parse(value) as Answer)
  }

  /** Why it is gone: the last line that it wrote to stderr. */
  get reason(): string {
    return this.#errors.join('').trim().split('\n').at(-1) ?? ''
  }

  /** Ends it. */
  end(): void {
    this.#child.stdin.end()
  }
}
