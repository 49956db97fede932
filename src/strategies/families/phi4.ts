import type { Strategy } from '../types.js'
import { end, role } from './parts.js'

const turn = (name: string) => role(name, `<|im_start|>${name}<|im_sep|>`, [], [end('<|im_end|>')])

/** Phi-4 and Phi-4-reasoning text models. */
export const phi4: Strategy = {
  name: 'phi_4',
  title: 'Phi-4',
  aliases: ['phi4'],
  processors: [],
  roles: ['system', 'user', 'assistant'].map(turn),
  control: ['<|im_start|>', '<|im_sep|>', '<|im_end|>'],
  exclude: [],
  media: [],
  template: 'phi_4',
  detect: [{ tokens: ['<|im_start|>', '<|im_sep|>', '<|im_end|>'], template: ['<|im_sep|>'] }],
  scannable: true,
  verified: 'structure only',
  verification: 'axolotl template phi_4 on a small vocabulary with its control tokens',
  notes: ['the template writes a long system text of its own when there is none'],
}
