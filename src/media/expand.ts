import { guarded, native } from '../native.js'

/** Sampled frames of a video; frame `k` stands at `k / fps` seconds. */
export interface VideoFrames {
  /** Pixels per row. */
  readonly width: number
  /** Rows. */
  readonly height: number
  /** Number of sampled frames. */
  readonly frames: number
  /** Sampled frames per second. Default 24, as transformers assumes where a video does not tell. */
  readonly fps?: number
}

/** What {@link expandMedia} takes: all media of one row, in order. */
export interface ExpandMediaOptions {
  /** The family, by its processor: `qwen2_vl`, `gemma3`, `idefics3`, ... A wrong name is answered with the list. */
  readonly family: string
  /**
   * The processor's parameters under the names of `preprocessor_config.json`, flat or in the sections of `processor_config.json`.
   * Class defaults where a key is absent; for families that share another's class, the values of their released checkpoints.
   */
  readonly params?: Readonly<Record<string, unknown>>
  /** A model folder, or a JSON file, to read the parameters from instead. */
  readonly model?: string
  /** `[width, height]` in pixels, as the processor sees the image (after the loader's rotation). */
  readonly images?: readonly (readonly [width: number, height: number])[]
  /** Videos. */
  readonly videos?: readonly VideoFrames[]
  /** Audio clips, in samples at the processor's sampling rate. */
  readonly audioSamples?: readonly number[]
  /**
   * `template` (default): with the delimiters that the family's chat template writes around the placeholder
   * (`<|vision_start|>` and `<|vision_end|>`); `bare`: only what replaces the placeholder itself.
   */
  readonly prompt?: 'template' | 'bare'
}

/** A token by name and how often it stands there; plain text, still to be tokenized, is `text:...`. */
export type TokenRun = [token: string, count: number]

/** What {@link expandMedia} answers: one entry per image, then per video, then per audio clip. */
export interface ExpandedMedia {
  /** The tokens of each item, run-length coded. */
  expanded: TokenRun[][]
  /** Placeholders of each item: as many as the model makes features of it. */
  counts: number[]
  /** What the image processor returns beside the pixels (`image_grid_thw`, `num_patches`, ...), in its shape. */
  grid: Record<string, unknown>
}

/**
 * How many tokens a model's processor puts in the place of images, videos and sounds: arithmetic on their sizes, without pixels,
 * equal to transformers 5.18 (mistral-common 1.12 for `mistral_common`) to the token.
 *
 * ```ts
 * const { counts, grid } = expandMedia({ family: 'qwen2_vl', params: { max_pixels: 12845056 }, images: [[640, 480]] })
 * // counts: [391], grid: { image_grid_thw: [[1, 34, 46]] }
 * ```
 *
 * @throws LossmaskError `media-refused` with the processor's reason for sizes that it refuses, `media-empty`, `media-too-large`,
 * `media-unsupported` (the family reads no such media), `media-family`, `media-params`, `invalid-media-request`.
 */
export function expandMedia(options: ExpandMediaOptions): ExpandedMedia {
  return JSON.parse(guarded(() => native().expandMedia(JSON.stringify(options)))) as ExpandedMedia
}
