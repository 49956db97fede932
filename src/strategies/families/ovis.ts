import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles } from './parts.js'

/** Ovis2 and Ovis2.5. */
export const ovis2: Strategy = {
  name: 'ovis2',
  title: 'Ovis2 / Ovis2.5',
  aliases: ['ovis2_5'],
  processors: ['Ovis2Processor'],
  roles: chatmlRoles(['system', 'user', 'assistant']),
  control: CHATML_CONTROL,
  exclude: [],
  media: ['<image>', '<IMG_ATOM>', '<IMG_START>', '<IMG_GRID>', '<IMG_COL>', '<IMG_ROW>', '<IMG_END>'],
  detect: [{ tokens: [...CHATML_CONTROL, '<IMG_ATOM>'] }],
  scannable: true,
  verified: 'unverified',
  verification: 'by analogy with Qwen2.5 ChatML; template and media ids not seen',
  notes: [],
}
