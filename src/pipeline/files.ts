import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'
import { LossmaskError } from '../errors.js'
import { firstExisting } from './paths.js'
import type { DataFormat } from './spec.js'

/** Where a dataset stands, as the config has it. */
export interface DatasetSource {
  path: string
  dataFiles?: readonly string[]
  dsType?: string
  split?: string
}

/** The files of a dataset, in the order in which they are read. */
export interface DataFiles {
  /** Relative to the working directory where they lie below it, else absolute. */
  files: string[]
  /** What `ds_type` says; absent: each file tells by its name or its first bytes. */
  format?: DataFormat
}

const formats: Record<string, DataFormat> = { json: 'json', jsonl: 'jsonl', parquet: 'parquet', arrow: 'arrow' }
const dataFile = /\.(jsonl|json|ndjson|parquet|arrow)(\.(gz|zst))?$/
/** What a split's files are called, as `datasets` tells it. */
const splitNames: Record<string, RegExp> = {
  train: /(^|[-_./ ])train(ing)?([-_./ ]|$)/,
  test: /(^|[-_./ ])(test|testing|eval|evaluation)([-_./ ]|$)/,
  validation: /(^|[-_./ ])(validation|valid|dev|val)([-_./ ]|$)/,
}

/**
 * Finds the files of `datasets[].path`, as axolotl does for local data: a file, a glob pattern, a folder with data files, a
 * folder with `data_files`, or what `datasets.save_to_disk` made. Relative paths are looked up in each of `bases`, in order; the
 * first that has something wins.
 *
 * @throws LossmaskError `dataset-not-found`, `dataset-not-local`, `dataset-without-files`, `dataset-is-folder`,
 * `ds-type-unsupported`, `split-unsupported`, `split-not-found`; `place` is the config path they name.
 */
export async function findDataFiles(
  source: DatasetSource,
  bases: readonly string[],
  place: string,
): Promise<DataFiles> {
  const split = splitName(source.split, place)
  const format = formatOf(source.dsType, place)
  const files = await find(source, split, bases, place)
  return { files: files.map(shown), ...(format === undefined ? {} : { format }) }
}

async function find(source: DatasetSource, split: string, bases: readonly string[], place: string): Promise<string[]> {
  const { path, dataFiles = [] } = source
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) throw notLocal(path, place)
  const target = firstExisting(path, bases)
  if (target === undefined) {
    const matches = await expand(path, bases)
    if (matches.length > 0) return matches
    throw missing(path, bases, place)
  }
  if (!statSync(target).isDirectory()) return [target]
  if (dataFiles.length === 0) return folderFiles(target, path, split, place)
  const lists = await Promise.all(
    dataFiles.map((file, index) => listed(file, target, bases, `${place}.data_files[${index}]`)),
  )
  return lists.flat()
}

/** The files a pattern matches in the first base where it matches any. */
async function expand(pattern: string, bases: readonly string[]): Promise<string[]> {
  if (!isDynamicPattern(pattern)) return []
  for (const base of bases) {
    const found = await glob(pattern, { cwd: base, absolute: true, onlyFiles: true, expandDirectories: false })
    if (found.length > 0) return found.sort()
  }
  return []
}

/** One item of `data_files`: in the dataset's folder first, then where any path is looked up. */
async function listed(file: string, folder: string, bases: readonly string[], place: string): Promise<string[]> {
  const places = [folder, ...bases]
  const target = firstExisting(file, places)
  if (target === undefined) {
    const matches = await expand(file, places)
    if (matches.length > 0) return matches
    throw missing(file, places, place)
  }
  if (statSync(target).isDirectory()) {
    throw new LossmaskError('dataset-is-folder', `\`${file}\` is a folder, not a file`, {
      path: place,
      hint: `name its files, or give a pattern such as ${file.replace(/\/$/, '')}/*.jsonl`,
    })
  }
  return [target]
}

function folderFiles(folder: string, path: string, split: string, place: string): string[] {
  const saved = savedByDatasets(folder, split)
  if (saved !== undefined) return saved
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && dataFile.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(
      file =>
        !relative(folder, file)
          .split(/[\\/]/)
          .some(part => part.startsWith('.')),
    )
    .sort()
  if (all.length === 0) {
    throw new LossmaskError('dataset-without-files', `the folder \`${path}\` holds no data files`, {
      path: `${place}.path`,
      hint: 'name a file, or a folder with .jsonl, .json, .parquet or .arrow files (.gz and .zst too)',
    })
  }
  return ofSplit(all, folder, path, split, place)
}

/** The files of one split. Names that tell no split at all are `train`, as in `datasets`. */
function ofSplit(files: string[], folder: string, path: string, split: string, place: string): string[] {
  const name = (file: string) => relative(folder, file).toLowerCase()
  const known = Object.keys(splitNames).filter(key => files.some(file => splitNames[key]?.test(name(file))))
  if (known.length === 0 && split === 'train') return files
  const pattern = splitNames[split] ?? new RegExp(`(^|[-_./ ])${escapeRegExp(split.toLowerCase())}([-_./ ]|$)`)
  const chosen = files.filter(file => pattern.test(name(file)))
  if (chosen.length > 0) return chosen
  throw new LossmaskError('split-not-found', `no file of \`${path}\` belongs to the split ${JSON.stringify(split)}`, {
    path: `${place}.split`,
    hint:
      known.length > 0
        ? `its files name the splits ${known.join(', ')}`
        : 'its files name no splits; leave out `split`',
  })
}

/** The files of a folder that `save_to_disk` made, or `undefined` when it is none. */
function savedByDatasets(folder: string, split: string): string[] | undefined {
  const state = join(folder, 'state.json')
  if (existsSync(state)) {
    const { _data_files: files } = JSON.parse(readFileSync(state, 'utf8')) as { _data_files?: { filename: string }[] }
    return files?.map(file => join(folder, file.filename))
  }
  return existsSync(join(folder, 'dataset_dict.json')) ? savedByDatasets(join(folder, split), split) : undefined
}

function splitName(split: string | undefined, place: string): string {
  if (split === undefined) return 'train'
  if (/^[\w.-]+$/.test(split)) return split
  throw new LossmaskError(
    'split-unsupported',
    `slices and combinations of splits are not supported: ${JSON.stringify(split)}`,
    {
      path: `${place}.split`,
      hint: 'name one split, and cut the file itself for a part of it',
    },
  )
}

function formatOf(dsType: string | undefined, place: string): DataFormat | undefined {
  if (dsType === undefined) return undefined
  const format = formats[dsType]
  if (format !== undefined) return format
  const why = dsType === 'text' || dsType === 'csv' ? `a ${dsType} file holds no conversations` : 'it is not known'
  throw new LossmaskError('ds-type-unsupported', `ds_type ${JSON.stringify(dsType)} cannot be read: ${why}`, {
    path: `${place}.ds_type`,
    hint: 'it is one of json (also for JSON lines), parquet, arrow',
  })
}

function missing(path: string, bases: readonly string[], place: string): LossmaskError {
  if (!isAbsolute(path) && /^[\w-][\w.-]*\/[\w.-]+$/.test(path) && !dataFile.test(path)) {
    return new LossmaskError(
      'dataset-not-local',
      `\`${path}\` is no local file or folder; datasets are not downloaded`,
      {
        path: `${place}.path`,
        hint: `download it: hf download --repo-type dataset ${path} --local-dir data/${path.split('/')[1]}; then set path to that folder`,
      },
    )
  }
  return new LossmaskError('dataset-not-found', `\`${path}\` does not exist`, {
    path: place.includes('data_files') ? place : `${place}.path`,
    hint: isAbsolute(path)
      ? 'check the path'
      : `it was looked up in ${bases.map(base => shown(base) || '.').join(' and ')}`,
  })
}

function notLocal(path: string, place: string): LossmaskError {
  return new LossmaskError('dataset-not-local', `\`${path}\` is no local path; datasets are not downloaded`, {
    path: `${place}.path`,
    hint: 'download the files and name them here',
  })
}

/** A path as messages show it. */
function shown(path: string): string {
  const below = relative(process.cwd(), path)
  return below.startsWith('..') || isAbsolute(below) ? path : below
}

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
