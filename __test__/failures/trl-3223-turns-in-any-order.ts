/** Two answers in a row, several results of tools in a row, or a row that begins with an answer broke masks that expect pairs. */
import type { Failure, FailureCase } from '../helpers/failure.js'

const order = (...turns: [role: string, content: string][]): FailureCase => ({
  rows: [{ messages: turns.map(([role, content]) => ({ role, content })) }],
  trained: [turns.flatMap(([role, content]) => (role === 'assistant' ? [`${content}<|im_end|>`] : []))],
})

export default {
  row: 'W',
  wrong: 'several turns of one role in a row',
  threads: ['huggingface/trl#3223', '#1994', '#2545', 'verl-project/verl#2264'],
  here: 'any order of roles',
  cases: {
    'two answers in a row': order(['user', 'One?'], ['assistant', 'First.'], ['assistant', 'Second.']),
    'several results of tools': order(
      ['assistant', 'Call.'],
      ['tool', '1'],
      ['tool', '2'],
      ['tool', '3'],
      ['assistant', 'Six.'],
    ),
    'an answer first': order(['assistant', 'Hello.'], ['user', 'One?'], ['assistant', 'First.']),
    'a question last': order(['user', 'One?'], ['assistant', 'First.'], ['user', 'Two?']),
    'a system turn in the middle': order(['user', 'One?'], ['system', 'Be brief.'], ['assistant', 'First.']),
    'two questions in a row': order(['user', 'One?'], ['user', 'Two?'], ['assistant', 'Both.']),
  },
} satisfies Failure
