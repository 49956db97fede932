import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Config } from '../config/index.js'
import { LossmaskError } from '../errors.js'
import type { LoadedTokenizer } from '../tokenizer/index.js'
import { defined } from './defined.js'
import { firstExisting } from './paths.js'
import type { DatasetSpec, EncoderSpec, MediaSpec } from './spec.js'

/** Files of a model folder that say how its processor prepares media. */
const processorFiles = ['processor_config.json', 'preprocessor_config.json']

/** `lossmask.media` in either of its forms. */
interface MediaSettings {
  readonly tokens?: unknown
  readonly family?: string | undefined
  readonly root?: string | undefined
  readonly allowRemote?: boolean | string[] | undefined
  readonly exifOrientation?: 'apply' | 'ignore' | undefined
}

/** How media in rows are found and expanded; `undefined` for a model that reads text alone, unless the config names a family. */
export function mediaSpec(config: Config, tokenizer: LoadedTokenizer, bases: readonly string[]): MediaSpec | undefined {
  const { family, root, allowRemote, exifOrientation }: MediaSettings = config.lossmask.media
  const reads = processorFiles.some(name => existsSync(join(tokenizer.folder, name)))
  if (family === undefined && !reads) return undefined
  const folder = root === undefined ? undefined : firstExisting(root, bases)
  if (root !== undefined && folder === undefined) {
    throw new LossmaskError('media-root', `there is no folder ${JSON.stringify(root)}`, {
      path: 'lossmask.media.root',
      hint: 'a path relative to the config or the working directory',
    })
  }
  return { model: tokenizer.folder, ...defined({ family, root: folder, allowRemote, exifOrientation }) }
}

/** Media of a dataset's rows are looked up beside its files, unless the config names a folder. */
export function besideFiles(dataset: DatasetSpec): DatasetSpec {
  const [file] = dataset.files
  return file === undefined ? dataset : { ...dataset, encoder: below(dataset.encoder, dirname(resolve(file))) }
}

/** Rows whose media are looked up in `folder`, unless the config names one. */
export function below(encoder: EncoderSpec, folder: string | undefined): EncoderSpec {
  const { media } = encoder
  return media === undefined || folder === undefined ? encoder : { ...encoder, media: { root: folder, ...media } }
}
