import test, { type ExecutionContext } from 'ava'
import { LossmaskError } from '../src/errors.js'
import { type ExpandedMedia, type ExpandMediaOptions, expandMedia } from '../src/media/index.js'
import { PythonHelper, python } from './helpers/python.js'

/*
 * Sizes that nobody recorded, through the image processors of the transformers at hand (LOSSMASK_PYTHON, else python3), made from
 * their classes: no download. Left out, visibly, where Python or a processor is missing.
 */

const merged = (min_pixels: number, max_pixels: number, patch_size = 14) => ({
  min_pixels,
  max_pixels,
  patch_size,
  merge_size: 2,
})
const tiles = { min_patches: 1, max_patches: 12 }

const families: Record<string, Record<string, unknown>> = {
  qwen2_vl: merged(3136, 1003520),
  qwen3_vl: merged(65536, 16777216, 16),
  glm4v: merged(12544, 11760000),
  paddleocr_vl: merged(147456, 2359296),
  internvl: { ...tiles, tile_size: 448, crop_to_patches: true, image_seq_length: 256 },
  aya_vision: { ...tiles, img_size: 364, patch_size: 14, downsample_factor: 2 },
  gemma4: { max_soft_tokens: 280 },
  phi4_multimodal: { dynamic_hd: 36 },
  idefics3: { longest_edge: 1456, max_image_size: 364, do_image_splitting: true, image_seq_len: 169 },
  smolvlm: { longest_edge: 2048, max_image_size: 512, do_image_splitting: true, image_seq_len: 64 },
  lfm2_vl: { do_image_splitting: true, use_thumbnail: true },
  ovis2: { ...tiles, size: 448, crop_to_patches: true, use_covering_area_grid: true, image_seq_length: 256 },
  minicpmv4_6: { max_slice_nums: 9, scale_resolution: 448, slice_mode: true },
  cohere2_vision: { max_patches: 12, patch_size: 16 },
  llama4: { max_patches: 16, resize_to_max_canvas: false },
  mllama: { tile_size: 560, max_image_tiles: 4 },
  pixtral: { longest_edge: 1024, patch_size: 16, spatial_merge_size: 1 },
}

interface Answer {
  counts?: number[]
  grid?: Record<string, unknown>
  refused?: string
  skipped?: string
}

/** Sides from 1 to 1500, the same in every run. */
function* sides(): Generator<number, number> {
  let state = 20260115
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    yield 1 + Math.floor((state / 2 ** 32) ** 2 * 1500)
  }
}

test('sizes that nobody recorded expand as in the real image processors', async t => {
  t.timeout(600_000)
  const side = sides()
  const processors = new PythonHelper('real_processors.py')
  t.teardown(() => processors.end())
  for (const [family, params] of Object.entries(families)) {
    for (let each = 0; each < 12; each++) {
      const images: [number, number][] = [[side.next().value, side.next().value]]
      const answer = await processors.ask<Answer>({ family, params, images })
      if (answer === undefined) {
        t.log(`left out: ${python} has no transformers: ${processors.reason}`)
        return t.pass()
      }
      if (answer.skipped !== undefined) {
        t.log(`left out: ${family}: ${answer.skipped}`)
        break
      }
      compare(t, { family, params, images }, answer)
    }
  }
})

function compare(t: ExecutionContext, request: ExpandMediaOptions, { counts, grid, refused }: Answer): void {
  const place = `${request.family} ${request.images?.[0]?.join('x')}`
  let ours: ExpandedMedia
  try {
    ours = expandMedia(request)
  } catch (error) {
    t.true(error instanceof LossmaskError)
    t.is<string | undefined, string | undefined>((error as LossmaskError).message, refused, place)
    return
  }
  t.is(refused, undefined, place)
  if (counts !== undefined) t.deepEqual(ours.counts, counts, place)
  t.deepEqual(ours.grid, grid, place)
}
