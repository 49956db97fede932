import test from 'ava'
import { LossmaskError } from '../src/errors.js'
import { collate, type RowToCollate } from '../src/media/index.js'

const list = (array: Int32Array) => [...array]

test('rows of any length become one rectangle', t => {
  const rows: RowToCollate[] = [
    { inputIds: [5, 6, 7], labels: [-100, 6, 7] },
    { inputIds: Int32Array.of(8), labels: Int32Array.of(8) },
  ]
  const right = collate(rows, { padToMultipleOf: 4, padTokenId: 9 })
  t.deepEqual(right.shape, [2, 4])
  t.deepEqual(list(right.inputIds), [5, 6, 7, 9, 8, 9, 9, 9])
  t.deepEqual(list(right.labels), [-100, 6, 7, -100, 8, -100, -100, -100])
  t.deepEqual(list(right.attentionMask), [1, 1, 1, 0, 1, 0, 0, 0])
  t.deepEqual(list(right.positionIds), [0, 1, 2, 0, 0, 0, 0, 0])

  const left = collate(rows, { side: 'left', padTo: 3, ignoreIndex: -1 })
  t.deepEqual(list(left.inputIds), [5, 6, 7, 0, 0, 8])
  t.deepEqual(list(left.labels), [-100, 6, 7, -1, -1, 8])
  t.deepEqual(list(left.attentionMask), [1, 1, 1, 0, 0, 1])
  t.deepEqual(list(left.positionIds), [0, 1, 2, 0, 0, 0])

  t.deepEqual(collate([]).shape, [0, 0])
})

test('a packed row keeps its own positions and mask', t => {
  const batch = collate(
    [{ inputIds: [1, 2, 3], labels: [1, 2, 3], attentionMask: Uint8Array.of(1, 1, 0), positionIds: [0, 1, 0] }],
    { padTo: 4 },
  )
  t.deepEqual(list(batch.attentionMask), [1, 1, 0, 0])
  t.deepEqual(list(batch.positionIds), [0, 1, 0, 0])
})

test('what does not fit is named, and nothing is cut', t => {
  const row = { inputIds: [1, 2, 3], labels: [1, 2, 3] }
  const cases: [() => unknown, string, string | undefined][] = [
    [() => collate([row], { padTo: 2 }), 'row-too-long', 'rows[0]'],
    [() => collate([row, { inputIds: [1], labels: [] }]), 'length-mismatch', 'rows[1].labels'],
    [() => collate([{ ...row, positionIds: [0] }]), 'length-mismatch', 'rows[0].position_ids'],
    [() => collate([row], { padToMultipleOf: 0 }), 'invalid-collate-options', 'options.padToMultipleOf'],
    [() => collate([row], { padTo: 1.5 }), 'invalid-collate-options', 'options.padTo'],
    [() => collate([row], { padTokenId: Number.NaN }), 'invalid-collate-options', 'options.padTokenId'],
  ]
  for (const [call, code, path] of cases) {
    const error = t.throws(call, { instanceOf: LossmaskError })
    t.is(error?.code, code)
    t.is(error?.path, path)
  }
})
