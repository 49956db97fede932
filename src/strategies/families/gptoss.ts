import type { Strategy } from '../types.js'
import { end, role } from './parts.js'

/** gpt-oss, the harmony format. */
export const gptOss: Strategy = {
  name: 'gpt_oss',
  title: 'gpt-oss (harmony)',
  aliases: ['gptoss', 'harmony'],
  processors: [],
  roles: [
    role(
      'assistant',
      '<|start|>assistant',
      ['<|channel|>final<|message|>'],
      [end('<|end|>'), end('<|return|>'), end('<|call|>')],
    ),
    role('system', '<|start|>system', ['<|message|>'], [end('<|end|>')]),
    role('developer', '<|start|>developer', ['<|message|>'], [end('<|end|>')]),
    role('user', '<|start|>user', ['<|message|>'], [end('<|end|>')]),
    role('tool', '<|start|>functions', [], [end('<|end|>')]),
  ],
  control: ['<|start|>', '<|channel|>', '<|message|>', '<|end|>', '<|return|>', '<|call|>'],
  exclude: [],
  media: [],
  detect: [{ tokens: ['<|start|>', '<|channel|>', '<|message|>', '<|return|>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'gpt-oss vocabulary, trl template gptoss',
  notes: [
    'the header of the final channel is not trained; those of analysis and of tool calls are model output and are',
    'the template drops the analysis of earlier turns and writes the date into the system turn',
  ],
}
