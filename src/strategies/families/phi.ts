import type { Strategy } from '../types.js'
import { end, role } from './parts.js'

const CONTROL = ['<|system|>', '<|user|>', '<|assistant|>', '<|end|>'] as const
const turn = (name: string) => role(name, `<|${name}|>`, ['\n'], [end('<|end|>')])
const SWALLOWED =
  '<|assistant|> takes the white space to its right with it: leading white space of an answer does not reach the model'

/** Phi-3 and Phi-3.5 text models. */
export const phi3: Strategy = {
  name: 'phi_35',
  title: 'Phi-3 / Phi-3.5',
  aliases: ['phi_3', 'phi3', 'phi3_5'],
  processors: [],
  roles: ['system', 'user', 'assistant'].map(turn),
  control: CONTROL,
  exclude: [],
  media: [],
  template: 'phi_35',
  detect: [{ tokens: CONTROL, withoutTokens: ['<|image|>', '<|endoftext10|>'], template: ['<|end|>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'the Phi-3 vocabulary, axolotl templates phi_3 and phi_35',
  notes: [SWALLOWED],
}

/** Phi-3.5-vision. */
export const phi3_5Vision: Strategy = {
  ...phi3,
  name: 'phi3_5_vision',
  title: 'Phi-3.5-vision',
  aliases: ['phi3_v', 'phi3_vision'],
  processors: ['Phi3VProcessor'],
  media: ['<|image|>'],
  detect: [{ tokens: [...CONTROL, '<|image|>'], withoutTokens: ['[gMASK]'] }],
  verified: 'real vocabulary and template',
  verification: 'Phi-3-vision vocabulary and template',
  notes: [
    SWALLOWED,
    'the original processor puts negative ids where images stand; they stand in user turns, which are not trained',
  ],
}

/** Phi-4-multimodal. */
export const phi4Multimodal: Strategy = {
  ...phi3,
  name: 'phi4_multimodal',
  title: 'Phi-4-multimodal',
  aliases: ['phi4mm'],
  processors: ['Phi4MultimodalProcessor', 'Phi4MMProcessor'],
  media: ['<|endoftext10|>', '<|endoftext11|>'],
  detect: [{ tokens: [...CONTROL, '<|endoftext10|>'] }],
  verified: 'real vocabulary and template',
  verification: 'o200k vocabulary with the published control tokens, the model template',
  notes: [SWALLOWED, 'the template appends <|endoftext|> to the conversation; it is outside every turn'],
}
