import type { Strategy } from '../types.js'
import { before, eos, role } from './parts.js'

/** PaddleOCR-VL. */
export const paddleocrVl: Strategy = {
  name: 'paddleocr_vl',
  title: 'PaddleOCR-VL',
  aliases: ['paddleocr-vl'],
  processors: ['PaddleOCRVLProcessor'],
  roles: [
    role('user', 'User:', [' '], [before('Assistant:'), before('Assistant:\n')]),
    role('assistant', 'Assistant:', [' ', '\n'], [eos('</s>')]),
  ],
  control: [],
  exclude: [],
  media: ['<|IMAGE_PLACEHOLDER|>', '<|video_pad|>', '<|IMAGE_START|>', '<|IMAGE_END|>'],
  detect: [{ tokens: ['<|IMAGE_PLACEHOLDER|>'] }],
  scannable: 'User: and Assistant: are plain text, a document that holds one opens a turn',
  verified: 'unverified',
  verification:
    'real templates 1.0 and 1.5 were read; the vocabulary was not obtained, ids come from published token lists',
  notes: ['template 1.0 writes "Assistant: ", 1.5 writes "Assistant:" and a newline: both are recognised'],
}
