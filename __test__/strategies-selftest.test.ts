/** The probe conversation: passes for a family that fits, and says what stands instead for one that does not. */
import test, { type ExecutionContext } from 'ava'
import { loadConfig } from '../src/config/index.js'
import { Masker } from '../src/masker.js'
import { compileConfig } from '../src/pipeline/compile.js'
import { findStrategy, PROBE, type ResolvedStrategy, resolveStrategy, selfTest } from '../src/strategies/index.js'
import type { StrategyOverrides } from '../src/strategies/types.js'
import { resolvedOptions } from '../src/strategyMasker.js'
import { loadTokenizer } from '../src/tokenizer/index.js'
import { changedModel, smallTokenizer } from './helpers/smallModel.js'

const chatml = (end = '<|im_end|>\n', assistant = 'assistant') =>
  PROBE.map(({ role, content }) => `<|im_start|>${role === 'assistant' ? assistant : role}\n${content}${end}`).join('')

async function run(t: ExecutionContext, text: string, overrides: StrategyOverrides = {}) {
  const tokenizer = await smallTokenizer()
  const resolved: ResolvedStrategy = resolveStrategy(findStrategy('qwen2_vl'), tokenizer, overrides)
  const ids = tokenizer.encode(text)
  const result = selfTest(resolved, tokenizer, { ids, labels: new Masker(resolvedOptions(resolved)).labels(ids) })
  t.is(result.text, text)
  t.is(result.tokens.map(token => token.text).join(''), text)
  return result
}

test('a family that fits passes, whatever roles are trained', async t => {
  for (const rolesToTrain of [['assistant'], ['user'], ['user', 'assistant'], []]) {
    const { passed, issues } = await run(t, chatml(), { rolesToTrain })
    t.deepEqual([passed, issues], [true, []])
  }
  t.true((await run(t, chatml(), { trainOnInputs: true })).passed)
})

test('its tokens show what is trained', async t => {
  const { tokens } = await run(t, chatml())
  const trained = tokens.filter(token => token.trained).map(token => token.text)
  t.is(trained.join(''), 'White, nearly always.<|im_end|>Yellow on every side.<|im_end|>')
})

test('a template with another role word fails, with the sequence that stands there and the one expected', async t => {
  const { passed, issues } = await run(t, chatml('<|im_end|>\n', 'model'))
  t.false(passed)
  const [issue] = issues
  t.is(issue?.code, 'self-test-failed')
  t.regex(
    issue?.message ?? '',
    /before "White, nearly always\." stands "<\|im_end\|>\\n<\|im_start\|>model\\n" \[[\d, ]+\]/u,
  )
  t.regex(issue?.hint ?? '', /expected "<\|im_start\|>assistant" \[1, 289\]/u)
})

test('a template that ends turns otherwise fails: a prompt would be trained', async t => {
  const { issues } = await run(t, chatml('<|endoftext|>\n'), {
    roleBoundaries: [{ role: 'assistant', start: '<|im_start|>assistant\n', end: '<|im_end|>' }],
  })
  t.deepEqual(
    issues.map(issue => issue.message),
    ['a user message would be trained: "And a ripe lemon?"'],
  )
})

test('a template that drops messages fails', async t => {
  const { issues } = await run(t, chatml().slice(chatml().lastIndexOf('<|im_start|>')))
  t.true(issues.some(issue => issue.message === 'the chat template does not write "White, nearly always."'))
})

test('a copy of the tokenizer with other control tokens fails for the family, and passes for its own', async t => {
  const tokens = { '<|im_start|>': '<start_of_turn>', '<|im_end|>': '<end_of_turn>' }
  const tokenizer = await loadTokenizer(changedModel(t, { tokens }))
  const text = chatml('<|im_end|>\n', 'model')
    .replaceAll('<|im_start|>', '<start_of_turn>')
    .replaceAll('<|im_end|>', '<end_of_turn>')
  const resolved = resolveStrategy(findStrategy('gemma'), tokenizer)
  const ids = tokenizer.encode(text)
  t.true(selfTest(resolved, tokenizer, { ids, labels: new Masker(resolvedOptions(resolved)).labels(ids) }).passed)
})

test('a family without a template of the project: the notice says whose template is used', async t => {
  const model = changedModel(t, {
    template: "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>\\n' }}{% endfor %}",
  })
  const noticesOf = async (chat_template: string) => {
    const lossmask = { strategy: 'chatml' }
    const { notices } = await compileConfig(
      await loadConfig({ tokenizer: model, chat_template, lossmask, datasets: [{ path: 'rows.jsonl' }] }),
    )
    return notices.filter(({ code }) => code === 'template-of-model').map(({ severity }) => severity)
  }
  t.deepEqual(await noticesOf('internvl'), ['info'])
  t.deepEqual(await noticesOf('chatml'), [])
  t.deepEqual(await noticesOf('tokenizer_default'), [])
})
