import { guarded, guardedAsync, native } from '../native.js'
import type { Report, ShownRow } from '../pipeline/report.js'

/** Which rows of a prepared folder are wanted; what is left out holds for every row. */
export interface RowFilter {
  /** Rows with a diagnosis of this code. */
  code?: string
  /** Rows with a warning, an error, or a conflict of routes. */
  failing?: boolean
  /** No more rows than this. */
  limit?: number
}

/** A folder that `lossmask preprocess` wrote, open for reading. */
export class Prepared {
  readonly #folder: InstanceType<ReturnType<typeof native>['PreparedFolder']>
  /** The report of the run that made it. */
  readonly report: Report

  /** @throws LossmaskError `not-prepared` when lossmask did not write the folder, `corrupt-file` when it cannot be read. */
  constructor(dir: string) {
    const { PreparedFolder } = native()
    this.#folder = guarded(() => new PreparedFolder(dir))
    this.report = JSON.parse(guarded(() => this.#folder.report())) as Report
  }

  /** Why rows come without token texts, if they do. */
  get tokenizerProblem(): { code: string; message: string } | undefined {
    const problem = guarded(() => this.#folder.tokenizerProblem())
    return problem === null ? undefined : JSON.parse(problem)
  }

  /** The rows of the given numbers, in that order. */
  async rows(split: string, numbers: readonly number[]): Promise<ShownRow[]> {
    return JSON.parse(await guardedAsync(() => this.#folder.rows(split, [...numbers])))
  }

  /** The numbers of the rows that pass, in order. */
  find(split: string, filter: RowFilter): Promise<number[]> {
    return guardedAsync(() => this.#folder.find(split, filter))
  }

  /** Rows for a page, as chunks in order, and the page's head once all have passed. */
  page(
    split: string,
    numbers: readonly number[],
    chunkRows: number,
  ): { chunks: AsyncIterable<string>; head(title: string): string } {
    const { InspectPage } = native()
    const page = guarded(() => new InspectPage(this.#folder))
    async function* chunks(): AsyncGenerator<string> {
      for (let from = 0; from < numbers.length; from += chunkRows) {
        yield await guardedAsync(() => page.chunk(split, numbers.slice(from, from + chunkRows)))
      }
    }
    const facts = JSON.stringify(factsOf(this.report))
    return { chunks: chunks(), head: title => guarded(() => page.head(title, facts, chunkRows)) }
  }
}

/** What the report remembers of the run's config, in reading order. */
function factsOf({ config }: Report): [string, string][] {
  const about = (config ?? {}) as { model?: string; datasets?: { place: string; masking?: string[] }[] }
  const masking = (about.datasets ?? []).flatMap(({ place, masking = [] }) =>
    masking.map(line => [place, line] as [string, string]),
  )
  return [...(about.model === undefined ? [] : [['model', about.model] as [string, string]]), ...masking]
}
