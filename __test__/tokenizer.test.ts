import { cpSync, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Tokenizer } from '@huggingface/tokenizers'
import test from 'ava'
import { LossmaskError, loadTokenizer, Masker } from '../src/index.js'
import { native } from '../src/native.js'
import type { MarkerTokenizer } from '../src/strategies/types.js'
import { folderOf, tinyChatml, tinyTokenizer } from './helpers/folders.js'

test('encode adds no special tokens and recognises those in the text; decode keeps them', async t => {
  const tokenizer = await loadTokenizer(folderOf({ 'tokenizer.json': tinyTokenizer }))
  t.deepEqual(tokenizer.encode('ab\n\n<|end|>a'), [5, 3, 8, 0])
  t.is(tokenizer.decode([5, 3, 8, 0]), 'ab\n\n<|end|>a')
  t.is(tokenizer.decode([]), '')
  t.is(tokenizer.decode([99, -1, 5]), 'ab', 'ids beyond the vocabulary are left out')
  t.is(tokenizer.tokenToId('<pad>'), 9)
  t.is(tokenizer.tokenToId('ĊĊ'), 3)
  t.is(tokenizer.tokenToId('nope'), undefined)
  t.is(tokenizer.idToToken(8), '<|end|>')
})

test('the vocabulary is told as text', async t => {
  const tokenizer = await loadTokenizer(folderOf({ 'tokenizer.json': tinyTokenizer }))
  t.deepEqual(
    new Map(tokenizer.vocabulary()),
    new Map([
      ['a', 0],
      ['b', 1],
      ['\n', 2],
      ['\n\n', 3],
      [' ', 4],
      ['ab', 5],
      ['\u{fffd}', 7],
      ['<|end|>', 8],
      ['<pad>', 9],
    ]),
  )
})

test('SentencePiece vocabularies are told as text too', async t => {
  const decoder = {
    type: 'Sequence',
    decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }],
  }
  const model = { type: 'BPE', byte_fallback: true, vocab: { '▁the': 0, '<0x0A>': 1, '▁▁': 2 }, merges: [] }
  const tokenizer = await loadTokenizer(
    folderOf({ 'tokenizer.json': { ...tinyTokenizer, decoder, model, added_tokens: [] } }),
  )
  t.deepEqual(
    [...tokenizer.vocabulary()],
    [
      [' the', 0],
      ['\n', 1],
      ['  ', 2],
    ],
  )
})

test('special tokens are strings or objects, and come from either file', async t => {
  const tokenizer = await loadTokenizer(
    folderOf({
      'tokenizer.json': tinyTokenizer,
      'tokenizer_config.json': { eos_token: { content: '<|end|>', lstrip: false }, bos_token: null, image_token: 'b' },
      'special_tokens_map.json': { pad_token: '<pad>', bos_token: 'a', eos_token: 'b' },
      'processor_config.json': { processor_class: 'SomeProcessor', boi_token: 'a' },
      'generation_config.json': { eos_token_id: [8, 5] },
      'config.json': { model_type: 'some', image_token_id: 7, vision: { image_token_id: 3 } },
    }),
  )
  t.like(tokenizer, {
    eosToken: '<|end|>',
    eosTokenId: 8,
    padToken: '<pad>',
    padTokenId: 9,
    modelType: 'some',
    processorClass: 'SomeProcessor',
  })
  t.is(tokenizer.bosToken, undefined, 'null in tokenizer_config.json unsets it')
  t.deepEqual(tokenizer.generationEosTokenIds, [8, 5])
  t.deepEqual(tokenizer.specialTokens, { eos_token: '<|end|>', pad_token: '<pad>' })
  t.like(tokenizer.namedTokens, { image_token: 'b', boi_token: 'a', image_token_id: 7, eos_token: '<|end|>' })
})

test('flags that the folder declares reach the tokens, those of the file too', async t => {
  const tokenizer = await loadTokenizer(
    folderOf({
      'tokenizer.json': tinyTokenizer,
      'tokenizer_config.json': {
        added_tokens_decoder: {
          8: { content: '<|end|>', lstrip: false, rstrip: true, single_word: false, normalized: false, special: true },
          9: { content: '<pad>', lstrip: false, rstrip: false, single_word: false, normalized: false, special: true },
          10: { content: '<left>', lstrip: true, rstrip: false, single_word: false, normalized: false, special: true },
        },
      },
    }),
  )
  t.deepEqual(tokenizer.spec.addedTokens, [
    { content: '<|end|>', special: true, rstrip: true },
    { content: '<left>', special: true, lstrip: true },
  ])
  const rust = new (native().NativeTokenizer)(JSON.stringify(tokenizer.spec))
  // As transformers: white space behind the one and in front of the other is part of the token.
  for (const [text, ids] of [
    ['a<|end|>\n\nb', [0, 8, 1]],
    ['a\n<left>\n', [0, 10, 2]],
    ['<pad>\n', [9, 2]],
  ] as const) {
    t.deepEqual(tokenizer.encode(text), [...ids], text)
    t.deepEqual(Array.from(rust.encode(text)), [...ids], text)
  }
})

test('tokens that tokenizer.json lacks are added as transformers adds them', async t => {
  const tokenizer = await loadTokenizer(
    folderOf({
      'tokenizer.json': tinyTokenizer,
      'tokenizer_config.json': {
        added_tokens_decoder: {
          8: { content: '<|end|>', special: true },
          12: { content: '<late>', special: true },
          10: { content: '<image>', special: true },
          5: { content: 'ab' },
        },
        pad_token: '<new-pad>',
        additional_special_tokens: ['<tool>'],
      },
    }),
    { specialTokens: { eos_token: '<eos>' }, tokens: ['word'] },
  )
  const added = { ab: 5, '<image>': 10, '<late>': 11, '<new-pad>': 12, '<tool>': 13, '<eos>': 14, word: 15 }
  t.deepEqual(
    tokenizer.spec.addedTokens.map(({ content }) => content),
    Object.keys(added),
  )
  for (const [token, id] of Object.entries(added)) t.deepEqual(tokenizer.encode(token), [id], token)
  t.deepEqual([tokenizer.padTokenId, tokenizer.eosTokenId], [12, 14])
  t.deepEqual(tokenizer.encode('a<image>b'), [0, 10, 1])
  t.deepEqual(
    tokenizer.notices.map(({ code, path }) => [code, path]),
    [['added-token-moved', 'added_tokens_decoder.12']],
  )
})

test('chat templates, in transformers’ order', async t => {
  const load = async (files: object) => loadTokenizer(folderOf({ 'tokenizer.json': tinyTokenizer, ...files }))
  t.is((await load({})).chatTemplate, undefined)
  t.is((await load({ 'tokenizer_config.json': { chat_template: 'config' } })).chatTemplate, 'config')
  const list = await load({
    'tokenizer_config.json': {
      chat_template: [
        { name: 'default', template: 'd' },
        { name: 'tool_use', template: 't' },
      ],
    },
  })
  t.deepEqual([list.chatTemplate, list.chatTemplates], ['d', { default: 'd', tool_use: 't' }])
  const json = await load({
    'chat_template.json': { chat_template: 'json' },
    'tokenizer_config.json': { chat_template: 'config' },
  })
  t.is(json.chatTemplate, 'json')
  const jinja = await load({
    'chat_template.jinja': 'jinja',
    'additional_chat_templates/rag.jinja': 'r',
    'chat_template.json': { chat_template: 'json' },
  })
  t.deepEqual(jinja.chatTemplates, { rag: 'r', default: 'jinja' })
  t.true(jinja.chatTemplateFile?.endsWith('chat_template.jinja'))
})

const refusals: [name: string, files: Record<string, unknown>, code: string, message: RegExp, line?: number][] = [
  ['an empty folder', {}, 'tokenizer-not-found', /neither tokenizer.json nor tekken.json/],
  ['SentencePiece only', { 'tokenizer.model': 'x' }, 'tokenizer-format-unsupported', /SentencePiece/],
  ['another SentencePiece name', { 'sentencepiece.bpe.model': 'x' }, 'tokenizer-format-unsupported', /SentencePiece/],
  ['tiktoken only', { 'qwen.tiktoken': 'x' }, 'tokenizer-format-unsupported', /tiktoken/],
  ['a slow tokenizer', { 'vocab.json': '{}', 'merges.txt': '' }, 'tokenizer-format-unsupported', /slow/],
  ['broken JSON', { 'tokenizer.json': '{\n "a": }' }, 'tokenizer-file-invalid', /not valid JSON/],
  [
    'JSON that breaks off',
    { 'tokenizer.json': JSON.stringify(tinyTokenizer).slice(0, 200) },
    'tokenizer-file-invalid',
    /not valid JSON/,
    1,
  ],
  [
    'a git-lfs pointer',
    { 'tokenizer.json': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n' },
    'tokenizer-file-invalid',
    /git-lfs pointer/,
  ],
  ['a list', { 'tokenizer.json': [] }, 'tokenizer-file-invalid', /a list/],
  ['no vocabulary', { 'tokenizer.json': {} }, 'tokenizer-file-invalid', /no model vocabulary/],
  ['bytes that are no text', { 'tokenizer.json': Uint8Array.of(0xff) }, 'tokenizer-file-invalid', /UTF-8/],
  [
    'a broken config',
    { 'tokenizer.json': tinyTokenizer, 'tokenizer_config.json': '{' },
    'tokenizer-file-invalid',
    /not valid JSON/,
  ],
  [
    'a template that is a number',
    { 'tokenizer.json': tinyTokenizer, 'tokenizer_config.json': { chat_template: 5 } },
    'tokenizer-file-invalid',
    /template/,
  ],
]

for (const [name, files, code, message, line] of refusals) {
  test(`refused: ${name}`, async t => {
    const error = await t.throwsAsync(loadTokenizer(folderOf(files)), { instanceOf: LossmaskError })
    t.is(error?.code, code)
    t.regex(error?.message ?? '', message)
    t.truthy(error?.file)
    if (line !== undefined) t.is(error?.line, line)
    if (code === 'tokenizer-format-unsupported') t.regex(error?.hint ?? '', /save_pretrained/)
  })
}

test('refused: a model that is neither there nor a hub id', async t => {
  for (const model of ['./nowhere', '/nowhere/at/all', 'a/b/c', '../x', 'a--b/c', 'x..y/z']) {
    t.is((await t.throwsAsync(loadTokenizer(model), { instanceOf: LossmaskError }))?.code, 'tokenizer-not-found', model)
  }
  // biome-ignore lint/suspicious/noExplicitAny: wrong types are the point
  for (const model of ['', 'a\0b', undefined as any, 5 as any]) {
    t.is((await t.throwsAsync(loadTokenizer(model), { instanceOf: LossmaskError }))?.code, 'invalid-argument')
  }
  const model = folderOf({ 'model.safetensors': 'x' })
  t.is(
    (await t.throwsAsync(loadTokenizer(join(model, 'model.safetensors'))))?.message,
    'expected a folder, tokenizer.json or tekken.json',
  )
})

test('the tokenizer file itself may be given', async t => {
  const folder = folderOf({ 'tokenizer.json': tinyTokenizer, 'tokenizer_config.json': { eos_token: '<|end|>' } })
  t.is((await loadTokenizer(join(folder, 'tokenizer.json'))).eosTokenId, 8)
})

test('Masker.forStrategy takes any tokenizer that encodes and decodes', async t => {
  const loaded = await loadTokenizer(folderOf({ 'tokenizer.json': tinyChatml }))
  const asMarkers: MarkerTokenizer = loaded
  const foreign = new Tokenizer(tinyChatml, {})
  const own = {
    encode: (text: string) => Int32Array.from(asMarkers.encode(text)),
    decode: (ids: number[]) => asMarkers.decode(ids),
  }
  const row = loaded.encode('<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n\nb<|im_end|>\n')
  for (const tokenizer of [loaded, foreign, own]) {
    const labels = Masker.forStrategy('chatml', tokenizer).labels(row)
    t.deepEqual(
      [...labels].filter(label => label !== -100),
      [1, 21],
      'the fused newline belongs to the header',
    )
  }
  const options = { rolesToTrain: ['user'], trainOnEos: 'none', ignoreIndex: -7 } as const
  t.deepEqual(
    [...Masker.forStrategy('chatml', loaded, options).labels(row)].filter(label => label !== -7),
    [0],
  )
})

test('Masker.forStrategy says what is wrong with its arguments', async t => {
  const loaded = await loadTokenizer(folderOf({ 'tokenizer.json': tinyChatml }))
  // biome-ignore lint/suspicious/noExplicitAny: wrong types are the point
  const tokenizers: any[] = [
    undefined,
    {},
    { encode: () => [1] },
    { encode: async () => [1], decode: () => '' },
    { encode: () => ['a'], decode: () => '' },
  ]
  for (const tokenizer of tokenizers)
    t.is(
      t.throws(() => Masker.forStrategy('chatml', tokenizer), { instanceOf: LossmaskError })?.code,
      'tokenizer-invalid',
    )
  const unknown = t.throws(() => Masker.forStrategy('chatlm', loaded), { instanceOf: LossmaskError })
  t.deepEqual([unknown?.code, unknown?.hint], ['strategy-unknown', 'did you mean chatml?'])
})

const cache = process.env.LOSSMASK_TEST_CACHE ?? join(homedir(), '.cache/lossmask-test')
const models = ['qwen3', 'gemma3', 'llama3_2', 'mistral_nemo', 'deepseek_v3']

for (const model of models) {
  const folder = join(cache, 'models', model)
  const run = existsSync(folder) ? test : test.skip
  run(`a real vocabulary: ${model}`, async t => {
    const tokenizer = await loadTokenizer(folder)
    const text = 'Hi there, größe 你好 👩‍👩‍👧\n\n\tx <|im_start|>[INST]<start_of_turn>'
    t.is(tokenizer.decode(tokenizer.encode(text)), text)
    const byText = new Map(tokenizer.vocabulary())
    t.is(byText.get(tokenizer.eosToken as string), tokenizer.eosTokenId)
    for (const text of ['\n', '\n\n', ' the'])
      t.deepEqual(tokenizer.encode(`a${text}`).at(-1), byText.get(text), JSON.stringify(text))
    const copy = folderOf({})
    cpSync(join(folder, 'tokenizer.json'), join(copy, 'tokenizer.json'))
    t.deepEqual(
      (await loadTokenizer(copy)).encode(text),
      tokenizer.encode(text),
      'the configuration adds nothing to the ids',
    )
  })
}

for (const version of ['240718', '240911']) {
  const file = join(cache, 'tekken', `tekken_${version}.json`)
  const run = existsSync(file) ? test : test.skip
  run(`a folder with only tekken.json: ${version}`, async t => {
    const folder = folderOf({})
    cpSync(file, join(folder, 'tekken.json'))
    const tokenizer = await loadTokenizer(folder)
    t.like(tokenizer, {
      bosToken: '<s>',
      bosTokenId: 1,
      eosToken: '</s>',
      eosTokenId: 2,
      unkTokenId: 0,
      padTokenId: 11,
    })
    t.deepEqual(
      [tokenizer.tokenToId('[INST]'), tokenizer.tokenToId('[/INST]'), tokenizer.tokenToId('[NOPE]')],
      [3, 4, undefined],
    )
    const text = 'Hi, größe 你好 👩‍👩‍👧\n\n\tx'
    t.is(tokenizer.decode(tokenizer.encode(text)), text)
    t.deepEqual(tokenizer.encode('a\n\n').at(-1), new Map(tokenizer.vocabulary()).get('\n\n'))
    const row = tokenizer.encode('<s>[INST]Hi[/INST]Yes</s>')
    const labels = [...Masker.forStrategy('mistral_v7_tekken', tokenizer).labels(row)]
    t.deepEqual(
      labels.filter(label => label !== -100),
      [...tokenizer.encode('Yes'), 2],
    )
    const options = { specialTokens: { pad_token: '<nobody>' } }
    t.is(
      (await t.throwsAsync(loadTokenizer(folder, options), { instanceOf: LossmaskError }))?.code,
      'special-token-invalid',
    )
  })
}

test('refused: a tekken.json that is none', async t => {
  for (const content of ['{', '{}', '[]']) {
    const error = await t.throwsAsync(loadTokenizer(folderOf({ 'tekken.json': content })), {
      instanceOf: LossmaskError,
    })
    t.regex(error?.code ?? '', /^tokenizer-(file-)?invalid$/u, content)
  }
})
