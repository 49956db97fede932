import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles } from './parts.js'

/** Nemotron 3. */
export const nemotron3: Strategy = {
  name: 'nemotron3',
  title: 'Nemotron 3 (Nano/Super/Ultra)',
  aliases: ['nemotron_3'],
  processors: [],
  roles: chatmlRoles(['system', 'user', 'assistant'], ['<think></think>']),
  control: CHATML_CONTROL,
  exclude: [],
  media: [],
  detect: [{ tokens: CHATML_CONTROL, template: ['<|im_start|>', '<think></think>'] }],
  scannable: true,
  verified: 'structure only',
  verification: 'trl templates nemotron_3_* on the tekken 240718 vocabulary with its slots renamed',
  notes: [
    'the template writes <think></think> before every answer without reasoning; it is header and not trained',
    'an empty system turn is always written',
  ],
}
