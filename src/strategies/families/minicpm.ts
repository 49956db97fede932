import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles, EMPTY_THINK } from './parts.js'

/** MiniCPM-V 4.5, and 2.6 and o 2.6 with the same turns. */
export const minicpmV: Strategy = {
  name: 'minicpm_v4_5',
  title: 'MiniCPM-V 4.5 (2.6/o-2.6: same ChatML on Qwen2 vocabulary)',
  aliases: ['minicpmv', 'minicpm_v', 'minicpm_v2_6'],
  processors: ['MiniCPMVProcessor', 'MiniCPMOProcessor'],
  roles: chatmlRoles(['system', 'user', 'assistant'], [EMPTY_THINK]),
  control: CHATML_CONTROL,
  exclude: [],
  media: ['<unk>', '<image>', '</image>', '<slice>', '</slice>', '<image_id>', '</image_id>'],
  detect: [{ tokens: [...CHATML_CONTROL, '<slice>', '<image_id>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'MiniCPM-V 4.5 vocabulary and template',
  notes: [
    'the image placeholder is <unk>',
    'the template writes an empty think block before the last answer; it is header and not trained',
    'the BOS token is <|im_start|>: a tokenizer that adds BOS doubles it',
  ],
}
