import type { Strategy } from '../types.js'
import { before, eos, role } from './parts.js'

const USER = '<｜User｜>'
const ASSISTANT = '<｜Assistant｜>'
const OUTPUTS_BEGIN = '<｜tool▁outputs▁begin｜>'
const OUTPUTS_END = '<｜tool▁outputs▁end｜>'
const EOS = eos('<｜end▁of▁sentence｜>')

/** DeepSeek V3 and R1. */
export const deepseekV3: Strategy = {
  name: 'deepseek_v3',
  title: 'DeepSeek V3 / R1',
  aliases: ['deepseek_r1'],
  processors: [],
  roles: [
    role('user', USER, [], [before(ASSISTANT), before(USER), before(OUTPUTS_BEGIN)]),
    role('assistant', ASSISTANT, [], [EOS]),
    role('tool', OUTPUTS_BEGIN, [], [before(OUTPUTS_END)]),
    role('assistant', OUTPUTS_END, [], [EOS]),
  ],
  control: [USER, ASSISTANT, OUTPUTS_BEGIN, OUTPUTS_END],
  exclude: [],
  media: [],
  template: 'deepseek_v3',
  detect: [{ tokens: [USER, ASSISTANT] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'DeepSeek V3 vocabulary, axolotl template deepseek_v3',
  notes: [
    'the system text stands bare behind the BOS, in no turn',
    'the answer after tool results stands right behind <｜tool▁outputs▁end｜>',
    'the pad token is the end of a turn in many checkpoints: padding is told by position only',
    'the R1 template strips everything up to </think>',
  ],
}

/** DeepSeek-VL2, VL v1 and DeepSeek-OCR. */
export const deepseekVl2: Strategy = {
  exclude: [],
  scannable: true,
  name: 'deepseek_vl2',
  title: 'DeepSeek-VL2 (DeepSeek-VL v1, DeepSeek-OCR)',
  aliases: ['deepseek_ocr'],
  processors: ['DeepseekVLV2Processor'],
  roles: [
    role('user', '<|User|>:', [' '], [before('<|Assistant|>:')]),
    role('assistant', '<|Assistant|>:', [' '], [EOS]),
  ],
  control: ['<|User|>', '<|Assistant|>'],
  media: ['<image>', '<|ref|>', '<|/ref|>', '<|det|>', '<|/det|>', '<|grounding|>'],
  detect: [{ tokens: ['<|User|>', '<|Assistant|>', '<image>'] }],
  verified: 'unverified',
  verification: 'format from public processor tests, ids of a sister tokenizer',
  notes: [
    'the blank behind the colon fuses with the first word',
    'DeepSeek-VL v1 writes its role words as plain text: not this family',
  ],
}
