import { readFileSync } from 'node:fs'
import test from 'ava'
import { LossmaskError } from '../src/errors.js'
import { type ExpandMediaOptions, expandMedia } from '../src/media/index.js'

/** A group of `vectors/expansion.jsonl`: cargo test reads the same file. */
interface Group {
  family: string
  variant: string
  prompt: string
  params: Record<string, unknown>
  tokens: string[]
  cases: {
    images?: [number, number][]
    videos?: [number, number, number, number][]
    audios?: number[]
    runs?: number[][]
    counts?: number[]
    grid?: Record<string, unknown>
    error?: string
  }[]
}

const groups = readFileSync(new URL('vectors/expansion.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Group)

/** Two groups of videos were recorded with a prompt that holds the placeholder alone. */
const bareVariants = new Set(['bare_prompt', 'cap_pixels'])

for (const { family, variant, prompt, params, tokens, cases } of groups) {
  test(`${family} ${variant}: ${cases.length} recorded expansions`, t => {
    for (const { images, videos, audios, runs, counts, grid, error } of cases) {
      const options: ExpandMediaOptions = {
        family,
        params,
        ...(images ? { images } : {}),
        ...(videos ? { videos: videos.map(([width, height, frames, fps]) => ({ width, height, frames, fps })) } : {}),
        ...(audios ? { audioSamples: audios } : {}),
        prompt: bareVariants.has(variant) && prompt === '<|video_pad|>' ? 'bare' : 'template',
      }
      if (error !== undefined) {
        const thrown = t.throws(() => expandMedia(options), { instanceOf: LossmaskError })
        t.is(thrown?.code, 'media-refused')
        t.is(thrown?.message, error)
        continue
      }
      const expected = runs?.map(flat =>
        Array.from({ length: flat.length / 2 }, (_, index) => [tokens[flat[2 * index] as number], flat[2 * index + 1]]),
      )
      t.deepEqual(expandMedia(options), { expanded: expected, counts, grid: grid ?? {} } as never)
    }
  })
}

const refused = (options: unknown) => {
  try {
    return expandMedia(options as ExpandMediaOptions)
  } catch (error) {
    return error instanceof LossmaskError ? { code: error.code, path: error.path } : error
  }
}

test('what cannot be expanded is named by code and place', t => {
  const ok = [640, 480]
  const cases: [unknown, string, string | undefined][] = [
    [{ family: 'qwen9_vl', images: [ok] }, 'media-family', 'family'],
    [{ family: 'qwen2_vl', images: [ok, [1, 2000]] }, 'media-refused', 'images[1]'],
    [{ family: 'qwen2_vl', images: [[0, 5]] }, 'media-empty', 'images[0]'],
    [{ family: 'qwen2_vl', images: [[2 ** 31, 2 ** 31]] }, 'media-too-large', 'images[0]'],
    [{ family: 'qwen2_vl', images: [[2 ** 52, 1]] }, 'media-too-large', 'images[0]'],
    [{ family: 'qwen2_vl', audioSamples: [1000] }, 'media-unsupported', 'audioSamples[0]'],
    [{ family: 'llava', videos: [{ width: 1, height: 1, frames: 2 }] }, 'media-unsupported', 'videos[0]'],
    [{ family: 'qwen2_vl', params: { patch_size: 0 }, images: [ok] }, 'media-params', 'params'],
    [{ family: 'qwen2_vl', params: [], images: [ok] }, 'media-params', 'params'],
    [{ family: 'qwen2_vl', model: '/no/such/folder', images: [ok] }, 'media-params', 'model'],
    [{ family: 'qwen2_vl', model: '.', params: {}, images: [ok] }, 'media-params', 'model'],
    [{ family: 'qwen2_vl', images: [[640.5, 480]] }, 'invalid-media-request', undefined],
    [{ family: 'qwen2_vl', images: [[-1, 480]] }, 'invalid-media-request', undefined],
    [{ family: 'qwen2_vl', images: [[640]] }, 'invalid-media-request', undefined],
    [{ family: 'qwen2_vl', image: [ok] }, 'invalid-media-request', undefined],
    [{}, 'invalid-media-request', undefined],
  ]
  for (const [options, code, path] of cases) {
    t.deepEqual(refused(options), { code, path } as never, JSON.stringify(options))
  }
})

test('no media is an empty answer', t => {
  t.deepEqual(expandMedia({ family: 'gemma3' }), { expanded: [], counts: [], grid: {} })
})
