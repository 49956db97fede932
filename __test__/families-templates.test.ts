/**
 * Real text templates on real vocabularies, rendered and tokenized as a run does it: an answer of any kind between two plain ones is
 * trained whole, but for white space that the template strips or a header token holds.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { loadConfig } from '../src/config/index.js'
import { Pipeline } from '../src/pipeline/pipeline.js'
import { CACHE } from './helpers/vocabularies.js'

const ANSWERS = [
  'Plain answer.',
  '\nStarts on a new line.',
  '\n\nAfter an empty line.',
  '  After blanks.',
  '```py\nprint(1)\n```',
  '123 456',
  '你好，世界',
  '',
  '- a\n- b',
  '<b>bold</b>',
  'Ends in a newline.\n',
  'Ends in blanks.  ',
]

/** Family, cached model, template in the cache. */
const CASES: [family: string, model: string, template: string][] = [
  ['chatml', 'qwen2_5', 'axolotl/chatml'],
  ['qwen_25', 'qwen2_5', 'axolotl/qwen_25'],
  ['qwen3', 'qwen3', 'axolotl/qwen3'],
  ['gemma', 'gemma2', 'axolotl/gemma'],
  ['llama3', 'llama3', 'axolotl/llama3'],
  ['llama3', 'llama3_2', 'trl/llama3_2'],
  ['mistral_v3_tekken', 'mistral_nemo', 'axolotl/mistral_v3_tekken'],
  ['cohere', 'command_r_plus', 'axolotl/cohere'],
  ['deepseek_v3', 'deepseek_v3', 'axolotl/deepseek_v3'],
  ['gpt_oss', 'gptoss', 'trl/gptoss'],
]

for (const [strategy, model, template] of CASES) {
  test.serial(`${strategy}: ${template} on ${model}`, async t => {
    const tokenizer = join(CACHE, 'models', model)
    const chat_template_jinja = join(CACHE, 'templates', `${template}.jinja`)
    const absent = [tokenizer, chat_template_jinja].find(path => !existsSync(path))
    if (absent !== undefined) {
      t.log(`left out: ${absent} is absent`)
      return t.pass()
    }
    const lossmask = { strategy, route: 'boundaries' }
    const config = await loadConfig({ tokenizer, chat_template: 'jinja', chat_template_jinja, lossmask })
    const pipeline = await Pipeline.fromConfig(config)
    for (const answer of ANSWERS) {
      const row = await pipeline.encode([
        { role: 'user', content: 'Which one?' },
        { role: 'assistant', content: 'First answer.' },
        { role: 'user', content: 'And now?' },
        { role: 'assistant', content: answer },
        { role: 'user', content: 'Last?' },
        { role: 'assistant', content: 'Last answer.' },
      ])
      const ids = Array.from(row.inputIds)
      const trained = row.turns
        .filter(turn => turn.trained)
        .map(turn => pipeline.tokenizer.decode(ids.slice(turn.contentStart, turn.contentEnd)).trim())
      t.deepEqual(trained, ['First answer.', answer.trim(), 'Last answer.'], JSON.stringify(answer))
      for (const turn of row.turns.filter(each => each.trained)) {
        t.true(
          Array.from(row.labels.slice(turn.contentEnd, turn.end)).every(label => label !== -100),
          'ends are trained',
        )
      }
    }
  })
}
