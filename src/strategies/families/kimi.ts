import type { Strategy } from '../types.js'
import { end, role } from './parts.js'

const ENDS = [end('<|im_end|>')]

/** Kimi-VL, Kimi K2 and K2.5. */
export const kimi: Strategy = {
  name: 'kimi',
  title: 'Kimi-VL / Kimi K2 / K2.5',
  aliases: ['kimi_vl', 'kimi_k2', 'kimi_k2_5'],
  processors: ['KimiVLProcessor', 'Kimi_K25Processor'],
  roles: [
    role('assistant', '<|im_assistant|>assistant<|im_middle|>', ['<think></think>'], ENDS),
    role('user', '<|im_user|>user<|im_middle|>', [], ENDS),
    role('system', '<|im_system|>system<|im_middle|>', [], ENDS),
    role('tool', '<|im_system|>tool<|im_middle|>', [], ENDS),
  ],
  control: ['<|im_assistant|>', '<|im_user|>', '<|im_system|>', '<|im_middle|>', '<|im_end|>'],
  exclude: [],
  media: ['<|media_pad|>', '<|media_start|>', '<|media_begin|>', '<|media_content|>', '<|media_end|>'],
  detect: [{ tokens: ['<|im_assistant|>', '<|im_middle|>'] }],
  scannable: true,
  verified: 'structure only',
  verification: 'the Kimi K2 Thinking template on the Qwen2.5 vocabulary with the control tokens of Kimi',
  notes: [
    'a tool message with a name is headed by that name: an id scan does not see it as a turn (it is not trained either way)',
    'the template writes <think></think> before answers without reasoning; it is header and not trained',
  ],
}
