import type { PageHead, PageRow } from './payload.js'

/** Opens the chunks of rows that the page carries, each once, keeping the last few. */
export class Chunks {
  readonly #head: PageHead
  readonly #open = new Map<number, Promise<PageRow[]>>()

  constructor(head: PageHead) {
    this.#head = head
  }

  async row(index: number): Promise<PageRow | undefined> {
    const rows = await this.chunk(Math.floor(index / this.#head.chunkRows))
    return rows[index % this.#head.chunkRows]
  }

  chunk(index: number): Promise<PageRow[]> {
    const known = this.#open.get(index)
    if (known !== undefined) return known
    const opened = open(index)
    this.#open.set(index, opened)
    // A page of 10,000 rows unpacks to hundreds of megabytes: only the chunks somebody looked at last stay.
    if (this.#open.size > 12) this.#open.delete(this.#open.keys().next().value as number)
    return opened
  }
}

async function open(index: number): Promise<PageRow[]> {
  const packed = document.getElementById(`chunk-${index}`)?.textContent ?? ''
  const bytes = Uint8Array.from(atob(packed), letter => letter.charCodeAt(0))
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))
  return JSON.parse(await new Response(stream).text())
}
