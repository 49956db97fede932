import type { Strategy } from '../types.js'
import { before, eos, role } from './parts.js'

/** Molmo 7B-D. */
export const molmo: Strategy = {
  name: 'molmo',
  title: 'Molmo 7B-D',
  aliases: ['molmo_7b_d'],
  processors: ['MolmoProcessor'],
  roles: [
    role('user', ' User:', [' '], [before(' Assistant:')]),
    role('assistant', ' Assistant:', [' '], [eos('<|endoftext|>')]),
  ],
  control: [],
  exclude: [],
  media: ['<im_patch>', '<im_start>', '<im_end>', '<im_col>', '<|image|>'],
  detect: [{ tokens: ['<im_patch>', '<im_col>'] }],
  scannable: 'User: and Assistant: are plain text, a user who types one opens a turn',
  verified: 'unverified',
  verification: 'ids computed with the real vocabulary; the format is processor code and was not run',
  notes: [
    'the chat template of the tokenizer is a left-over and not the model format',
    'pad, EOS and BOS are one token',
  ],
}
