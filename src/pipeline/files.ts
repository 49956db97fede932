import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'
import { isWhole, parseSplit, type SplitPart } from '../datasets/split.js'
import { LossmaskError } from '../errors.js'
import { firstExisting } from './paths.js'
import type { DataFormat, PartSpec } from './spec.js'

/** Where a dataset stands, as the config has it. */
export interface DatasetSource {
  path: string
  /** Paths or patterns; by split where the config has them so. */
  dataFiles?: readonly string[] | Readonly<Record<string, readonly string[]>>
  dsType?: string
  split?: string
}

/** The files of a dataset, in the order in which they are read. */
export interface DataFiles {
  /** Relative to the working directory where they lie below it, else absolute. */
  files: string[]
  /** What `ds_type` says; absent: each file tells by its name or its first bytes. */
  format?: DataFormat
  /** Which of their rows are read, in the order of the split expression; absent: all. */
  parts?: PartSpec[]
}

const formats: Record<string, DataFormat> = {
  json: 'json',
  jsonl: 'jsonl',
  parquet: 'parquet',
  arrow: 'arrow',
  csv: 'csv',
  tsv: 'tsv',
  text: 'text',
}
/** Names that `datasets.load_dataset` takes for a format instead of a folder. */
const LOADERS = new Set(['json', 'parquet', 'arrow', 'csv', 'text'])
/** What a folder is read for only where it has no other data: a dataset's folder may hold notes and lists too. */
const plainFile = /\.(csv|tsv|txt)(\.(gz|zst|bz2|xz|zip))?$/
const dataFile = /\.(jsonl|json|ndjson|parquet|arrow|csv|tsv|txt)(\.(gz|zst|bz2|xz|zip))?$/
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
  const parts = splitParts(source.split, place)
  const found = await Promise.all(parts.map(({ split }) => find(source, split, bases, place)))
  const [first] = found
  const format = formatOf(source.dsType ?? (first?.loader ? source.path : undefined), place)
  return {
    files: found.flatMap(({ files }) => files).map(shown),
    ...(format === undefined ? {} : { format }),
    ...(parts.every(isWhole)
      ? {}
      : { parts: parts.map((part, index) => partSpec(part, found[index]?.files.length ?? 0)) }),
  }
}

function partSpec({ split: _, ...slice }: SplitPart, files: number): PartSpec {
  return { files, ...slice }
}

interface Found {
  files: string[]
  /** `path` is the name of a format. */
  loader?: true
}

async function find(source: DatasetSource, split: string, bases: readonly string[], place: string): Promise<Found> {
  const { path } = source
  const dataFiles = filesOfSplit(source.dataFiles, split, place)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path)) throw notLocal(path, place)
  const target = firstExisting(path, bases)
  if (target === undefined) {
    if (LOADERS.has(path) && dataFiles.length > 0)
      return { files: await listedAll(dataFiles, bases, place), loader: true }
    const matches = await expand(path, bases)
    if (matches.length > 0) return { files: matches }
    throw missing(path, bases, place)
  }
  if (!statSync(target).isDirectory()) return { files: [target] }
  if (dataFiles.length === 0) return { files: folderFiles(target, path, split, place) }
  return { files: await listedAll(dataFiles, [target, ...bases], place) }
}

/** `data_files` of one split. A list without splits is `train`, as in `datasets`; axolotl takes it whatever the split is. */
function filesOfSplit(dataFiles: DatasetSource['dataFiles'], split: string, place: string): readonly string[] {
  if (dataFiles === undefined || isList(dataFiles)) return dataFiles ?? []
  const files = Object.hasOwn(dataFiles, split) ? dataFiles[split] : undefined
  if (files !== undefined) return files
  throw new LossmaskError('split-not-found', `data_files names no files of the split ${JSON.stringify(split)}`, {
    path: `${place}.split`,
    hint: `it has ${Object.keys(dataFiles).join(', ')}`,
  })
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value)
}

async function listedAll(files: readonly string[], places: readonly string[], place: string): Promise<string[]> {
  const lists = files.map((file, index) => listed(file, places, `${place}.data_files[${index}]`))
  return (await Promise.all(lists)).flat()
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
async function listed(file: string, places: readonly string[], place: string): Promise<string[]> {
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
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && dataFile.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .filter(
      file =>
        !relative(folder, file)
          .split(/[\\/]/)
          .some(part => part.startsWith('.')),
    )
    .sort()
  const rich = found.filter(file => !plainFile.test(file))
  const all = rich.length > 0 ? rich : found
  if (all.length === 0) {
    throw new LossmaskError('dataset-without-files', `the folder \`${path}\` holds no data files`, {
      path: `${place}.path`,
      hint: 'name a file, or a folder with .jsonl, .json, .parquet, .arrow, .csv or .txt files (compressed ones too)',
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

function splitParts(split: string | undefined, place: string): SplitPart[] {
  const parts = parseSplit(split ?? 'train')
  if (!('wrong' in parts)) return parts
  throw new LossmaskError('split-unsupported', `not a split that can be read: ${parts.wrong}`, {
    path: `${place}.split`,
    hint: 'write train, train[:20%], train[10:] or train+test',
  })
}

function formatOf(dsType: string | undefined, place: string): DataFormat | undefined {
  if (dsType === undefined) return undefined
  const format = formats[dsType]
  if (format !== undefined) return format
  throw new LossmaskError('ds-type-unsupported', `ds_type ${JSON.stringify(dsType)} cannot be read: it is not known`, {
    path: `${place}.ds_type`,
    hint: 'it is one of json (also for JSON lines), parquet, arrow, csv, text',
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
