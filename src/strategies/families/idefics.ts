import type { RoleMarkers, Strategy } from '../types.js'
import { anchor, grid, role } from './parts.js'

const TURN_END = '<end_of_utterance>'

/**
 * The role words are plain text: they open a turn only behind the end of the one before, or behind the token that opens the row. So the
 * end is not consumed: it anchors the next start.
 */
function utterances(bos: string): RoleMarkers[] {
  const turn = (name: string, word: string) =>
    role(name, [`${TURN_END}\n${word}:`, `${bos}${word}:`], [], [anchor(TURN_END)])
  return [turn('assistant', 'Assistant'), turn('user', 'User'), turn('system', 'System')]
}

const NOTES = [
  'the blank behind "Assistant:" fuses with the first word and is trained, also in an empty answer',
  'expanded images hold plain text in user turns (rows, columns)',
] as const

/** SmolVLM and SmolVLM2. */
export const smolvlm: Strategy = {
  name: 'smolvlm',
  title: 'SmolVLM / SmolVLM2',
  aliases: ['smolvlm2'],
  processors: ['SmolVLMProcessor'],
  roles: utterances('<|im_start|>'),
  control: [TURN_END, '<|im_start|>'],
  exclude: [],
  media: [
    '<image>',
    '<fake_token_around_image>',
    '<global-img>',
    ...grid(6, 6, (row, column) => `<row_${row}_col_${column}>`),
  ],
  detect: [{ tokens: [TURN_END, '<|im_start|>', '<fake_token_around_image>'] }],
  scannable: true,
  verified: 'real vocabulary and template',
  verification: 'SmolVLM-256M vocabulary and template',
  notes: NOTES,
}

/** Idefics3. */
export const idefics3: Strategy = {
  ...smolvlm,
  name: 'idefics3',
  title: 'Idefics3',
  aliases: [],
  processors: ['Idefics3Processor'],
  roles: utterances('<|begin_of_text|>'),
  control: [TURN_END, '<|begin_of_text|>'],
  detect: [{ tokens: [TURN_END, '<|begin_of_text|>', '<fake_token_around_image>'] }],
  verification: 'Llama 3.1 vocabulary with the added tokens of the model, trl template idefics3',
}
