/** `lossmask strategies`: the families, one family with its ids, and the self-test on a given model. */
import test from 'ava'
import { listStrategies } from '../src/strategies/index.js'
import { lossmask } from './helpers/cli.js'
import { changedModel } from './helpers/smallModel.js'

const template = (assistant: string) =>
  `{% for message in messages %}<|im_start|>{{ '${assistant}' if message.role == 'assistant' else message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}`

test('all families are listed, with how far each is verified', async t => {
  const { code, stdout } = await lossmask(['strategies'])
  t.is(code, 0)
  for (const { name, verified } of listStrategies()) t.regex(stdout, new RegExp(`^${name} .*\\(${verified}\\)$`, 'mu'))
})

test('one family with its ids, and the probe as it is masked', async t => {
  const model = changedModel(t, { template: template('assistant') })
  const { code, stdout, stderr } = await lossmask(['strategies', 'chatml', '--tokenizer', model])
  t.is(code, 0, stderr)
  t.regex(stdout, /assistant: start "<\|im_start\|>assistant" \[1, 289\]/u)
  t.regex(stdout, /self-test: passed/u)
  const json = await lossmask(['strategies', 'chatml', '--tokenizer', model, '--json'])
  t.true(JSON.parse(json.stdout).selfTest.passed)
})

test('a family whose turns the template does not write fails the self-test, with what stands there', async t => {
  const model = changedModel(t, { template: template('model') })
  const { code, stdout, stderr } = await lossmask(['strategies', 'chatml', '--tokenizer', model])
  t.is(code, 1)
  t.regex(stdout, /self-test: failed/u)
  t.regex(stderr, /before "White, nearly always\." stands ".*<\|im_start\|>model\\n".*\[self-test-failed\]/u)
})

test('a family that does not fit the tokenizer says so', async t => {
  const model = changedModel(t, { template: template('assistant') })
  const { code, stdout } = await lossmask(['strategies', 'llama3', '--tokenizer', model])
  t.is(code, 0)
  t.regex(stdout, /does not fit this tokenizer: .*<\|start_header_id\|>/u)
})

test('a name that is near a family is suggested', async t => {
  const { code, stderr } = await lossmask(['strategies', 'gema3'])
  t.is(code, 2)
  t.regex(stderr, /strategy-unknown/u)
  t.regex(stderr, /did you mean gemma3\?/u)
})
