import type { Strategy } from '../types.js'
import { end, role } from './parts.js'

const turn = (name: string, word: string) =>
  role(name, `<|START_OF_TURN_TOKEN|><|${word}_TOKEN|>`, [], [end('<|END_OF_TURN_TOKEN|>')])
const CONTROL = [
  '<|START_OF_TURN_TOKEN|>',
  '<|SYSTEM_TOKEN|>',
  '<|USER_TOKEN|>',
  '<|CHATBOT_TOKEN|>',
  '<|END_OF_TURN_TOKEN|>',
] as const
const IMAGES = ['<|IMG_PATCH|>', '<|START_OF_IMG|>', '<|END_OF_IMG|>', '<|IMG_LINE_BREAK|>'] as const
const TILES = [...Array.from({ length: 12 }, (_, index) => `TILE_${index + 1}`), 'TILE_GLOBAL']

/** Command R and R+. */
export const cohere: Strategy = {
  name: 'cohere',
  title: 'Command R / R+',
  aliases: ['command_r'],
  processors: [],
  roles: [turn('system', 'SYSTEM'), turn('user', 'USER'), turn('assistant', 'CHATBOT')],
  control: CONTROL,
  exclude: [],
  media: [],
  template: 'cohere',
  detect: [{ tokens: CONTROL, withoutTokens: ['<|START_RESPONSE|>', '<|IMG_PATCH|>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'Command R+ vocabulary, axolotl template cohere',
  notes: ['tool results stand in a system turn'],
}

/** Aya Vision, and Aya Expanse with the same turns. */
export const ayaVision: Strategy = {
  ...cohere,
  name: 'aya',
  title: 'Aya Vision',
  aliases: ['aya_vision', 'aya_expanse'],
  processors: ['AyaVisionProcessor'],
  media: [...IMAGES, ...TILES],
  template: 'aya',
  detect: [{ tokens: [...CONTROL, '<|IMG_PATCH|>'], withoutTokens: ['<|START_RESPONSE|>'] }],
  verification: 'Aya Expanse vocabulary and template; the image tokens come from the model configuration',
  notes: ['contents are stripped by the template'],
}

/** Command A, Command A Vision and Command R7B. */
export const commandA: Strategy = {
  ...cohere,
  name: 'command_a',
  title: 'Command A Vision / Command R7B',
  aliases: ['command_a_vision', 'command_a_tool_use', 'command_a_rag', 'command_r7b'],
  processors: ['Cohere2VisionProcessor'],
  media: IMAGES,
  template: 'command_a',
  detect: [{ tokens: [...CONTROL, '<|START_RESPONSE|>'] }],
  verified: 'structure only',
  verification: 'the model templates on the Command R+ vocabulary with its slots renamed',
  notes: [
    '<|START_RESPONSE|>, thinking and action blocks are model output and trained',
    'the template ends with a generation prompt even when none is asked for: an answer without content, which trains nothing',
  ],
}
