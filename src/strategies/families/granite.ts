import type { Strategy } from '../types.js'
import { end, eos, grid, role } from './parts.js'

const turn = (name: string) => role(name, `<|start_of_role|>${name}<|end_of_role|>`, [], [end('<|end_of_text|>')])

/** Granite 4 and Granite-Docling. */
export const granite4: Strategy = {
  name: 'granite4',
  title: 'Granite 4 / Granite-Docling (Idefics3 processor)',
  aliases: ['granite', 'granite4_docling', 'granite_docling'],
  processors: [],
  roles: ['system', 'user', 'assistant', 'tool'].map(turn),
  control: ['<|start_of_role|>', '<|end_of_role|>', '<|end_of_text|>'],
  exclude: [],
  media: [
    '<image>',
    '<fake_token_around_image>',
    '<global-img>',
    ...grid(6, 6, (row, column) => `<row_${row}_col_${column}>`),
  ],
  detect: [{ tokens: ['<|start_of_role|>', '<|end_of_role|>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'Granite-Docling vocabulary and template',
  notes: ['pad, EOS and the end of a turn are one token: padding is told by position only'],
}

/** Granite Vision 3.x. */
export const graniteVision: Strategy = {
  ...granite4,
  name: 'granite_vision',
  title: 'Granite Vision 3.x (LLaVA-NeXT)',
  aliases: [],
  roles: [role('assistant', '<|assistant|>', ['\n'], [eos('<|end_of_text|>')])],
  control: [],
  media: ['<image>'],
  detect: [],
  scannable: '<|user|> and <|assistant|> are plain text in this vocabulary',
  verified: 'unverified',
  verification: 'format as other tools write it; neither template nor vocabulary was obtained',
  notes: [],
}
