import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles } from './parts.js'

/** InternVL 2.5, 3 and 3.5, whatever language model stands under it. */
export const internvl: Strategy = {
  name: 'internvl',
  title: 'InternVL 2.5 / 3 / 3.5 (Qwen2.5, Qwen3 or InternLM2)',
  aliases: ['internvl3', 'internvl3_5', 'internvl3_qwen2_5', 'internvl3_5_qwen3', 'internvl_internlm2'],
  processors: ['InternVLProcessor'],
  roles: chatmlRoles(['system', 'user', 'assistant', 'tool']),
  control: CHATML_CONTROL,
  exclude: [],
  media: ['<IMG_CONTEXT>', '<img>', '</img>'],
  detect: [{ tokens: [...CHATML_CONTROL, '<IMG_CONTEXT>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification:
    'Qwen2.5, Qwen3 and InternLM2 vocabularies with the added tokens of the conversion script, the model template',
  notes: [
    'a header newline fuses with newlines an answer begins with; that token is header',
    'video frames stand behind plain text ("Frame1: ")',
  ],
}
