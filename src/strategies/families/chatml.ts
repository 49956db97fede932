import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles, EMPTY_THINK } from './parts.js'

const common = {
  processors: [],
  control: CHATML_CONTROL,
  exclude: [],
  media: ['<|image_pad|>', '<|video_pad|>', '<|vision_start|>', '<|vision_end|>', '<|vision_pad|>'],
  scannable: true,
} as const

/** ChatML text models in general. */
export const chatml: Strategy = {
  ...common,
  name: 'chatml',
  title: 'ChatML',
  aliases: [],
  roles: chatmlRoles(['system', 'user', 'assistant', 'tool']),
  template: 'chatml',
  detect: [{ tokens: CHATML_CONTROL, template: ['<|im_start|>'], withoutTemplate: ['<|vision_start|>'] }],
  verified: 'real vocabulary and template',
  verification: 'Qwen2.5 vocabulary, axolotl template chatml',
  notes: ['a header newline fuses with newlines an answer begins with; that token is header'],
}

/** Qwen 2 and 2.5 text models. */
export const qwen2_5: Strategy = {
  ...common,
  name: 'qwen_25',
  title: 'Qwen2 / Qwen2.5',
  aliases: ['qwen2_5', 'qwen2.5', 'qwen2'],
  roles: chatmlRoles(['system', 'user', 'assistant', 'tool']),
  template: 'qwen_25',
  detect: [
    {
      tokens: CHATML_CONTROL,
      template: ['<|im_start|>', '<tool_response>'],
      withoutTemplate: ['<think>', '<|vision_start|>'],
    },
  ],
  verified: 'real vocabulary and template',
  verification: 'Qwen2.5 vocabulary, axolotl template qwen_25',
  notes: ['tool results stand in a user turn'],
}

/** Qwen3 text models. */
export const qwen3: Strategy = {
  ...common,
  name: 'qwen3',
  title: 'Qwen3',
  aliases: [],
  roles: chatmlRoles(['system', 'user', 'assistant', 'tool'], [EMPTY_THINK]),
  template: 'qwen3',
  detect: [
    {
      tokens: CHATML_CONTROL,
      template: ['<|im_start|>', '<tool_response>', '<think>\\n\\n</think>'],
      withoutTemplate: ['<|vision_start|>'],
    },
  ],
  verified: 'real vocabulary and template',
  verification: 'Qwen3 vocabulary, axolotl template qwen3',
  notes: [
    'the template writes an empty think block before the last answer; it is header and not trained',
    'tool results stand in a user turn',
  ],
}
