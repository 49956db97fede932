import type { RoleMarkers, Strategy } from '../types.js'
import { end, role } from './parts.js'

/** Llama 3's turns, with the header and end tokens of the generation. */
function llamaRoles(open: string, close: string, eot: string, eom: string): RoleMarkers[] {
  const header = (word: string) => `${open}${word}${close}`
  const turn = (name: string, words: readonly string[]) => role(name, words.map(header), ['\n\n'], [end(eot)])
  return [
    turn('system', ['system']),
    turn('user', ['user']),
    role('assistant', header('assistant'), ['\n\n'], [end(eot), end(eom)]),
    turn('tool', ['ipython', 'tool']),
  ]
}

const NOTES = [
  'the newlines of the header fuse with newlines an answer begins with; that token is header',
  'tool results are ipython turns, role tool here',
  'a call of a built-in tool ends with the end-of-message token, which is trained like the end of a turn',
] as const

/** Llama 3, 3.1, 3.2 and 3.3 text models. */
export const llama3: Strategy = {
  name: 'llama3',
  title: 'Llama 3.x',
  aliases: ['llama3_1', 'llama3_2', 'llama3_3'],
  processors: [],
  roleAliases: { ipython: 'tool' },
  roles: llamaRoles('<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>', '<|eom_id|>'),
  control: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>', '<|eom_id|>'],
  exclude: [],
  media: [],
  template: 'llama3',
  detect: [
    { tokens: ['<|start_header_id|>', '<|eot_id|>'], withoutTokens: ['<|image|>'], template: ['<|start_header_id|>'] },
  ],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'Llama 3, 3.1 and 3.2 vocabularies, axolotl template llama3',
  notes: NOTES,
}

/** Llama 3.2 Vision. */
export const llama3_2Vision: Strategy = {
  ...llama3,
  name: 'llama3_2_vision',
  title: 'Llama 3.2 Vision',
  aliases: ['mllama'],
  processors: ['MllamaProcessor'],
  media: ['<|image|>'],
  template: 'llama3_2_vision',
  detect: [{ tokens: ['<|start_header_id|>', '<|eot_id|>', '<|image|>'], template: ['<|start_header_id|>'] }],
  verification: 'Llama 3.2 vocabulary with the image token, axolotl template llama3_2_vision',
  notes: [...NOTES, 'one image token per image: nothing is expanded'],
}

/** Llama 4. */
export const llama4: Strategy = {
  ...llama3,
  name: 'llama4',
  title: 'Llama 4',
  aliases: [],
  processors: ['Llama4Processor'],
  roles: llamaRoles('<|header_start|>', '<|header_end|>', '<|eot|>', '<|eom|>'),
  control: ['<|header_start|>', '<|header_end|>', '<|eot|>', '<|eom|>'],
  media: ['<|patch|>', '<|image|>', '<|image_start|>', '<|image_end|>', '<|tile_x_separator|>', '<|tile_y_separator|>'],
  template: 'llama4',
  detect: [{ tokens: ['<|header_start|>', '<|eot|>'], template: ['<|header_start|>'] }],
  verification: 'Llama 4 vocabulary, axolotl template llama4',
}
