import type { Strategy } from '../types.js'
import { before, CHATML_CONTROL, end, eos, role } from './parts.js'

/** LLaVA 1.5 and LLaVA-NeXT on Vicuna. */
export const llava: Strategy = {
  name: 'llava',
  title: 'LLaVA 1.5 (and LLaVA-NeXT vicuna)',
  aliases: ['llava_1_5', 'llava_next_vicuna'],
  processors: ['LlavaProcessor'],
  roles: [
    role('user', 'USER:', [], [before('ASSISTANT:')]),
    role('assistant', 'ASSISTANT:', [], [before('USER:'), before('</s>')]),
  ],
  control: [],
  exclude: [],
  media: ['<image>'],
  template: 'llava',
  detect: [{ tokens: ['<image>'], template: ["role'].upper() + ': '"] }],
  scannable: 'USER: and ASSISTANT: are plain text, a user who types one opens a turn',
  verified: 'real vocabulary and template',
  verification: 'Llama 2 vocabulary, axolotl template llava; exact for texts without role words only',
  notes: ['the template writes no end of turn: nothing teaches the model to stop'],
}

/** LLaVA-NeXT on Mistral 7B. */
export const llavaNextMistral: Strategy = {
  name: 'llava_next_mistral',
  title: 'LLaVA-NeXT mistral',
  aliases: [],
  processors: ['LlavaNextProcessor'],
  roles: [role('user', '[INST]', [], [before('[/INST]')]), role('assistant', '[/INST]', [], [eos('</s>')])],
  control: ['</s>'],
  exclude: [],
  media: ['<image>'],
  detect: [{ tokens: ['<image>', '</s>'], withoutTokens: ['[INST]'], template: ['[INST]'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'Mistral 7B v0.1 vocabulary, trl template llava_next',
  notes: [
    '[INST] and [/INST] are plain text in this vocabulary: a user who types them opens a turn',
    'the template reads only the first part of an answer',
    'the blank behind [/INST] is content',
  ],
}

/** LLaVA-OneVision. */
export const llavaOnevision: Strategy = {
  name: 'llava_onevision',
  title: 'LLaVA-OneVision (qwen2)',
  aliases: [],
  processors: ['LlavaOnevisionProcessor'],
  roles: [
    role('assistant', '<|im_start|>assistant', [' \n', '\n'], [end('<|im_end|>')]),
    role('user', '<|im_start|>user', [' \n', ' '], [end('<|im_end|>')]),
    role('system', '<|im_start|>system', [' \n', ' '], [end('<|im_end|>')]),
  ],
  control: CHATML_CONTROL,
  exclude: [],
  media: ['<image>', '<video>'],
  detect: [{ tokens: [...CHATML_CONTROL, '<image>', '<video>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'Qwen2.5 vocabulary with its media slots renamed, the template of the conversion script',
  notes: ['the header ends in a blank and a newline, one token; the generation prompt has the newline alone'],
}
