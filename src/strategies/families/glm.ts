import type { RoleMarkers, Strategy } from '../types.js'
import { before, role } from './parts.js'

/** GLM has no end of turn: whatever begins the next one, or the end of the text, ends this one. */
const ENDS = ['<|user|>', '<|observation|>', '<|system|>', '<|endoftext|>', '<|assistant|>'].map(before)

function turns(thinking: readonly string[]): RoleMarkers[] {
  return [
    role('system', '<|system|>', ['\n'], ENDS),
    role('user', '<|user|>', ['\n'], ENDS),
    role('assistant', '<|assistant|>', [...thinking, '\n'], ENDS),
    role('tool', '<|observation|>', ['\n'], ENDS),
  ]
}

const NO_END =
  'no turn has an end token: to teach stopping, train the role token behind an answer with train_on_shared_end'

/** GLM-4.1V. */
export const glm4_1v: Strategy = {
  name: 'glm4_1v',
  title: 'GLM-4.1V',
  aliases: ['glm4v'],
  processors: ['Glm4vProcessor'],
  roles: turns([]),
  control: ['<|user|>', '<|observation|>', '<|system|>', '<|assistant|>', '<|endoftext|>'],
  exclude: [],
  media: ['<|image|>', '<|video|>', '<|begin_of_image|>', '<|end_of_image|>', '<|begin_of_video|>', '<|end_of_video|>'],
  detect: [
    {
      tokens: ['[gMASK]', '<|observation|>', '<|image|>'],
      template: ['[gMASK]'],
      withoutTemplate: ['<think></think>'],
    },
  ],
  scannable: true,
  verified: 'structure only',
  verification: 'the model template on the Qwen2.5 vocabulary with the control tokens of GLM',
  notes: [
    NO_END,
    'the template prints system and assistant contents given as lists of parts as Python lists: give strings',
  ],
}

/** GLM-4.5V and GLM-4.6V. */
export const glm4_5v: Strategy = {
  ...glm4_1v,
  name: 'glm4_5v',
  title: 'GLM-4.5V / GLM-4.6V',
  aliases: ['glm4_6v', 'glm46v'],
  processors: ['Glm46VProcessor'],
  roles: turns(['\n<think></think>\n', '\n<think></think>']),
  detect: [{ tokens: ['[gMASK]', '<|observation|>'], template: ['[gMASK]', '<think></think>'] }],
  verification: 'the GLM-4.5 template on the Qwen2.5 vocabulary with the control tokens of GLM',
  notes: [
    NO_END,
    'the template writes an empty think block before every answer without reasoning; it is header and not trained',
  ],
}
