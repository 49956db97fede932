import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles, grid } from './parts.js'

/** LFM2-VL and LFM2.5-VL, and the text models. */
export const lfm2Vl: Strategy = {
  name: 'lfm2_vl',
  title: 'LFM2-VL / LFM2.5-VL',
  aliases: ['lfm2', 'lfm2vl', 'lfm2_5_vl'],
  processors: ['Lfm2VlProcessor'],
  roles: chatmlRoles(['system', 'user', 'assistant', 'tool']),
  control: CHATML_CONTROL,
  exclude: [],
  media: [
    '<image>',
    '<|image_start|>',
    '<|image_end|>',
    '<|img_thumbnail|>',
    ...grid(10, 10, (row, column) => `<|img_row_${row}_col_${column}|>`),
  ],
  detect: [{ tokens: [...CHATML_CONTROL, '<|startoftext|>'] }],
  scannable: true,
  verified: 'structure only',
  verification: 'the model template on the Qwen2.5 vocabulary with the control tokens of LFM2',
  notes: [
    'a header newline fuses with newlines an answer begins with; that token is header',
    'reasoning is stripped from earlier answers',
  ],
}
