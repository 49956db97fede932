/** Which family a model is, and what told it: by name, by tokens and template, by what its configuration declares. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { LossmaskError } from '../src/errors.js'
import { detectStrategy, findStrategy, listStrategies, type MarkerTokenizer } from '../src/strategies/index.js'
import { smallTokenizer } from './helpers/smallModel.js'
import { Absent, CACHE, modelTokenizer } from './helpers/vocabularies.js'

/** A vocabulary that knows `tokens`, one id each, and spells everything else in pieces. */
function vocabularyOf(tokens: readonly string[], chatTemplate?: string): MarkerTokenizer {
  return {
    encode: text =>
      tokens.includes(text) ? [1000 + tokens.indexOf(text)] : Array.from(text, letter => letter.charCodeAt(0)),
    decode: ids => ids.map(id => tokens[id - 1000] ?? String.fromCharCode(id)).join(''),
    chatTemplate,
  }
}

const QWEN = ['<|im_start|>', '<|im_end|>', '<|vision_start|>', '<|vision_end|>', '<|image_pad|>', '<|video_pad|>']

test("the config's strategy decides alone", async t => {
  const tokenizer = await smallTokenizer()
  const found = detectStrategy({ tokenizer, strategy: 'gemma3', chatTemplate: 'chatml' })
  t.is(found.strategy?.name, 'gemma3')
  t.is(found.why, 'lossmask.strategy: gemma3')
})

test('a strategy nobody knows is refused, with the nearest name', async t => {
  const tokenizer = await smallTokenizer()
  const error = t.throws(() => detectStrategy({ tokenizer, strategy: 'qwen2vl' }), { instanceOf: LossmaskError })
  t.is(error.code, 'strategy-unknown')
  t.is(error.path, 'lossmask.strategy')
  t.regex(error.hint ?? '', /qwen2_vl/u)
})

test("axolotl's chat_template names are families", async t => {
  const tokenizer = await smallTokenizer()
  const names =
    'chatml gemma gemma3 gemma3n gemma4 gemma4_unified llama3 llama3_2_vision llama4 phi_3 phi_35 deepseek_v3 qwen_25 qwen3 qwen3_5 qwen2_vl pixtral llava mistral_v3_tekken mistral_v7_tekken cohere command_a command_a_tool_use command_a_rag aya'
  for (const name of names.split(' ')) {
    const { strategy, why } = detectStrategy({ tokenizer, chatTemplate: name })
    t.true(strategy?.name === name || strategy?.aliases.includes(name), name)
    t.is(why, `chat_template: ${name}`)
  }
})

test('tokenizer_default and jinja say nothing: tokens and template do', async t => {
  const tokenizer = await smallTokenizer()
  for (const chatTemplate of [undefined, 'tokenizer_default', 'tokenizer_default_fallback_chatml', 'jinja']) {
    const { strategy, why } = detectStrategy({ tokenizer, chatTemplate })
    t.is(strategy?.name, 'qwen2_vl')
    t.regex(why, /the vocabulary has .*<\|vision_start\|>, the chat template holds <\|im_start\|>/u)
  }
})

test('without a template, families that only a template tells apart are an error with the candidates', t => {
  const error = t.throws(() => detectStrategy({ tokenizer: vocabularyOf(QWEN) }), { instanceOf: LossmaskError })
  t.is(error.code, 'strategy-ambiguous')
  for (const name of ['qwen2_vl', 'qwen3_5', 'qwen3']) t.true(error.message.includes(name), name)
  t.regex(error.hint ?? '', /chat_template/u)
})

test('what the configuration declares decides between candidates, and is said', t => {
  const tokenizer = vocabularyOf(QWEN)
  const byType = detectStrategy({ tokenizer, modelType: 'qwen3_vl' })
  t.is(byType.strategy?.name, 'qwen3_vl')
  t.regex(byType.why, /model_type qwen3_vl/u)
  t.is(detectStrategy({ tokenizer, processorClass: 'Qwen2_5_VLProcessor' }).strategy?.name, 'qwen2_5_vl')
})

test('a processor class shared by families does not overrule the tokens', t => {
  const smolvlm = vocabularyOf(['<end_of_utterance>', '<|im_start|>', '<fake_token_around_image>'])
  t.is(detectStrategy({ tokenizer: smolvlm, processorClass: 'Idefics3Processor' }).strategy?.name, 'smolvlm')
})

test('families that mask alike are no ambiguity', t => {
  const tokenizer = vocabularyOf(QWEN, "{{ '<|im_start|>' }} <|vision_start|>")
  t.is(detectStrategy({ tokenizer }).strategy?.name, 'qwen2_vl')
})

test('a tokenizer of no family is no error: the text routes need none', t => {
  const { strategy, why } = detectStrategy({ tokenizer: vocabularyOf(['<s>', '</s>'], '{{ messages }}') })
  t.is(strategy, undefined)
  t.regex(why, /no family/u)
})

test('every family with hints is found by the tokens of its first ones', t => {
  for (const strategy of listStrategies()) {
    const [hints] = strategy.detect
    if (hints === undefined) continue
    const template = (hints.template ?? []).join(' ')
    const { strategy: found } = detectStrategy({
      tokenizer: vocabularyOf(hints.tokens ?? [], template),
      modelType: strategy.name,
    })
    t.is(found?.name, strategy.name)
  }
})

const MODELS: Record<string, string | undefined> = {
  aya_expanse: 'cohere',
  command_r_plus: 'cohere',
  deepseek_v3: 'deepseek_v3',
  gemma2: 'gemma',
  gemma3: 'gemma3',
  gpt4o: undefined,
  gptoss: 'gpt_oss',
  llama3: 'llama3',
  llama3_1: 'llama3',
  llama3_2: 'llama3',
  minicpm_v4_5: 'minicpm_v4_5',
  mistral_nemo: 'mistral_v3_tekken',
  qwen2_5: 'qwen_25',
  qwen3: 'qwen3',
}

for (const [model, family] of Object.entries(MODELS)) {
  test(`real model folder: ${model}`, t => {
    try {
      t.is(detectStrategy({ tokenizer: modelTokenizer(model) }).strategy?.name, family)
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      t.log(`left out: ${error.message}`)
      t.pass()
    }
  })
}

const TEMPLATES: [file: string, model: string, family: string][] = [
  ['trl/qwen3_vl', 'qwen3', 'qwen3_vl'],
  ['trl/qwen2_5_vl', 'qwen2_5', 'qwen2_vl'],
  ['trl/qwen3_5_think', 'qwen3', 'qwen3_5'],
  ['axolotl/chatml', 'qwen2_5', 'chatml'],
  ['axolotl/qwen3', 'qwen3', 'qwen3'],
]

for (const [file, model, family] of TEMPLATES) {
  test(`real template: ${file} on ${model} is ${family}`, t => {
    const path = join(CACHE, 'templates', `${file}.jinja`)
    try {
      if (!existsSync(path)) throw new Absent(`${path} is absent`)
      const templateText = readFileSync(path, 'utf8')
      t.is(detectStrategy({ tokenizer: modelTokenizer(model), templateText }).strategy, findStrategy(family))
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      t.log(`left out: ${error.message}`)
      t.pass()
    }
  })
}
