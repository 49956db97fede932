import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import test from 'ava'
import { LossmaskError } from '../src/errors.js'
import { collate, type RowToCollate } from '../src/media/index.js'
import { folder, quickstartModel, root } from './helpers/cli.js'

const PACKAGE = '@huggingface/transformers'

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

test('the example takes ids from a processor of transformers.js', t => {
  const installed = createRequire(import.meta.url)
    .resolve.paths('')
    ?.some(path => existsSync(join(path, PACKAGE)))
  if (installed !== true) {
    t.log(`left out: ${PACKAGE} is not installed`)
    return t.pass()
  }
  const model = folder(t)
  cpSync(quickstartModel, model, { recursive: true })
  const processor = {
    processor_class: 'Qwen2VLProcessor',
    image_processor_type: 'Qwen2VLImageProcessor',
    ...{ do_convert_rgb: true, do_resize: true, do_rescale: true, do_normalize: true },
    ...{ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] },
    ...{ min_pixels: 3136, max_pixels: 1003520, patch_size: 14, temporal_patch_size: 2, merge_size: 2 },
  }
  writeFileSync(join(model, 'preprocessor_config.json'), JSON.stringify(processor))
  const example = join(root, 'examples/multimodal/transformers-js.mjs')
  const image = join(root, 'examples/quickstart/images/harbour.png')
  const done = spawnSync(process.execPath, [example, model, image], { encoding: 'utf8' })
  t.is(done.status, 0, done.stderr)
  t.deepEqual(JSON.parse(done.stdout), {
    shape: [2, 48],
    placeholders: [6, 6],
    trained: 'A small harbour.<|im_end|>Dark water below, a pale sky above.<|im_end|>',
  })
})
