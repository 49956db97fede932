/** Random options and rows: every output agrees with the naive reference and with the others. */
import test from 'ava'
import fc from 'fast-check'
import { Masker, type MaskerOptions } from '../src/index.js'
import { naiveLabels } from './helpers/naive.js'
import { offsetsOf } from './helpers/vectors.js'

const runs = Number(process.env.LOSSMASK_CASES ?? 1500)
const id = fc.integer({ min: -1, max: 5 })
const marker = fc.array(id, { minLength: 1, maxLength: 3 })
const markers = fc.oneof(marker, fc.uniqueArray(marker, { maxLength: 3, selector: String }))
const role = fc.constantFrom('assistant', 'user', 'tool')
const ids = fc.array(id, { maxLength: 60 })

const boundary = fc
  .record(
    {
      role,
      start: markers,
      end: fc.option(markers),
      tail: markers,
      includeStart: fc.boolean(),
      includeEnd: fc.boolean(),
    },
    { requiredKeys: ['role', 'start'] },
  )
  .chain(base =>
    // The same end marker with two kinds is an error: further kinds get markers that begin with an id of their own.
    fc
      .record({ endBefore: fc.option(marker, { nil: undefined }), endAnchor: fc.option(marker, { nil: undefined }) })
      .map(more => ({
        ...base,
        ...(more.endBefore && { endBefore: [6, ...more.endBefore] }),
        ...(more.endAnchor && { endAnchor: [7, ...more.endAnchor] }),
      })),
  )

const options: fc.Arbitrary<MaskerOptions> = fc.record(
  {
    boundaries: fc.array(boundary, { maxLength: 4 }),
    rolesToTrain: fc.uniqueArray(role, { maxLength: 3 }),
    trainOnEos: fc.constantFrom('turn' as const, 'all' as const, 'last' as const, 'none' as const),
    trainOnInputs: fc.boolean(),
    trainOnSharedEnd: fc.boolean(),
    ignoreTokenIds: fc.array(id, { maxLength: 3 }),
    ignoreIndex: fc.constantFrom(-100, 0, 3, -1),
    exclude: fc.array(fc.record({ start: marker, end: fc.array(id, { maxLength: 2 }) }), { maxLength: 2 }),
    termination: fc.constantFrom('end-marker' as const, 'next-start' as const),
    unterminated: fc.constantFrom('run-to-end' as const, 'mask' as const),
    turns: fc.constantFrom('all' as const, 'last' as const),
  },
  { requiredKeys: ['boundaries'] },
)

/** Rows that hold the markers of their options, so that turns are found. */
const cases = options.chain(options => {
  const all = options.boundaries.flatMap(({ start, end, tail, endBefore, endAnchor }) => [
    start,
    end,
    tail,
    endBefore,
    endAnchor,
  ])
  const lists = all.flatMap(list => (list ? (Array.isArray(list[0]) ? (list as number[][]) : [list as number[]]) : []))
  const piece = lists.length === 0 ? ids : fc.oneof(fc.constantFrom(...lists), fc.array(id, { maxLength: 4 }))
  return fc.tuple(
    fc.constant(options),
    fc.array(piece, { maxLength: 20 }).map(pieces => pieces.flat()),
  )
})

test('labels are what the naive reference gives, in every way to ask for them', t => {
  fc.assert(
    fc.property(cases, ([options, row]) => {
      const masker = new Masker(options)
      const expected = naiveLabels(options, row)
      t.deepEqual([...masker.labels(row)], expected)
      t.deepEqual([...masker.labels(Int32Array.from(row))], expected)
      t.deepEqual(Array.from(masker.labels(BigInt64Array.from(row, BigInt)), Number), expected)
      const inPlace = Int32Array.from(row)
      t.is(masker.labelsInto(inPlace, inPlace), inPlace)
      t.deepEqual([...inPlace], expected)
      const longs = BigInt64Array.from(row, BigInt)
      t.deepEqual(Array.from(masker.labelsInto(longs, longs), Number), expected)
    }),
    { numRuns: runs },
  )
})

test('a batch gives what its rows give, padding left out', async t => {
  await fc.assert(
    fc.asyncProperty(
      options,
      fc.array(fc.record({ row: ids, left: fc.nat(3), right: fc.nat(3) }), { maxLength: 5 }),
      async (options, rows) => {
        const masker = new Masker(options)
        const ignore = options.ignoreIndex ?? -100
        const pad = (count: number, value: number) => new Array<number>(count).fill(value)
        const padded = rows.map(({ row, left, right }) => [...pad(left, 1), ...row, ...pad(right, 2)])
        const mask = rows.flatMap(({ row, left, right }) => [...pad(left, 0), ...pad(row.length, 1), ...pad(right, 0)])
        const expected = rows.flatMap(({ row, left, right }) => [
          ...pad(left, ignore),
          ...naiveLabels(options, row),
          ...pad(right, ignore),
        ])
        const offsets = offsetsOf(padded)
        const flat = Int32Array.from(padded.flat())
        for (const attentionMask of [
          mask,
          Uint8Array.from(mask),
          Int32Array.from(mask),
          BigInt64Array.from(mask, BigInt),
        ]) {
          t.deepEqual([...masker.labelsBatch(flat, { offsets }, { attentionMask })], expected)
        }
        const later = masker.labelsBatchAsync(flat, { offsets }, { attentionMask: mask })
        flat.fill(0)
        t.deepEqual([...(await later)], expected)
      },
    ),
    { numRuns: Math.ceil(runs / 3) },
  )
})
