import { byId, count, element, share, svg } from './dom.js'
import type { PageHead } from './payload.js'

/** A stretch of rows picked in a chart: rows whose value lies in `[from, to)`. */
export type Pick = { chart: 'share' | 'length'; from: number; to: number }

const BINS = 24

/** Draws the four pictures one looks at first; a click on a bar of the first two picks its rows. */
export function drawCharts(head: PageHead, onPick: (pick: Pick) => void): void {
  const { tokens, trained } = head.rows
  const shares = tokens.map((all, index) => (all === 0 ? 0 : (trained[index] ?? 0) / all))
  const longest = tokens.reduce((most, length) => Math.max(most, length), 1)
  byId('charts').append(
    histogram('Trained share per row', shares, 1, value => `${Math.round(value * 100)} %`, onPick, 'share'),
    histogram('Row length in tokens', tokens, longest + 1, value => count(Math.round(value)), onPick, 'length'),
    bars(
      'Trained tokens per role',
      head.perRole.map(({ role, tokens, trained }) => ({ name: role, all: tokens, part: trained })),
      entry => share(entry.part, entry.all),
    ),
    bars(
      'Dropped rows by reason',
      head.dropped.map(({ reason, rows }) => ({ name: reason, all: rows, part: 0 })),
      entry => count(entry.all),
    ),
  )
}

function histogram(
  caption: string,
  values: number[],
  limit: number,
  label: (value: number) => string,
  onPick: (pick: Pick) => void,
  chart: Pick['chart'],
): HTMLElement {
  const bins = new Array<number>(BINS).fill(0)
  for (const value of values) {
    const bin = Math.min(BINS - 1, Math.floor((value / limit) * BINS))
    bins[bin] = (bins[bin] ?? 0) + 1
  }
  const highest = Math.max(1, ...bins)
  const picture = svg('svg', { viewBox: '0 0 240 72', preserveAspectRatio: 'none', role: 'img', 'aria-label': caption })
  bins.forEach((rows, bin) => {
    const from = (bin / BINS) * limit
    // The last bin holds its upper border too: a row trained in full has a share of exactly 1.
    const to = bin === BINS - 1 ? Number.POSITIVE_INFINITY : ((bin + 1) / BINS) * limit
    const height = rows === 0 ? 0 : Math.max(2, (rows / highest) * 56)
    const group = svg('g', { class: 'pick', 'data-chart': chart, 'data-bin': bin })
    group.append(
      svg('rect', { x: bin * 10, y: 0, width: 10, height: 58, fill: 'transparent', style: 'fill:transparent' }),
      svg('rect', { x: bin * 10 + 0.5, y: 58 - height, width: 9, height, class: chart === 'share' ? 'trained' : '' }),
      svg('title', {}, `${label(from)} to ${label(Math.min(to, limit))}: ${count(rows)} rows`),
    )
    group.addEventListener('click', () => onPick({ chart, from, to }))
    picture.append(group)
  })
  picture.append(svg('text', { x: 0, y: 70 }, label(0)))
  picture.append(svg('text', { x: 240, y: 70, 'text-anchor': 'end' }, label(limit)))
  return element('figure', {}, element('figcaption', {}, caption), picture as unknown as Node)
}

type Bar = { name: string; all: number; part: number }

function bars(caption: string, entries: Bar[], label: (entry: Bar) => string): HTMLElement {
  const figure = element('figure', {}, element('figcaption', {}, caption))
  const most = Math.max(1, ...entries.map(entry => entry.all))
  const table = element('div', { class: 'bars' })
  for (const entry of entries) {
    const bar = element('i', { style: `width:${(100 * entry.all) / most}%` })
    bar.append(element('i', { style: `width:${entry.all === 0 ? 0 : (100 * entry.part) / entry.all}%` }))
    const exact = `${count(entry.part)} of ${count(entry.all)}`
    table.append(element('span', {}, entry.name), bar, element('span', { title: exact }, label(entry)))
  }
  figure.append(entries.length > 0 ? table : element('span', { class: 'where' }, 'none'))
  return figure
}
