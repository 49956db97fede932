/** Two answers in a row, several results of tools in a row, or a row that begins with an answer broke masks that expect pairs. */
import test from 'ava'
import { Masker } from '../../src/masker.js'
import { smallTokenizer, trainedTexts } from '../helpers/smallModel.js'

const turn = (role: string, content: string) => `<|im_start|>${role}\n${content}<|im_end|>\n`

const orders: [title: string, turns: [string, string][]][] = [
  [
    'two answers in a row',
    [
      ['user', 'One?'],
      ['assistant', 'First.'],
      ['assistant', 'Second.'],
    ],
  ],
  [
    'several results of tools',
    [
      ['assistant', 'Call.'],
      ['tool', '1'],
      ['tool', '2'],
      ['tool', '3'],
      ['assistant', 'Six.'],
    ],
  ],
  [
    'an answer first',
    [
      ['assistant', 'Hello.'],
      ['user', 'One?'],
      ['assistant', 'First.'],
    ],
  ],
  [
    'a question last',
    [
      ['user', 'One?'],
      ['assistant', 'First.'],
      ['user', 'Two?'],
    ],
  ],
  [
    'a system turn in the middle',
    [
      ['user', 'One?'],
      ['system', 'Be brief.'],
      ['assistant', 'First.'],
    ],
  ],
  [
    'two questions in a row',
    [
      ['user', 'One?'],
      ['user', 'Two?'],
      ['assistant', 'Both.'],
    ],
  ],
]

for (const [title, turns] of orders) {
  test(`${title}: the answers are trained, each with its end, and nothing else`, async t => {
    const tokenizer = await smallTokenizer()
    const text = turns.map(([role, content]) => turn(role, content)).join('')
    const answers = turns.flatMap(([role, content]) => (role === 'assistant' ? [`${content}<|im_end|>`] : []))
    t.deepEqual(trainedTexts(Masker.forStrategy('qwen2_vl', tokenizer), tokenizer, text), answers)
  })
}
