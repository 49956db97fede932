import { drawCharts, type Pick } from './charts.js'
import { Chunks } from './chunks.js'
import { byId, count, element, share } from './dom.js'
import { RowList } from './list.js'
import type { PageHead } from './payload.js'
import { RowView } from './row.js'

const head: PageHead = JSON.parse(byId('head').textContent ?? '{}')
const chunks = new Chunks(head)
const view = new RowView(head)
const list = new RowList(head, row => void open(row))
const total = head.rows.tokens.length

/** What the rows are filtered by; an absent part lets every row pass. */
const filter: { codes: Set<number>; statuses: Set<number>; nothing: boolean; pick?: Pick; hits?: Set<number> } = {
  codes: new Set(),
  statuses: new Set(),
  nothing: false,
}
let sought = ''
let opening = -1

function passes(row: number): boolean {
  const tokens = head.rows.tokens[row] ?? 0
  const trained = head.rows.trained[row] ?? 0
  if (filter.nothing && trained > 0) return false
  if (filter.codes.size > 0 && !(head.rows.codes[row] ?? []).some(code => filter.codes.has(code))) return false
  if (filter.statuses.size > 0 && !filter.statuses.has(head.rows.status[row] ?? -1)) return false
  if (filter.hits !== undefined && !filter.hits.has(row)) return false
  if (filter.pick === undefined) return true
  const value = filter.pick.chart === 'length' ? tokens : tokens === 0 ? 0 : trained / tokens
  return value >= filter.pick.from && value < filter.pick.to
}

function refresh(): void {
  const rows: number[] = []
  for (let row = 0; row < total; row += 1) if (passes(row)) rows.push(row)
  list.show(rows)
  drawChips()
  byId('search-state').textContent = rows.length === total ? '' : `${count(rows.length)} of ${count(total)} rows`
}

async function open(row: number): Promise<void> {
  opening = row
  list.mark(row)
  if (row < 0) return view.showNothing()
  const opened = await chunks.row(row)
  // A quicker key may have asked for another row meanwhile.
  if (opened !== undefined && opening === row) view.show(row, opened, sought)
}

async function search(text: string): Promise<void> {
  sought = text.toLowerCase()
  if (sought === '') {
    delete filter.hits
    return refresh()
  }
  const wanted = sought
  const hits = new Set<number>()
  for (let chunk = 0; chunk < head.chunks; chunk += 1) {
    const rows = await chunks.chunk(chunk)
    if (sought !== wanted) return
    rows.forEach((row, offset) => {
      if (row.x.toLowerCase().includes(wanted)) hits.add(chunk * head.chunkRows + offset)
    })
    byId('search-state').textContent =
      `searching ${count(Math.min(total, (chunk + 1) * head.chunkRows))} of ${count(total)}`
  }
  filter.hits = hits
  refresh()
  void open(opening)
}

function chip(label: string, rows: number, pressed: boolean, severity: string, toggle: () => void): HTMLElement {
  const made = element('button', { type: 'button', class: `chip ${severity}`, 'aria-pressed': String(pressed) }, label)
  made.append(element('small', {}, count(rows)))
  made.addEventListener('click', () => {
    toggle()
    refresh()
  })
  return made
}

function toggle(set: Set<number>, value: number): void {
  if (!set.delete(value)) set.add(value)
}

function drawChips(): void {
  const chips: HTMLElement[] = []
  const nothing = head.rows.trained.filter(trained => trained === 0).length
  const toggleNothing = () => {
    filter.nothing = !filter.nothing
  }
  if (nothing > 0) chips.push(chip('nothing trained', nothing, filter.nothing, '', toggleNothing))
  head.statuses.forEach((status, index) => {
    const rows = head.rows.status.filter(value => value === index).length
    if (rows > 0 && rows < total)
      chips.push(chip(status, rows, filter.statuses.has(index), '', () => toggle(filter.statuses, index)))
  })
  head.codes.forEach(({ code, severity }, index) => {
    const rows = head.rows.codes.filter(codes => codes.includes(index)).length
    if (rows > 0) chips.push(chip(code, rows, filter.codes.has(index), severity, () => toggle(filter.codes, index)))
  })
  if (filter.pick !== undefined) {
    const { chart, from, to } = filter.pick
    const upper = Number.isFinite(to) ? (chart === 'share' ? `${Math.round(to * 100)} %` : count(Math.round(to))) : '…'
    const lower = chart === 'share' ? `${Math.round(from * 100)} %` : count(Math.round(from))
    chips.push(chip(`${chart} ${lower} – ${upper}`, list.shown.length, true, '', () => delete filter.pick))
  }
  byId('chips').replaceChildren(...chips)
}

function dropFilters(): void {
  filter.codes.clear()
  filter.statuses.clear()
  filter.nothing = false
  delete filter.pick
  delete filter.hits
  sought = ''
  byId<HTMLInputElement>('search').value = ''
  refresh()
}

function setTheme(theme: string): void {
  document.documentElement.dataset.theme = theme
}

function toggleView(name: string): void {
  byId('row').classList.toggle(name)
  void open(opening)
}

const hasDiagnosis = (row: number): boolean => (head.rows.codes[row] ?? []).length > 0

const keys: Record<string, () => void> = {
  j: () => void open(list.neighbour(1)),
  k: () => void open(list.neighbour(-1)),
  n: () => void open(list.neighbour(1, hasDiagnosis)),
  p: () => void open(list.neighbour(-1, hasDiagnosis)),
  ArrowDown: () => void open(list.neighbour(1)),
  ArrowUp: () => void open(list.neighbour(-1)),
  ArrowRight: () => view.step(1),
  ArrowLeft: () => view.step(-1),
  '/': () => byId('search').focus(),
  t: () => toggleView('tokens'),
  m: () => toggleView('masked-only'),
  x: dropFilters,
  d: () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'),
  '?': () => byId<HTMLDialogElement>('help').showModal(),
  Escape: () => view.hideTip(),
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.target === byId('search')) {
    if (event.key === 'Escape') byId('search').blur()
    return
  }
  const action = keys[event.key]
  if (action === undefined) return
  event.preventDefault()
  action()
})

let typing: ReturnType<typeof setTimeout> | undefined
byId('search').addEventListener('input', event => {
  clearTimeout(typing)
  typing = setTimeout(() => void search((event.target as HTMLInputElement).value), 150)
})
byId('help-open').addEventListener('click', () => byId<HTMLDialogElement>('help').showModal())

setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
document.title = head.title
const heading = document.querySelector('h1')
if (heading !== null) heading.textContent = head.title
const tokens = head.rows.tokens.reduce((sum, value) => sum + value, 0)
const trained = head.rows.trained.reduce((sum, value) => sum + value, 0)
byId('figures').append(
  element('b', {}, count(total)),
  ' rows · ',
  element('b', {}, count(tokens)),
  ' tokens · ',
  element('b', {}, share(trained, tokens)),
  ' trained',
)
byId('figures').title = head.facts.map(([name, value]) => `${name}: ${value}`).join('\n')
drawCharts(head, pick => {
  filter.pick = pick
  refresh()
})
refresh()
document.documentElement.dataset.ready = 'true'
