import type { Strategy } from '../types.js'
import { before, role } from './parts.js'

const ENDS = ['<|user|>', '<|observation|>', '<|assistant|>'].map(before)

/** ChatGLM3. */
export const chatglm3: Strategy = {
  name: 'chatglm3',
  title: 'ChatGLM3',
  aliases: [],
  processors: [],
  roles: [role('assistant', '<|assistant|>', ['\n ', '\n'], ENDS), role('user', '<|user|>', ['\n ', '\n'], ENDS)],
  control: ['<|assistant|>', '<|user|>', '<|observation|>'],
  exclude: [],
  media: [],
  detect: [],
  scannable: true,
  verified: 'unverified',
  verification: 'ids from published sources; the role tokens are added by Python code and stand in no tokenizer.json',
  notes: ['a tokenizer.json without the role tokens is refused: they would be matched as plain text'],
}
