import { byId, count, element, share } from './dom.js'
import type { PageHead, PageRow } from './payload.js'

/** One decision over a run of tokens. */
type Span = { from: number; to: number; turn: number; kind: string; trained: boolean; reason: string; weight: number }

const SPAN_FIELDS = 6

/** The row that is open: its text by turns, with what is known of each token on hover, tap or arrow key. */
export class RowView {
  readonly #head: PageHead
  readonly #article = byId('row')
  readonly #tip = byId('tip')
  #row: PageRow | undefined
  #spans: Span[] = []
  /** Where each token's text begins, in UTF-16 units of the row's text; one more for its end. */
  #starts: Uint32Array = new Uint32Array(1)
  #focus = -1

  constructor(head: PageHead) {
    this.#head = head
    this.#article.addEventListener('pointermove', event => this.#point(event))
    this.#article.addEventListener('click', event => this.#point(event))
    this.#article.addEventListener('pointerleave', () => this.hideTip())
    this.#article.addEventListener('scroll', () => this.hideTip(), { passive: true })
  }

  showNothing(): void {
    this.#row = undefined
    this.hideTip()
    this.#article.replaceChildren(element('p', { class: 'empty' }, 'No row passes the filters.'))
  }

  show(index: number, row: PageRow, sought: string): void {
    this.#row = row
    this.#spans = readSpans(row, this.#head)
    this.#starts = startsOf(row.n)
    this.#focus = -1
    this.hideTip()
    const { tokens, trained, status, file, line } = this.#head.rows
    const all = tokens[index] ?? 0
    const part = trained[index] ?? 0
    const place = `${this.#head.files[file[index] ?? -1] ?? '?'}:${line[index]}`
    this.#article.replaceChildren(
      element('h2', {}, `Row ${index}`),
      element(
        'p',
        { class: 'where' },
        `${place} · ${count(all)} tokens · ${count(part)} trained (${share(part, all)}) · ${this.#head.statuses[status[index] ?? -1] ?? ''}`,
      ),
      ...this.#found(row),
      ...this.#turns(row, sought),
    )
    this.#article.scrollTop = 0
  }

  /** Moves the token under the keyboard by `step`. */
  step(step: 1 | -1): void {
    if (this.#row === undefined) return
    const next = Math.min(this.#row.i.length - 1, Math.max(0, this.#focus + step))
    this.#focusToken(next)
  }

  hideTip(): void {
    this.#tip.hidden = true
    for (const mark of document.querySelectorAll('.mark')) mark.remove()
  }

  #found(row: PageRow): HTMLElement[] {
    if (row.d.length === 0) return []
    const items = row.d.map(({ c, m, s }) => {
      const code = this.#head.codes[c]
      const link = element('a', { href: '#row' }, m)
      link.addEventListener('click', event => {
        event.preventDefault()
        if (s !== null) this.#focusToken(s[0])
      })
      return element(
        'li',
        { class: code?.severity ?? 'info' },
        `${code?.code}: `,
        link,
        ' ',
        element('small', {}, code?.hint ?? ''),
      )
    })
    return [element('ul', { class: 'found' }, ...items)]
  }

  #turns(row: PageRow, sought: string): HTMLElement[] {
    const blocks: HTMLElement[] = []
    const hits = hitsOf(row.x, sought)
    let open: { turn: number; text: HTMLElement } | undefined
    for (const span of this.#spans) {
      // The line break between two turns is nobody's text: it stays with the turn before it.
      const between = span.turn < 0 && this.#textOf(row, span).trim() === ''
      if (open === undefined || (open.turn !== span.turn && !between)) {
        const text = element('div', { class: 'text' })
        const role = this.#head.roles[row.t[span.turn] ?? -1] ?? ''
        const trained = this.#spans.some(other => other.turn === span.turn && other.trained)
        blocks.push(
          element(
            'div',
            { class: trained ? 'turn trained' : 'turn' },
            element('div', { class: 'role' }, element('b', {}, role)),
            text,
          ),
        )
        open = { turn: span.turn, text }
      }
      open.text.append(this.#run(row, span, hits))
    }
    return blocks
  }

  #textOf(row: PageRow, span: Span): string {
    return row.x.slice(this.#starts[span.from], this.#starts[span.to])
  }

  #run(row: PageRow, span: Span, hits: [number, number][]): HTMLElement {
    const run = element('span', {
      class: `k-${span.kind}${span.trained ? ' trained' : ''}`,
      'data-from': String(this.#starts[span.from]),
    })
    if (this.#article.classList.contains('tokens')) {
      for (let token = span.from; token < span.to; token += 1) {
        const text = row.x.slice(this.#starts[token], this.#starts[token + 1])
        if (text !== '') run.append(element('span', { class: 'tok' }, text))
      }
      return run
    }
    appendMarked(run, row.x, this.#starts[span.from] ?? 0, this.#starts[span.to] ?? 0, hits)
    return run
  }

  #point(event: MouseEvent): void {
    const offset = textOffset(event)
    if (offset === undefined) this.hideTip()
    else this.#showTip(tokenAt(this.#starts, offset), event.clientX, event.clientY)
  }

  #focusToken(token: number): void {
    this.#focus = token
    const box = this.#mark(token)[0]
    if (box === undefined) return
    const frame = this.#article.getBoundingClientRect()
    if (box.top < frame.top + 40 || box.bottom > frame.bottom - 40) {
      this.#article.scrollTop += box.top - frame.top - frame.height / 2
      // The scroll moved the token: draw the mark where it is now.
      requestAnimationFrame(() => this.#focusTip(token))
    } else this.#focusTip(token)
  }

  #focusTip(token: number): void {
    const box = this.#mark(token)[0]
    if (box !== undefined) this.#showTip(token, box.left, box.bottom)
  }

  #showTip(token: number, x: number, y: number): void {
    const row = this.#row
    const span = this.#spans.find(each => token >= each.from && token < each.to)
    this.hideTip()
    if (row === undefined || span === undefined) return
    this.#mark(token)
    const text = row.x.slice(this.#starts[token], this.#starts[token + 1])
    const role = this.#head.roles[row.t[span.turn] ?? -1]
    this.#tip.replaceChildren(
      element('b', {}, span.trained ? 'trained' : 'masked'),
      element('code', {}, text === '' ? 'part of a character' : JSON.stringify(text)),
      element('div', {}, `token ${token}, id ${row.i[token]}`),
      element('div', {}, `${role === undefined ? '' : `${role}, `}${span.kind}`),
      element('div', {}, `why: ${span.reason}${span.trained && span.weight !== 1 ? `, weight ${span.weight}` : ''}`),
    )
    this.#tip.hidden = false
    const { offsetWidth, offsetHeight } = this.#tip
    this.#tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - offsetWidth - 8))}px`
    this.#tip.style.top = `${y + 20 + offsetHeight > innerHeight ? Math.max(4, y - offsetHeight - 12) : y + 16}px`
  }

  /** Outlines a token and gives its boxes on the screen. */
  #mark(token: number): DOMRect[] {
    this.hideTip()
    const range = rangeOf(this.#article, this.#starts[token] ?? 0, this.#starts[token + 1] ?? 0)
    if (range === undefined) return []
    const boxes = [...range.getClientRects()]
    for (const box of boxes) {
      const style = `position:fixed;left:${box.left}px;top:${box.top}px;width:${Math.max(box.width, 3)}px;height:${box.height}px`
      document.body.append(element('div', { class: 'mark', style }))
    }
    return boxes
  }
}

function readSpans(row: PageRow, head: PageHead): Span[] {
  const spans: Span[] = []
  let from = 0
  for (let at = 0; at < row.s.length; at += SPAN_FIELDS) {
    const [tokens = 0, turn = -1, kind = 0, trained = 0, reason = 0, weight = 0] = row.s.slice(at, at + SPAN_FIELDS)
    const to = from + tokens
    spans.push({
      from,
      to,
      turn,
      kind: head.kinds[kind] ?? '',
      trained: trained === 1,
      reason: head.reasons[reason] ?? '',
      weight,
    })
    from = to
  }
  return spans
}

function startsOf(lengths: number[]): Uint32Array {
  const starts = new Uint32Array(lengths.length + 1)
  lengths.forEach((length, token) => {
    starts[token + 1] = (starts[token] ?? 0) + length
  })
  return starts
}

/** The token whose text holds the offset; of several that end there, the one that completes the character. */
function tokenAt(starts: Uint32Array, offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle + 1] ?? 0) > offset) high = middle
    else low = middle + 1
  }
  return low
}

/** Offset into the row's text of what the pointer is over. */
function textOffset(event: MouseEvent): number | undefined {
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-from]')
  if (over === null || over === undefined) return undefined
  const caret = document.caretPositionFromPoint?.(event.clientX, event.clientY)
  if (caret === null || caret === undefined || !over.contains(caret.offsetNode)) return Number(over.dataset.from)
  const before = document.createRange()
  before.setStart(over, 0)
  before.setEnd(caret.offsetNode, caret.offset)
  const offset = Number(over.dataset.from) + before.toString().length
  // The caret stands on the nearer side of a letter: step back when it stands behind the one pointed at.
  const ahead = document.createRange()
  ahead.setStart(caret.offsetNode, Math.max(0, caret.offset - 1))
  ahead.setEnd(caret.offsetNode, caret.offset)
  const box = ahead.getBoundingClientRect()
  return caret.offset > 0 && event.clientX < box.right && event.clientX >= box.left && event.clientY <= box.bottom
    ? offset - 1
    : offset
}

/** A range over `[from, to)` of the row's text. */
function rangeOf(article: HTMLElement, from: number, to: number): Range | undefined {
  let run: HTMLElement | undefined
  for (const each of article.querySelectorAll<HTMLElement>('[data-from]')) {
    if (Number(each.dataset.from) > from) break
    run = each
  }
  if (run === undefined) return undefined
  const range = document.createRange()
  const base = Number(run.dataset.from)
  const walker = document.createTreeWalker(run, NodeFilter.SHOW_TEXT)
  let passed = base
  let started = false
  for (let node = walker.nextNode() as Text | null; node !== null; node = walker.nextNode() as Text | null) {
    const end = passed + node.data.length
    if (!started && from < end) {
      range.setStart(node, from - passed)
      started = true
    }
    if (started && to <= end) {
      range.setEnd(node, Math.max(0, to - passed))
      return range
    }
    passed = end
  }
  return started ? range : undefined
}

/** Where `sought` (in lower case) stands in `text`, as `[from, to)` without overlaps. */
function hitsOf(text: string, sought: string): [number, number][] {
  const hits: [number, number][] = []
  if (sought === '') return hits
  const low = text.toLowerCase()
  for (let at = low.indexOf(sought); at >= 0; at = low.indexOf(sought, at + sought.length))
    hits.push([at, at + sought.length])
  return hits
}

/** Appends `[from, to)` of `text`, marking what the hits cover: a hit may begin in one run and end in another. */
function appendMarked(run: HTMLElement, text: string, from: number, to: number, hits: [number, number][]): void {
  let at = from
  for (const [hitFrom, hitTo] of hits) {
    if (hitTo <= from || hitFrom >= to) continue
    const start = Math.max(hitFrom, from)
    const end = Math.min(hitTo, to)
    run.append(text.slice(at, start), element('mark', {}, text.slice(start, end)))
    at = end
  }
  run.append(text.slice(at, to))
}
