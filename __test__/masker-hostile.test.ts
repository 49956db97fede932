/** What no caller should pass: a clear error or the right answer, never a crash. */

import vm from 'node:vm'
import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import { LossmaskError, Masker, type MaskerOptions } from '../src/index.js'

const options: MaskerOptions = { boundaries: [{ role: 'assistant', start: [1, 2], end: [9] }] }
const masker = new Masker(options)
const row = [5, 1, 2, 6, 9, 7]
const labels = [-100, -100, -100, 6, 9, -100]

/** A typed array whose buffer was transferred elsewhere. */
function detached(): Int32Array {
  const array = Int32Array.from(row)
  new MessageChannel().port1.postMessage(array.buffer, [array.buffer as ArrayBuffer])
  return array
}

function shared(): Int32Array {
  const array = new Int32Array(new SharedArrayBuffer(row.length * 4))
  array.set(row)
  return array
}

// biome-ignore lint/suspicious/noExplicitAny: wrong types are the point
const wrong = (value: unknown) => value as any

const buffer = new Int32Array(20)
const refusals: [name: string, call: () => unknown, code: string, path: string][] = [
  ['no ids', () => masker.labels(wrong(undefined)), 'invalid-ids', 'ids'],
  ['null', () => masker.labels(wrong(null)), 'invalid-ids', 'ids'],
  ['a text', () => masker.labels(wrong('1 2 3')), 'invalid-ids', 'ids'],
  ['a number', () => masker.labels(wrong(5)), 'invalid-ids', 'ids'],
  ['an object with a length', () => masker.labels(wrong({ length: 3 })), 'invalid-ids', 'ids'],
  ['a huge length', () => masker.labels(wrong({ length: 2 ** 40 })), 'invalid-ids', 'ids'],
  ['a DataView', () => masker.labels(wrong(new DataView(new ArrayBuffer(8)))), 'invalid-ids', 'ids'],
  ['an ArrayBuffer', () => masker.labels(wrong(new ArrayBuffer(8))), 'invalid-ids', 'ids'],
  ['a Uint8Array', () => masker.labels(wrong(new Uint8Array(8))), 'invalid-ids', 'ids'],
  ['a Buffer', () => masker.labels(wrong(Buffer.alloc(8))), 'invalid-ids', 'ids'],
  ['a Float32Array', () => masker.labels(wrong(new Float32Array(8))), 'invalid-ids', 'ids'],
  ['a Float64Array', () => masker.labels(wrong(new Float64Array(8))), 'invalid-ids', 'ids'],
  ['a BigUint64Array', () => masker.labels(wrong(new BigUint64Array(8))), 'invalid-ids', 'ids'],
  ['a list with a hole', () => masker.labels(wrong([1, undefined, 2])), 'invalid-token-id', 'ids[1]'],
  ['a list with NaN', () => masker.labels([1, Number.NaN]), 'invalid-token-id', 'ids[1]'],
  ['a list with a fraction', () => masker.labels([1, 2, 0.5]), 'invalid-token-id', 'ids[2]'],
  ['a list with an id beyond 32 bits', () => masker.labels([2 ** 31]), 'invalid-token-id', 'ids[0]'],
  ['a list with infinity', () => masker.labels([-Infinity]), 'invalid-token-id', 'ids[0]'],
  ['a list with a text', () => masker.labels(wrong(['a'])), 'invalid-token-id', 'ids[0]'],
  ['a list with a bigint', () => masker.labels(wrong([1n])), 'invalid-token-id', 'ids'],
  ['a list with a symbol', () => masker.labels(wrong([Symbol.iterator])), 'invalid-token-id', 'ids'],
  ['detached ids', () => masker.labels(detached()), 'detached-buffer', 'ids'],
  ['detached output', () => masker.labelsInto(new Int32Array(0), detached()), 'detached-buffer', 'out'],
  ['shared ids', () => masker.labels(shared()), 'shared-buffer', 'ids'],
  ['shared output', () => masker.labelsInto(Int32Array.from(row), shared()), 'shared-buffer', 'out'],
  ['shared in place', () => masker.turns(shared()), 'shared-buffer', 'ids'],
  ['no output', () => masker.labelsInto(row, wrong(undefined)), 'invalid-output', 'out'],
  ['a list as output', () => masker.labelsInto(row, wrong([])), 'invalid-output', 'out'],
  ['a narrow output', () => masker.labelsInto(new BigInt64Array(2), new Int32Array(2)), 'invalid-output', 'out'],
  ['a wide output', () => masker.labelsInto(new Int32Array(2), new BigInt64Array(2)), 'invalid-output', 'out'],
  ['a short output', () => masker.labelsInto(row, new Int32Array(5)), 'output-length', 'out'],
  ['a long output', () => masker.labelsInto(row, new Int32Array(7)), 'output-length', 'out'],
  [
    'overlapping arrays',
    () => masker.labelsInto(buffer.subarray(0, 10), buffer.subarray(5, 15)),
    'overlapping-arrays',
    'out',
  ],
  ['an output in the ids', () => masker.labelsInto(buffer, buffer.subarray(0, 10)), 'overlapping-arrays', 'out'],
  [
    'overlapping existing labels',
    () => masker.maskLabels(buffer.subarray(0, 9), buffer.subarray(1, 10)),
    'overlapping-arrays',
    'labels',
  ],
  ['no rows', () => masker.labelsBatch(row, wrong(undefined)), 'row-length', 'rows'],
  ['rows twice', () => masker.labelsBatch(row, wrong({ rowLength: 3, offsets: [0, 6] })), 'row-length', 'rows'],
  ['rows of length 0', () => masker.labelsBatch(row, { rowLength: 0 }), 'row-length', 'rowLength'],
  ['rows that do not fit', () => masker.labelsBatch(row, { rowLength: 4 }), 'row-length', 'rowLength'],
  ['a negative row length', () => masker.labelsBatch(row, { rowLength: -3 }), 'row-length', 'rowLength'],
  ['a fractional row length', () => masker.labelsBatch(row, { rowLength: 1.5 }), 'row-length', 'rowLength'],
  ['a row length of another type', () => masker.labelsBatch(row, { rowLength: wrong('3') }), 'row-length', 'rowLength'],
  ['no offsets', () => masker.labelsBatch(row, { offsets: [] }), 'row-offsets', 'offsets'],
  ['offsets that begin late', () => masker.labelsBatch(row, { offsets: [1, 6] }), 'row-offsets', 'offsets'],
  ['offsets that end early', () => masker.labelsBatch(row, { offsets: [0, 5] }), 'row-offsets', 'offsets'],
  ['offsets beyond the ids', () => masker.labelsBatch(row, { offsets: [0, 7] }), 'row-offsets', 'offsets'],
  ['falling offsets', () => masker.labelsBatch(row, { offsets: [0, 4, 3, 6] }), 'row-offsets', 'offsets'],
  ['negative offsets', () => masker.labelsBatch(row, { offsets: [0, -1, 6] }), 'row-offsets', 'offsets'],
  [
    'offsets far beyond',
    () => masker.labelsBatch(row, { offsets: BigInt64Array.of(0n, 2n ** 62n) }),
    'row-offsets',
    'offsets',
  ],
  [
    'offsets of another type',
    () => masker.labelsBatch(row, { offsets: wrong(new Uint8Array(2)) }),
    'row-offsets',
    'offsets',
  ],
  ['offsets of NaN', () => masker.labelsBatch(row, { offsets: [0, Number.NaN] }), 'invalid-token-id', 'offsets[1]'],
  [
    'a short mask',
    () => masker.labelsBatch(row, { rowLength: 6 }, { attentionMask: [1] }),
    'attention-mask-length',
    'attentionMask',
  ],
  [
    'a mask of another type',
    () => masker.labelsBatch(row, { rowLength: 6 }, { attentionMask: wrong(new Float64Array(6)) }),
    'invalid-attention-mask',
    'attentionMask',
  ],
  [
    'a mask of no type',
    () => masker.labelsBatch(row, { rowLength: 6 }, { attentionMask: wrong('111111') }),
    'invalid-attention-mask',
    'attentionMask',
  ],
  [
    'the output as mask',
    () =>
      masker.labelsBatch(row, { rowLength: 6 }, { attentionMask: buffer.subarray(0, 6), out: buffer.subarray(0, 6) }),
    'overlapping-arrays',
    'attentionMask',
  ],
]

for (const [name, call, code, path] of refusals) {
  test(`refused: ${name}`, t => {
    const error = t.throws(call, { instanceOf: LossmaskError })
    t.is(error?.code, code, error?.message)
    t.is(error?.path, path)
  })
}

const boundary = { role: 'assistant', start: [1], end: [2] }
const badOptions: [name: string, make: () => unknown, code: string, path: string][] = [
  ['no options', () => new Masker(wrong(undefined)), 'missing-option', 'options'],
  ['no boundaries', () => new Masker(wrong({})), 'missing-option', 'options.boundaries'],
  [
    'an option nobody knows',
    () => new Masker(wrong({ boundaries: [], trainOnEoss: 'turn' })),
    'unknown-option',
    'options.trainOnEoss',
  ],
  [
    'one below',
    () => new Masker(wrong({ boundaries: [{ ...boundary, includeEnds: true }] })),
    'unknown-option',
    'options.boundaries[0].includeEnds',
  ],
  [
    'a value nobody knows',
    () => new Masker(wrong({ boundaries: [], trainOnEos: 'x' })),
    'invalid-option',
    'options.trainOnEos',
  ],
  [
    'a role without name',
    () => new Masker({ boundaries: [{ ...boundary, role: '' }] }),
    'invalid-option',
    'options.boundaries[0].role',
  ],
  [
    'no start',
    () => new Masker(wrong({ boundaries: [{ role: 'a' }] })),
    'missing-option',
    'options.boundaries[0].start',
  ],
  [
    'a start that is a text',
    () => new Masker(wrong({ boundaries: [{ ...boundary, start: '<|im_start|>' }] })),
    'invalid-option',
    'options.boundaries[0].start',
  ],
  [
    'an empty marker',
    () => new Masker({ boundaries: [{ ...boundary, end: [[1], []] }] }),
    'invalid-option',
    'options.boundaries[0].end[1]',
  ],
  [
    'an id that is a fraction',
    () => new Masker({ boundaries: [{ ...boundary, end: [1.5] }] }),
    'invalid-option',
    'options.boundaries[0].end',
  ],
  [
    'an ignored id beyond 32 bits',
    () => new Masker({ boundaries: [], ignoreTokenIds: [2 ** 31] }),
    'invalid-option',
    'options.ignoreTokenIds[0]',
  ],
  [
    'one end of two kinds',
    () => new Masker({ boundaries: [{ ...boundary, endBefore: [2] }] }),
    'ambiguous-end',
    'options.boundaries[0].ends[1]',
  ],
  [
    'an empty exclude',
    () => new Masker({ boundaries: [], exclude: [{ start: [] }] }),
    'invalid-option',
    'options.exclude[0].start',
  ],
  ['no response', () => Masker.completionOnly({ response: [] }), 'invalid-option', 'options.response'],
  [
    'several classic instructions',
    () => Masker.completionOnly({ response: [1], instruction: [[2], [3]], classic: true }),
    'several-instructions',
    'options.instructions',
  ],
  ['no instruction', () => Masker.responsesOnly(wrong({ response: [1] })), 'missing-option', 'options.instruction'],
]

for (const [name, make, code, path] of badOptions) {
  test(`options refused: ${name}`, t => {
    const error = t.throws(make, { instanceOf: LossmaskError })
    t.deepEqual([error?.code, error?.path], [code, path], error?.message)
  })
}

test('what a batch refuses, the asynchronous batch refuses too, as a rejection', async t => {
  const calls: [() => Promise<unknown>, string][] = [
    [() => masker.labelsBatchAsync(wrong(undefined), { rowLength: 1 }), 'invalid-ids'],
    [() => masker.labelsBatchAsync(detached(), { rowLength: 1 }), 'detached-buffer'],
    [() => masker.labelsBatchAsync(shared(), { rowLength: 6 }), 'shared-buffer'],
    [() => masker.labelsBatchAsync(row, wrong({})), 'row-length'],
    [() => masker.labelsBatchAsync(row, { rowLength: 4 }), 'row-length'],
    [() => masker.labelsBatchAsync(row, { offsets: [0, 9] }), 'row-offsets'],
    [() => masker.labelsBatchAsync(row, { rowLength: 6 }, { attentionMask: [1] }), 'attention-mask-length'],
  ]
  for (const [call, code] of calls) t.is((await t.throwsAsync(call, { instanceOf: LossmaskError }))?.code, code)
})

test('nothing is written where something is refused', t => {
  const out = new Int32Array(6).fill(77)
  t.throws(() => masker.labelsBatch(row, { offsets: [0, 3, 2, 6] }, { out }))
  t.throws(() => masker.labelsBatch(row, { rowLength: 6 }, { attentionMask: [1], out }))
  t.throws(() => masker.labelsInto(row.slice(1), out))
  t.deepEqual([...out], new Array(6).fill(77))
})

test('empty arrays are rows without tokens', async t => {
  for (const empty of [[], new Int32Array(0), new Uint32Array(0), new BigInt64Array(0)]) {
    t.is(masker.labels(empty).length, 0)
    t.deepEqual(masker.turns(empty), [])
    t.is(masker.labelsBatch(empty, { rowLength: 0 }).length, 0)
    t.is(masker.labelsBatch(empty, { rowLength: 8 }).length, 0)
    t.is(masker.labelsBatch(empty, { offsets: [0, 0, 0] }).length, 0)
    t.is((await masker.labelsBatchAsync(empty, { offsets: [0] })).length, 0)
  }
  t.is(masker.labelsInto(new Int32Array(0), new Int32Array(0)).length, 0)
})

test('ids beyond any vocabulary are content', t => {
  const far = [2 ** 31 - 1, -(2 ** 31), -1]
  t.deepEqual([...masker.labels([1, 2, ...far, 9])], [-100, -100, ...far, 9])
  const longs = BigInt64Array.of(1n, 2n, 2n ** 62n, -(2n ** 63n), 1n + (1n << 32n), 9n)
  t.deepEqual([...masker.labels(longs)], [-100n, -100n, 2n ** 62n, -(2n ** 63n), 1n + (1n << 32n), 9n])
  const words = Uint32Array.of(1, 2, 2 ** 32 - 1, 9)
  t.deepEqual([...masker.labels(words)], [-100, -100, -1, 9])
  t.deepEqual([...masker.labelsInto(words, new Uint32Array(4))], [2 ** 32 - 100, 2 ** 32 - 100, 2 ** 32 - 1, 9])
})

test('views into the middle of a buffer, adjoining views and an array that is its own output', t => {
  const whole = new Int32Array(18)
  whole.set(row, 6)
  t.deepEqual([...masker.labels(whole.subarray(6, 12))], labels)
  masker.labelsInto(whole.subarray(6, 12), whole.subarray(12, 18))
  t.deepEqual([...whole], [0, 0, 0, 0, 0, 0, ...row, ...labels])
  masker.labelsInto(whole.subarray(6, 12), whole.subarray(6, 12))
  t.deepEqual([...whole], [0, 0, 0, 0, 0, 0, ...labels, ...labels])
})

test('the same memory seen as signed and unsigned is one array', t => {
  const signed = Int32Array.from(row)
  masker.labelsInto(new Uint32Array(signed.buffer), signed)
  t.deepEqual([...signed], labels)
})

test('resizable buffers: the length is that of the call', async t => {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void }
  const buffer = new Resizable(24, { maxByteLength: 4096 })
  const tracking = new Int32Array(buffer)
  tracking.set(row)
  t.deepEqual([...masker.labels(tracking)], labels)
  buffer.resize(16)
  t.deepEqual([...masker.labels(tracking)], labels.slice(0, 4))
  const fixed = new Int32Array(buffer, 0, 4)
  const later = masker.labelsBatchAsync(fixed, { rowLength: 4 })
  buffer.resize(4)
  t.deepEqual([...(await later)], labels.slice(0, 4))
  t.is(masker.labels(fixed).length, 0, 'a view beyond its buffer has no length')
})

test('the asynchronous batch reads copies: the arrays may go away at once', async t => {
  const ids = Int32Array.from(row)
  const mask = new Uint8Array(6).fill(1)
  const offsets = Uint32Array.of(0, 6)
  const later = masker.labelsBatchAsync(ids, { offsets }, { attentionMask: mask })
  ids.fill(0)
  mask.fill(0)
  offsets.fill(9)
  new MessageChannel().port1.postMessage(0, [ids.buffer as ArrayBuffer])
  t.deepEqual([...(await later)], labels)
})

test('arrays of another realm are arrays', t => {
  t.deepEqual([...masker.labels(vm.runInNewContext('Int32Array.of(5, 1, 2, 6, 9, 7)'))], labels)
  t.deepEqual([...masker.labels(vm.runInNewContext('[5, 1, 2, 6, 9, 7]'))], labels)
  t.deepEqual([...masker.labels(vm.runInNewContext('BigInt64Array.of(5n, 1n, 2n, 6n, 9n, 7n)'))].map(Number), labels)
})

test('many calls at once, and a masker that nobody holds any more', async t => {
  const rows = 64
  const ids = Int32Array.from({ length: rows * row.length }, (_, at) => row[at % row.length] as number)
  const calls = Array.from({ length: 50 }, () => new Masker(options).labelsBatchAsync(ids, { rowLength: row.length }))
  for (const answer of await Promise.all(calls)) {
    t.deepEqual([...answer.subarray(0, 6)], labels)
    t.is(answer.length, ids.length)
  }
})
