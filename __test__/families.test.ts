/** Every row of `vectors/families`: from ids alone, by the strategy's own marker strings resolved on that row's vocabulary. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { findStrategy, type MarkerTokenizer, resolveStrategy, type TrainOnEos } from '../src/strategies/index.js'
import { labelsOf, maskerOf } from './helpers/labels.js'
import { Absent, tokenizerOf } from './helpers/vocabularies.js'

interface Row {
  id: string
  family: string
  case: string
  vocabulary: string
  rendered: string
  input_ids: number[]
  scan_agrees: Record<TrainOnEos, boolean>
  labels_turn: number[]
  labels_none: number[]
  labels_all: number[]
}
interface Boundary {
  role: string
  start: string
  start_ids: number[]
  tails: { text: string; ids: number[] }[]
  ends: { ids: number[]; consume: boolean; in_loss: boolean }[]
  fused_header_ids: number[]
}

const folder = new URL('./vectors/families/', import.meta.url)
const families: Record<string, { boundaries: Boundary[]; media_ids_masked: number[] }> = JSON.parse(
  readFileSync(new URL('boundaries.json', folder), 'utf8'),
)
const rows: Row[] = readFileSync(new URL('families.jsonl', folder), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line))

/** Cases that ids cannot tell and show no sign of, with the reason. */
const NO_SIGN: Record<string, string> = {
  host_injection:
    'a whole end, header, answer and next header are typed: the ids are those of a conversation with one turn more',
}

const sorted = (ids: Iterable<number>) => [...new Set(ids)].sort((a, b) => a - b)

let latest: { vocabulary: string; tokenizer: MarkerTokenizer } | undefined

/** The family's vocabulary, or a passed test that says what is absent. Only the latest is kept: they are large. */
function vocabularyOf(family: string, log: (...values: unknown[]) => void): MarkerTokenizer | undefined {
  const vocabulary = rows.find(row => row.family === family)?.vocabulary as string
  try {
    if (latest?.vocabulary !== vocabulary) latest = { vocabulary, tokenizer: tokenizerOf(vocabulary) }
    return latest.tokenizer
  } catch (error) {
    if (!(error instanceof Absent)) throw error
    log(`left out: ${error.message}`)
    return undefined
  }
}

for (const [family, facts] of Object.entries(families)) {
  const strategy = findStrategy(family)
  if (strategy === undefined) continue

  test(`${family}: labels from ids equal the truth in every row and mode that ids can tell`, t => {
    const tokenizer = vocabularyOf(family, t.log)
    if (tokenizer === undefined) return t.pass()
    for (const trainOnEos of ['turn', 'none', 'all'] as const) {
      const resolved = resolveStrategy(strategy, tokenizer, { trainOnEos })
      for (const row of rows.filter(other => other.family === family && other.scan_agrees[trainOnEos])) {
        t.deepEqual(labelsOf(row.input_ids, resolved), row[`labels_${trainOnEos}`], `${row.id} ${trainOnEos}`)
      }
    }
  })

  test(`${family}: a row that ids cannot tell is diagnosed wherever they show a sign, and no other row is`, t => {
    const tokenizer = vocabularyOf(family, t.log)
    if (tokenizer === undefined) return t.pass()
    const masker = maskerOf(resolveStrategy(strategy, tokenizer))
    for (const row of rows.filter(other => other.family === family)) {
      const told = Object.values(row.scan_agrees).every(agrees => agrees)
      const expected = told || row.case in NO_SIGN ? [] : ['stray-end-marker']
      const found = masker.diagnose(row.input_ids)
      t.deepEqual([...new Set(found.map(({ code }) => code))], expected, row.id)
      for (const { start, end } of found) t.true(start !== undefined && end !== undefined && start < end, row.id)
    }
  })

  test(`${family}: markers, fused header tokens and media tokens resolve to the recorded ids`, t => {
    const tokenizer = vocabularyOf(family, t.log)
    if (tokenizer === undefined) return t.pass()
    const resolved = resolveStrategy(strategy, tokenizer)
    t.deepEqual(resolved.mediaTokenIds, sorted(facts.media_ids_masked))
    const everything = resolveStrategy(strategy, tokenizer, { trainOnInputs: true })
    t.true(
      labelsOf(everything.mediaTokenIds, everything).every(label => label === -100),
      'media is never trained',
    )
    for (const want of facts.boundaries) {
      const found = resolved.boundaries.find(
        boundary => boundary.role === want.role && boundary.starts.some(ids => `${ids}` === `${want.start_ids}`),
      )
      if (found === undefined) return t.fail(`no boundary ${want.role} ${JSON.stringify(want.start)}`)
      const single = found.tails.filter(ids => ids.length === 1).flat()
      for (const tail of want.tails)
        t.true(
          found.tails.some(ids => `${ids}` === `${tail.ids}`),
          `tail ${JSON.stringify(tail.text)}`,
        )
      // Where the template trims contents the record has no fused tokens; they are resolved all the same.
      const missing = want.fused_header_ids.filter(id => !single.includes(id))
      t.deepEqual(missing, [], `${want.role}: fused header tokens`)
      if (want.fused_header_ids.length > 0 && want.tails.every(tail => tail.text.endsWith('\n'))) {
        const plain = want.tails.flatMap(tail => (tail.ids.length === 1 ? tail.ids : []))
        t.deepEqual(sorted(single), sorted([...plain, ...want.fused_header_ids]))
      }
      const kinds = new Set(found.ends.map(end => `${end.ids}:${end.kind}`))
      for (const end of want.ends) {
        t.true(
          kinds.has(`${end.ids}:${end.consume ? 'consumed' : end.in_loss ? 'anchor' : 'before'}`),
          `end ${end.ids}`,
        )
      }
    }
  })
}
