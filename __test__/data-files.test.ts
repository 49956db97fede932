import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import test from 'ava'
import { LossmaskError } from '../src/errors.js'
import { type DatasetSource, findDataFiles } from '../src/pipeline/files.js'

/** A folder with these files in it, gone after the test. */
function folder(t: { teardown(work: () => void): void }, files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'lossmask-files-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const files = {
  'one.jsonl': '',
  'one.jsonl.gz': '',
  'notes.txt': '',
  'plain/b.parquet': '',
  'plain/a.json': '',
  'plain/.hidden/c.json': '',
  'plain/readme.md': '',
  'splits/train-00000-of-00002.parquet': '',
  'splits/train-00001-of-00002.parquet': '',
  'splits/test-00000-of-00001.parquet': '',
  'saved/state.json': JSON.stringify({ _data_files: [{ filename: 'data-1.arrow' }, { filename: 'data-0.arrow' }] }),
  'dict/dataset_dict.json': '{"splits":["train"]}',
  'dict/train/state.json': JSON.stringify({ _data_files: [{ filename: 'data-0.arrow' }] }),
  'empty/.gitkeep': '',
}

const found: [name: string, source: DatasetSource, expected: string[], format?: string][] = [
  ['a file', { path: 'one.jsonl' }, ['one.jsonl']],
  ['a file of any name', { path: 'notes.txt', dsType: 'json' }, ['notes.txt'], 'json'],
  ['a pattern', { path: 'one.*' }, ['one.jsonl', 'one.jsonl.gz']],
  [
    'a pattern over folders',
    { path: '{plain,splits}/*a*.{json,parquet}' },
    ['plain/a.json', 'splits/train-00000-of-00002.parquet', 'splits/train-00001-of-00002.parquet'],
  ],
  ['a folder', { path: 'plain' }, ['plain/a.json', 'plain/b.parquet']],
  [
    'a folder with data_files',
    { path: 'plain', dataFiles: ['b.parquet', 'one.jsonl'] },
    ['plain/b.parquet', 'one.jsonl'],
  ],
  [
    'a folder with a pattern in data_files',
    { path: 'splits', dataFiles: ['test-*'] },
    ['splits/test-00000-of-00001.parquet'],
  ],
  [
    'a folder whose files name splits',
    { path: 'splits' },
    ['splits/train-00000-of-00002.parquet', 'splits/train-00001-of-00002.parquet'],
  ],
  ['one split of it', { path: 'splits', split: 'test' }, ['splits/test-00000-of-00001.parquet']],
  ['what save_to_disk made, in its own order', { path: 'saved' }, ['saved/data-1.arrow', 'saved/data-0.arrow']],
  ['a split of what save_to_disk made', { path: 'dict', split: 'train' }, ['dict/train/data-0.arrow']],
  ['the name of a format, and data_files', { path: 'json', dataFiles: ['one.jsonl'] }, ['one.jsonl'], 'json'],
  [
    'data_files by split',
    { path: 'json', dataFiles: { train: ['one.jsonl'], test: ['plain/*.json'] }, split: 'test' },
    ['plain/a.json'],
    'json',
  ],
  ['a table', { path: 'notes.txt', dsType: 'csv' }, ['notes.txt'], 'csv'],
  ['parquet by ds_type', { path: 'plain/b.parquet', dsType: 'parquet' }, ['plain/b.parquet'], 'parquet'],
]

for (const [name, source, expected, format] of found) {
  test(`datasets[].path: ${name}`, async t => {
    const root = folder(t, files)
    const result = await findDataFiles(source, [join(root, 'nowhere'), root], 'datasets[0]')
    t.deepEqual(
      result.files.map(file => relative(root, file).replaceAll('\\', '/')),
      expected,
    )
    t.is(result.format, format as typeof result.format)
  })
}

const refused: [name: string, source: DatasetSource, issue: { code: string; path: string; hint: RegExp }][] = [
  [
    'a missing file',
    { path: 'two.jsonl' },
    { code: 'dataset-not-found', path: 'datasets[0].path', hint: /looked up in/ },
  ],
  [
    'a hub id',
    { path: 'owner/name' },
    { code: 'dataset-not-local', path: 'datasets[0].path', hint: /hf download .* owner\/name/ },
  ],
  [
    'a URL',
    { path: 's3://bucket/x.jsonl' },
    { code: 'dataset-not-local', path: 'datasets[0].path', hint: /download the files/ },
  ],
  [
    'a folder without data',
    { path: 'empty' },
    { code: 'dataset-without-files', path: 'datasets[0].path', hint: /\.jsonl/ },
  ],
  [
    'a folder in data_files',
    { path: 'plain', dataFiles: ['splits'] },
    { code: 'dataset-is-folder', path: 'datasets[0].data_files[0]', hint: /splits\/\*\.jsonl/ },
  ],
  [
    'a missing file in data_files',
    { path: 'plain', dataFiles: ['x.json'] },
    { code: 'dataset-not-found', path: 'datasets[0].data_files[0]', hint: /looked up in/ },
  ],
  [
    'a slice',
    { path: 'one.jsonl', split: 'train[:10%' },
    { code: 'split-unsupported', path: 'datasets[0].split', hint: /train\[:20%\]/ },
  ],
  [
    'a split that is not there',
    { path: 'splits', split: 'validation' },
    { code: 'split-not-found', path: 'datasets[0].split', hint: /train, test/ },
  ],
  [
    'a ds_type nobody knows',
    { path: 'notes.txt', dsType: 'xml' },
    { code: 'ds-type-unsupported', path: 'datasets[0].ds_type', hint: /json/ },
  ],
]

for (const [name, source, { code, path, hint }] of refused) {
  test(`datasets[].path refuses ${name}`, async t => {
    const root = folder(t, files)
    const error = await t.throwsAsync<LossmaskError>(findDataFiles(source, [root], 'datasets[0]'), {
      instanceOf: LossmaskError,
    })
    t.is(error?.code, code)
    t.is(error?.path, path)
    t.regex(error?.hint ?? '', hint)
  })
}

test('a split expression names the files and rows of each of its parts', async t => {
  const root = folder(t, files)
  const parts = async (split: string) => {
    const found = await findDataFiles({ path: 'splits', split }, [root], 'datasets[0]')
    return [found.files.map(file => basename(file)), found.parts]
  }
  const [first, second, test] = [
    'train-00000-of-00002.parquet',
    'train-00001-of-00002.parquet',
    'test-00000-of-00001.parquet',
  ]
  t.deepEqual(await parts('train+test'), [[first, second, test], undefined])
  t.deepEqual(await parts('train[:20%]'), [
    [first, second],
    [{ files: 2, to: 20, unit: 'percent', rounding: 'closest' }],
  ])
  t.deepEqual(await parts(' test[-5:] + train[1_0:20](pct1_dropremainder)'), [
    [test, first, second],
    [
      { files: 1, from: -5, unit: 'rows', rounding: 'closest' },
      { files: 2, from: 10, to: 20, unit: 'rows', rounding: 'pct1_dropremainder' },
    ],
  ])
  for (const wrong of ['train[', 'train[5]', 'train[:20%', 'train[10:20%]', 'train[:120%]', '', 'train+']) {
    const error = await t.throwsAsync(parts(wrong), { instanceOf: LossmaskError })
    t.is(error?.code, 'split-unsupported', wrong)
  }
})
