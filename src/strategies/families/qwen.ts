import type { Strategy } from '../types.js'
import { CHATML_CONTROL, chatmlRoles, EMPTY_THINK } from './parts.js'

const VISION = ['<|image_pad|>', '<|video_pad|>', '<|vision_start|>', '<|vision_end|>', '<|vision_pad|>'] as const
const VISUAL = [...CHATML_CONTROL, '<|vision_start|>'] as const
const NEWLINE = 'a header newline fuses with newlines an answer begins with; that token is header'

const common = {
  control: CHATML_CONTROL,
  exclude: [],
  media: VISION,
  scannable: true,
} as const

/** Qwen2-VL. */
export const qwen2Vl: Strategy = {
  ...common,
  name: 'qwen2_vl',
  title: 'Qwen2-VL',
  aliases: ['qwen2-vl'],
  processors: ['Qwen2VLProcessor'],
  roles: chatmlRoles(['system', 'user', 'assistant', 'tool']),
  template: 'qwen2_vl',
  detect: [
    { tokens: VISUAL, template: ['<|im_start|>', '<|vision_start|>'], withoutTemplate: ['<tool_response>', '<think>'] },
  ],
  verified: 'real vocabulary and template',
  verification: 'Qwen2.5 vocabulary, axolotl template qwen2_vl',
  notes: [NEWLINE, 'the template writes a default system turn when there is none'],
}

/** Qwen2.5-VL. */
export const qwen2_5Vl: Strategy = {
  ...qwen2Vl,
  name: 'qwen2_5_vl',
  title: 'Qwen2.5-VL',
  aliases: ['qwen2.5-vl'],
  processors: ['Qwen2_5_VLProcessor'],
  detect: [
    { tokens: VISUAL, template: ['<|im_start|>', '<|vision_start|>'], withoutTemplate: ['<tool_response>', '<think>'] },
  ],
  verification: 'Qwen2.5 vocabulary, trl template qwen2_5_vl',
}

/** Qwen3-VL. */
export const qwen3Vl: Strategy = {
  ...common,
  name: 'qwen3_vl',
  title: 'Qwen3-VL',
  aliases: ['qwen3-vl'],
  processors: ['Qwen3VLProcessor'],
  roles: chatmlRoles(['system', 'user', 'assistant']),
  detect: [
    { tokens: VISUAL, template: ['<|im_start|>', '<|vision_start|>', '<tool_response>'], withoutTemplate: ['<think>'] },
  ],
  verified: 'real vocabulary and template',
  verification: 'Qwen3 vocabulary, trl template qwen3_vl',
  notes: [NEWLINE, 'tool results stand in a user turn', 'reasoning_content is dropped by the Instruct template'],
}

/** Qwen3.5 and 3.6, also the vocabulary and template of MiniCPM-V 4.6. */
export const qwen3_5: Strategy = {
  ...common,
  name: 'qwen3_5',
  title: 'Qwen3.5 (also 3.6, MiniCPM-V 4.6)',
  aliases: ['qwen3.5', 'qwen3_6', 'qwen3.6', 'minicpm_v4_6'],
  processors: ['Qwen3_5Processor'],
  roles: chatmlRoles(['system', 'user', 'assistant'], [EMPTY_THINK]),
  media: [...VISION, '<image>', '</image>', '<slice>', '</slice>', '<image_id>', '</image_id>'],
  template: 'qwen3_5',
  detect: [{ tokens: VISUAL, template: ['<|im_start|>', '<|vision_start|>', '<tool_response>', '<think>'] }],
  verified: 'structure only',
  verification: 'real templates on the Qwen3 vocabulary; the ids of the real one are known from published token lists',
  notes: [NEWLINE, 'the template writes an empty think block before the last answer; it is header and not trained'],
}
