import type { Strategy } from '../types.js'
import { end, role } from './parts.js'

const ENDS = [end('<turn|>')]

/** Gemma 4. */
export const gemma4: Strategy = {
  name: 'gemma4',
  title: 'Gemma 4',
  aliases: [],
  processors: ['Gemma4Processor'],
  roles: [
    role('assistant', '<|turn>model', ['\n'], ENDS),
    role('user', '<|turn>user', ['\n'], ENDS),
    role('system', '<|turn>system', ['\n'], ENDS),
  ],
  control: ['<|turn>', '<turn|>'],
  exclude: [{ start: '<|tool_response>', end: '<tool_response|>', reason: 'tool results stand inside the model turn' }],
  media: ['<|image|>', '<|audio|>', '<|video|>', '<|image>', '<image|>', '<|audio>', '<audio|>'],
  template: 'gemma4',
  detect: [{ tokens: ['<|turn>', '<turn|>'], template: ['<|turn>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'the model template on the Gemma 3 vocabulary with its control slots renamed',
  notes: [
    'of two assistant messages in a row the second has no start marker and is not found by an id scan',
    'the opening <|tool_response> is the stop token of a tool call and is left out with its stretch',
    'older templates print a Python list when the system content is a list of parts',
  ],
}

/** Gemma 4 unified. */
export const gemma4Unified: Strategy = {
  ...gemma4,
  name: 'gemma4_unified',
  title: 'Gemma 4 unified',
  processors: ['Gemma4UnifiedProcessor'],
  template: 'gemma4_unified',
  detect: [],
  verification: 'axolotl template gemma4_unified on the Gemma 3 vocabulary with its control slots renamed',
}
