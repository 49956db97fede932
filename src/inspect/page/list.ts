import { byId, count, element } from './dom.js'
import type { PageHead } from './payload.js'

const ITEM_HEIGHT = 34

/** The list of rows: only those in view are in the document. */
export class RowList {
  readonly #head: PageHead
  readonly #list = byId('list')
  readonly #space = byId('list-space')
  readonly #onOpen: (row: number) => void
  #shown: number[] = []
  #current = -1

  constructor(head: PageHead, onOpen: (row: number) => void) {
    this.#head = head
    this.#onOpen = onOpen
    this.#list.addEventListener('scroll', () => this.#draw(), { passive: true })
    new ResizeObserver(() => this.#draw()).observe(this.#list)
    this.#list.addEventListener('click', event => {
      const item = (event.target as HTMLElement).closest<HTMLElement>('.item')
      if (item !== null) this.#onOpen(Number(item.dataset.row))
    })
  }

  get shown(): readonly number[] {
    return this.#shown
  }

  /** Shows these rows, and opens the first unless the one that is open stays. */
  show(rows: number[]): void {
    this.#shown = rows
    this.#space.style.height = `${rows.length * ITEM_HEIGHT}px`
    this.#draw()
    if (!rows.includes(this.#current)) this.#onOpen(rows[0] ?? -1)
  }

  mark(row: number): void {
    this.#current = row
    const place = this.#shown.indexOf(row)
    if (place >= 0) {
      const top = place * ITEM_HEIGHT
      const { scrollTop, clientHeight } = this.#list
      if (top < scrollTop) this.#list.scrollTop = top
      else if (top + ITEM_HEIGHT > scrollTop + clientHeight) this.#list.scrollTop = top + ITEM_HEIGHT - clientHeight
    }
    this.#draw()
  }

  /** The row `step` places on that satisfies `wanted`, or the one that is open. */
  neighbour(step: 1 | -1, wanted: (row: number) => boolean = () => true): number {
    for (let place = this.#shown.indexOf(this.#current) + step; ; place += step) {
      const row = this.#shown[place]
      if (row === undefined) return this.#current
      if (wanted(row)) return row
    }
  }

  #draw(): void {
    const first = Math.max(0, Math.floor(this.#list.scrollTop / ITEM_HEIGHT) - 6)
    const last = Math.min(this.#shown.length, first + Math.ceil(this.#list.clientHeight / ITEM_HEIGHT) + 12)
    const items = this.#shown.slice(first, last).map((row, offset) => this.#item(row, first + offset))
    this.#space.replaceChildren(...items)
  }

  #item(row: number, place: number): HTMLElement {
    const { tokens, trained, codes } = this.#head.rows
    const all = tokens[row] ?? 0
    const part = all === 0 ? 0 : (100 * (trained[row] ?? 0)) / all
    const worst = this.#worst(codes[row] ?? [])
    return element(
      'div',
      {
        class: 'item',
        'data-row': String(row),
        style: `top:${place * ITEM_HEIGHT}px`,
        'aria-current': String(row === this.#current),
        title: `row ${row}: ${part.toFixed(1)} % trained`,
      },
      element('span', {}, `#${row}`),
      element('span', { class: 'meter' }, element('i', { style: `width:${part}%` })),
      element('span', { class: 'size' }, count(all)),
      element('span', worst === undefined ? {} : { class: worst }),
    )
  }

  #worst(codes: number[]): string | undefined {
    const severities = codes.map(code => this.#head.codes[code]?.severity)
    return (['error', 'warning', 'info'] as const).find(severity => severities.includes(severity))
  }
}
