import type { RoleMarkers, Strategy } from '../types.js'
import { end, role } from './parts.js'

const ROLES: readonly RoleMarkers[] = [
  role('assistant', '<start_of_turn>model', ['\n'], [end('<end_of_turn>')]),
  role('user', '<start_of_turn>user', ['\n'], [end('<end_of_turn>')]),
]
const CONTROL = ['<start_of_turn>', '<end_of_turn>'] as const
const NOTES = [
  'there is no system turn: the system text heads the first user turn',
  'an image at the head of a user turn fuses the header newline into a longer run of newlines',
  'the template insists that user and model alternate',
] as const

/** Gemma 1 and 2. */
export const gemma: Strategy = {
  name: 'gemma',
  title: 'Gemma / Gemma 2',
  aliases: ['gemma2'],
  processors: [],
  roles: ROLES,
  control: CONTROL,
  exclude: [],
  media: [],
  template: 'gemma',
  detect: [{ tokens: CONTROL, withoutTokens: ['<start_of_image>'], template: ['<start_of_turn>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'Gemma and Gemma 2 vocabularies, axolotl template gemma',
  notes: ['the template refuses a system message'],
}

/** Gemma 3. */
export const gemma3: Strategy = {
  ...gemma,
  name: 'gemma3',
  title: 'Gemma 3',
  aliases: [],
  processors: ['Gemma3Processor'],
  media: ['<image_soft_token>', '<start_of_image>', '<end_of_image>'],
  template: 'gemma3',
  detect: [
    { tokens: [...CONTROL, '<start_of_image>'], withoutTokens: ['<audio_soft_token>'], template: ['<start_of_turn>'] },
  ],
  verification: 'Gemma 3 vocabulary, the model template',
  notes: NOTES,
}

/** Gemma 3n. */
export const gemma3n: Strategy = {
  ...gemma3,
  name: 'gemma3n',
  title: 'Gemma 3n',
  processors: ['Gemma3nProcessor'],
  media: [
    '<image_soft_token>',
    '<audio_soft_token>',
    '<start_of_image>',
    '<end_of_image>',
    '<start_of_audio>',
    '<end_of_audio>',
  ],
  template: 'gemma3n',
  detect: [{ tokens: [...CONTROL, '<audio_soft_token>'], template: ['<start_of_turn>'] }],
  verification: 'Gemma 3 vocabulary with the media ids of the model configuration, axolotl template gemma3n',
}
